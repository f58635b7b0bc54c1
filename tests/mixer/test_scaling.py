from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mixdown.mixer.media import Size
from mixdown.mixer.picture import colour
from mixdown.mixer.scaling import SNAP, scale_into, window

sources = st.builds(Size, st.integers(2, 2000), st.integers(2, 2000))
cells = st.builds(Size, st.integers(1, 960).map(lambda n: 2 * n), st.integers(1, 540).map(lambda n: 2 * n))


@given(sources, cells, st.sampled_from(["crop", "letterbox"]))
def test_windows_are_even_and_inside(source, cell, fit):
    how = window(source, cell, fit)
    for rect, size in ((how.source, source), (how.target, cell)):
        assert all(value % 2 == 0 for value in (rect.x, rect.y, rect.width, rect.height))
        assert 2 <= rect.width <= size.width - rect.x and 2 <= rect.height <= size.height - rect.y
    assert how.source.width % (2 << how.halvings) == how.source.height % (2 << how.halvings) == 0


@given(cells, sources)
def test_crop_fills_its_cell(cell, source):
    assert window(source, cell, "crop").target.size == cell


@given(st.sampled_from([Size(640, 360), Size(1280, 720), Size(640, 480), Size(360, 640)]), cells)
def test_letterbox_gives_up_almost_nothing(source, cell):
    how = window(source, cell, "letterbox")
    assert source.width - how.source.width < 2 << how.halvings
    assert source.height - how.source.height < 2 << how.halvings
    assert how.target.width == cell.width or how.target.height == cell.height


def test_a_crop_is_tightened_a_little_for_an_exact_halving():
    how = window(Size(640, 360), Size(312, 172), "crop")
    assert how.exact and how.halvings == 1 and how.source.width == 624 > 640 * SNAP
    assert window(Size(1280, 720), Size(312, 172), "crop").halvings == 2
    assert not window(Size(640, 360), Size(418, 232), "crop").exact


@given(
    st.builds(Size, st.integers(2, 300), st.integers(2, 300)),
    st.builds(Size, st.integers(1, 150).map(lambda n: 2 * n), st.integers(1, 150).map(lambda n: 2 * n)),
    st.sampled_from(["crop", "letterbox"]),
)
def test_a_plain_picture_stays_plain(source, cell, fit):
    how = window(source, cell, fit)
    into = colour(cell, 1, 2, 3)
    scale_into(colour(source, 200, 90, 160), how, into.y, into.u, into.v)
    t = how.target
    part = into.y[t.y : t.y + t.height, t.x : t.x + t.width]
    assert (part == 200).all() and (into.y == 200).sum() == t.width * t.height
    assert np.count_nonzero(into.u == 90) == np.count_nonzero(into.v == 160) == t.width * t.height // 4
