from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.picture import colour, crop_to_aspect, packed, rgb_of_hex, to_bgr, yuv, yuv_of_hex


@pytest.mark.parametrize(
    ("hex_colour", "expected"),
    [
        ("#000000", (16, 128, 128)),
        ("#ffffff", (235, 128, 128)),
        ("#ff0000", (81, 90, 240)),
        ("#00FF00", (145, 54, 34)),
        ("#0000ff", (41, 240, 110)),
    ],
)
def test_the_corners_of_bt601(hex_colour, expected):
    assert yuv_of_hex(hex_colour) == expected


@pytest.mark.parametrize("bad", ["", "#fff", "red", "101418", "#10141g", "#1014188", "# 01418"])
def test_other_forms_of_colours_are_refused(bad):
    with pytest.raises(ValueError, match="no colour"):
        rgb_of_hex(bad)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_there_and_back(red, green, blue):
    bgr = to_bgr(colour(Size(4, 4), *yuv(red, green, blue)))
    assert np.abs(bgr[1, 1].astype(int) - (blue, green, red)).max() <= 4


def test_packed_copies_only_what_is_apart():
    apart = colour(Size(4, 2), 1, 2, 3)
    assert packed(apart).tolist() == [[1] * 4, [1] * 4, [2, 2, 3, 3]]
    flat = np.arange(12, dtype=np.uint8)
    together = I420Frame(flat[:8].reshape(2, 4), flat[8:10].reshape(1, 2), flat[10:].reshape(1, 2))
    assert np.shares_memory(packed(together), flat)
    swapped = I420Frame(together.y, together.v, together.u)
    assert packed(swapped)[2].tolist() == [10, 11, 8, 9]


@given(st.integers(4, 200), st.integers(4, 200), st.sampled_from([Fraction(16, 9), Fraction(1), Fraction(9, 16)]))
def test_crop_to_aspect(width, height, aspect):
    part = crop_to_aspect(colour(Size(width, height), 5, 6, 7), aspect)
    assert part.size.width % 2 == part.size.height % 2 == 0
    assert part.u.shape == part.v.shape == (part.size.height // 2, part.size.width // 2)
    assert abs(part.size.width - part.size.height * aspect) <= 2 + 2 * aspect


def test_odd_pictures_lose_their_last_line():
    assert to_bgr(colour(Size(5, 3), 16, 128, 128)).shape == (2, 4, 3)
