from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mixdown.mixer.compositor import Compositor
from mixdown.mixer.draw import CARD, SPEAKING
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import I420Frame, Rect, Size
from mixdown.mixer.picture import colour, yuv_of_hex
from mixdown.mixer.scaling import scale_into
from mixdown.mixer.scene import Tile

HD = Size(1280, 720)
SMALL = Size(320, 180)
CAMERA = Size(640, 360)
COLOURS = [(60 + 9 * i, 40 + 11 * i % 170, 220 - 13 * i % 170) for i in range(20)]


def tile(i: int, rect: Rect, **more) -> Tile:
    more = {"show_name": False, **more}
    return Tile(f"s{i}", f"p{i}", "camera", f"Person {i}", rect, **more)


def grid(count: int, canvas: Size = HD, **more) -> list[Tile]:
    return [tile(i, cell.rect, **more) for i, cell in enumerate(arrange(parse_layout_name("grid"), canvas, count))]


def plain(i: int, size: Size = CAMERA) -> I420Frame:
    return colour(size, *COLOURS[i])


def noise(seed: int, size: Size) -> I420Frame:
    rng = np.random.default_rng(seed)
    half = (size.height + 1) // 2, (size.width + 1) // 2
    planes = [rng.integers(16, 235, shape, np.uint8) for shape in ((size.height, size.width), half, half)]
    return I420Frame(*planes)


def inside(frame: I420Frame, rect: Rect, edge: int = 0) -> tuple[set[int], set[int], set[int]]:
    """The values in a rectangle, `edge` pixels of its border left out."""
    rows, columns = slice(rect.y + edge, rect.y + rect.height - edge), slice(rect.x + edge, rect.x + rect.width - edge)
    half = (slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2))
    return tuple(set(np.unique(p).tolist()) for p in (frame.y[rows, columns], frame.u[half], frame.v[half]))


def same(a: I420Frame, b: I420Frame) -> bool:
    return all(np.array_equal(x, y) for x, y in ((a.y, b.y), (a.u, b.u), (a.v, b.v)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 16])
def test_every_tile_has_its_sources_colour(count):
    sizes = [Size(640, 360), Size(1280, 720), Size(176, 98), Size(321, 181)]
    frames = {f"s{i}": plain(i, sizes[i % 4]) for i in range(count)}
    tiles = grid(count)
    picture = Compositor(HD).compose(tiles, frames)
    assert picture.size == HD
    for i, drawn in enumerate(tiles):
        assert inside(picture, drawn.rect, edge=14) == tuple({value} for value in COLOURS[i])


def test_the_background_shows_between_tiles():
    picture = Compositor(HD, "#ff0000").compose(grid(4), {f"s{i}": plain(i) for i in range(4)})
    red = yuv_of_hex("#ff0000")
    assert inside(picture, Rect(0, 0, 1280, 4)) == ({red.y}, {red.u}, {red.v})


def test_letterbox_shows_all_of_an_upright_picture_between_bars():
    rect = Rect(0, 0, 320, 180)
    picture = Compositor(SMALL).compose([tile(0, rect, fit="letterbox")], {"s0": plain(0, Size(180, 320))})
    assert inside(picture, Rect(112, 0, 96, 180)) == tuple({v} for v in COLOURS[0])
    assert inside(picture, Rect(0, 0, 108, 180)) == tuple({v} for v in CARD)


def test_crop_keeps_the_middle():
    upright = plain(0, Size(180, 320))
    upright.y[:80] = upright.y[-80:] = 16
    picture = Compositor(SMALL).compose([tile(0, Rect(0, 0, 320, 180))], {"s0": upright})
    assert inside(picture, Rect(0, 0, 320, 180))[0] == {COLOURS[0][0]}


def test_scaling_puts_every_part_where_it_belongs():
    quarters = plain(0)
    quarters.y[:180, :320], quarters.y[:180, 320:], quarters.y[180:, :320], quarters.y[180:, 320:] = 30, 90, 150, 210
    for width, height in ((640, 360), (320, 180), (160, 90), (500, 280), (212, 120), (1280, 720)):
        size = Size(width, height)
        y = Compositor(size).compose([tile(0, Rect(0, 0, width, height))], {"s0": quarters}).y
        h, w = height // 2, width // 2
        parts = [y[: h - 6, : w - 6], y[: h - 6, w + 6 :], y[h + 6 :, : w - 6], y[h + 6 :, w + 6 :]]
        assert [set(np.unique(part)) for part in parts] == [{30}, {90}, {150}, {210}], size


def test_border_of_who_speaks():
    rect = Rect(100, 100, 400, 300)
    picture = Compositor(HD).compose([tile(0, rect, speaking=True)], {"s0": plain(0)})
    assert inside(picture, Rect(200, 100, 200, 4)) == tuple({v} for v in SPEAKING)
    assert inside(picture, Rect(496, 200, 4, 100)) == tuple({v} for v in SPEAKING)
    assert inside(picture, Rect(200, 104, 200, 4))[0] == {COLOURS[0][0]}


def test_corners_are_rounded_but_not_at_the_canvas_edge():
    background = yuv_of_hex("#101418")
    rect = Rect(100, 100, 400, 300)
    picture = Compositor(HD).compose([tile(0, rect)], {"s0": plain(0)})
    for y, x in ((100, 100), (100, 499), (399, 100), (399, 499)):
        assert abs(int(picture.y[y, x]) - background.y) <= 1
    full = Compositor(HD).compose([tile(0, Rect(0, 0, 1280, 720))], {"s0": plain(0)})
    assert full.y[0, 0] == full.y[719, 1279] == COLOURS[0][0]


def test_a_card_until_there_is_a_picture_and_when_it_is_off():
    compositor = Compositor(HD)
    shown = grid(1)
    without = compositor.compose(shown, {})
    assert without.y[10, 10] == CARD.y and len(np.unique(without.y)) > 10, "a disc with initials"
    live = compositor.compose(shown, {"s0": plain(0)})
    assert inside(live, Rect(0, 0, 1280, 720))[0] == {COLOURS[0][0]}
    off = compositor.compose([replace(shown[0], picture=False)], {"s0": plain(0)})
    assert same(off, without)


def test_names_are_drawn_in_the_lower_left_corner_only():
    shown = grid(1)[0]
    compositor = Compositor(HD)
    bare = compositor.compose([shown], {"s0": (frame := plain(3))})
    named = compositor.compose([replace(shown, show_name=True)], {"s0": frame})
    rows, columns = np.nonzero(bare.y != named.y)
    assert len(rows) > 200 and rows.min() > 640 and columns.max() < 400
    assert named.y.max() > 200, "white letters"


def test_a_raised_hand_is_seen_even_without_a_name():
    shown = grid(1)[0]
    frames = {"s0": plain(3)}
    bare = Compositor(HD).compose([shown], frames)
    assert not same(bare, Compositor(HD).compose([replace(shown, hand_raised=True)], frames))


def test_nothing_changed_gives_the_same_object_and_costs_no_scaling():
    compositor = Compositor(HD)
    frames = {f"s{i}": plain(i) for i in range(4)}
    first = compositor.compose(grid(4), frames)
    assert compositor.compose(grid(4), dict(frames)) is first
    assert compositor.scaled == 4


def test_only_new_frames_are_scaled():
    compositor = Compositor(HD)
    frames = {f"s{i}": plain(i) for i in range(9)}
    compositor.compose(grid(9), frames)
    for n in range(10):
        frames["s4"] = plain(n)
        compositor.compose(grid(9), frames)
    assert compositor.scaled == 9 + 10


def test_what_was_drawn_ahead_is_there_at_its_tick():
    compositor = Compositor(HD)
    first = compositor.compose(grid(9), {f"s{i}": plain(i) for i in range(9)})
    before = first.y.copy()
    frames = {f"s{i}": plain(i + 1) for i in range(9)}
    compositor.draw_ahead(grid(9), frames, {f"s{i}" for i in range(7)})
    assert compositor.scaled == 9 + 7
    frames["s0"] = plain(12)  # a newer one has come, and two come only now
    picture = compositor.compose(grid(9), frames)
    assert compositor.scaled == 9 + 7 + 1 + 2
    assert same(picture, Compositor(HD).compose(grid(9), frames))
    assert np.array_equal(first.y, before)


def test_a_tile_that_lies_on_another_is_drawn_at_its_tick_only():
    cells = arrange(parse_layout_name("pip"), HD, 2)
    tiles = [tile(i, cell.rect, z=cell.z) for i, cell in enumerate(cells)]
    compositor, frames = Compositor(HD), {"s0": plain(0), "s1": plain(1)}
    compositor.draw_ahead(tiles, frames, {"s0", "s1"})
    assert compositor.scaled == 1
    assert same(compositor.compose(tiles, frames), Compositor(HD).compose(tiles, frames))
    assert compositor.scaled == 2


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("layout", ["grid", "pip"])
def test_an_error_halfway_leaves_nothing_wrong_behind(monkeypatch, layout, ahead):
    cells = arrange(parse_layout_name(layout), HD, 4)
    tiles = [tile(i, cell.rect, z=cell.z) for i, cell in enumerate(cells)]
    compositor, frames = Compositor(HD), {f"s{i}": plain(i) for i in range(4)}
    compositor.compose(tiles, {f"s{i}": plain(9 + i) for i in range(4)})
    with monkeypatch.context() as patch:
        patch.setattr("mixdown.mixer.compositor.scale_into", broken_after(1))
        with pytest.raises(MemoryError):
            if ahead:
                compositor.draw_ahead([replace(each, z=0) for each in tiles], frames, set(frames))
            compositor.compose(tiles, frames)
    assert same(compositor.compose(tiles, frames), Compositor(HD).compose(tiles, frames))


def broken_after(count: int) -> Callable[..., None]:
    """`scale_into` that fails from then on."""
    calls = itertools.count()

    def scale(*what: object) -> None:
        if next(calls) >= count:
            raise MemoryError
        scale_into(*what)

    return scale


def test_equal_pictures_in_another_object_count_as_new():
    compositor = Compositor(HD)
    compositor.compose(grid(1), {"s0": plain(0)})
    compositor.compose(grid(1), {"s0": plain(0)})
    assert compositor.scaled == 2


def random_step(rng: random.Random, canvas: Size) -> list[Tile]:
    layout = parse_layout_name(rng.choice(["grid", "grid", "pip", "speaker", "2x2"]))
    count = rng.choice([2, 2, 3, 4])
    cells = arrange(layout, canvas, count, aspects=[Fraction(16, 9)] * count)
    return [
        tile(i, cell.rect, z=cell.z, picture=rng.random() > 0.2, speaking=rng.random() > 0.7, show_name=True)
        for i, cell in enumerate(cells[:count])
    ]


@pytest.mark.parametrize("seed", range(8))
def test_any_history_comes_to_the_picture_of_a_fresh_start(seed):
    """Whatever is copied, skipped or reused must not show; and no picture changes while somebody holds it."""
    rng = random.Random(seed)
    compositor = Compositor(SMALL)
    frames = {f"s{i}": noise(i, Size(160, 90)) for i in range(4)}
    held: list[tuple[I420Frame, I420Frame]] = []
    tiles = random_step(rng, SMALL)
    for n in range(60):
        if rng.random() < 0.25:
            tiles = random_step(rng, SMALL)
        if rng.random() < 0.5:
            ahead = random_step(rng, SMALL) if rng.random() < 0.2 else tiles
            some = {name for name in frames if rng.random() < 0.6}
            compositor.draw_ahead(ahead, frames | {"s0": noise(n, CAMERA)} if rng.random() < 0.3 else frames, some)
        for name in list(frames):
            if rng.random() < 0.4:
                frames[name] = noise(rng.randrange(1000), rng.choice([Size(160, 90), Size(90, 160), Size(321, 181)]))
        picture = compositor.compose(tiles, frames)
        assert same(picture, Compositor(SMALL).compose(tiles, frames)), n
        held.append((picture, I420Frame(picture.y.copy(), picture.u.copy(), picture.v.copy())))
        if rng.random() < 0.5:
            held.pop(rng.randrange(len(held)))
        assert all(same(*pair) for pair in held), n


def test_sources_without_a_tile_are_forgotten():
    compositor = Compositor(SMALL)
    compositor.compose(grid(2, SMALL), {"s0": plain(0), "s1": plain(1)})
    compositor.compose(grid(1, SMALL), {"s0": plain(0), "s1": plain(1)})
    assert set(compositor._versions) == {"s0"}


def test_tiny_frames_and_tiles_are_survived():
    frames = {"s0": colour(Size(1, 1), 1, 2, 3), "s1": colour(Size(2, 2), 77, 2, 3), "s2": plain(2, Size(4095, 3))}
    rects = [Rect(0, 0, 2, 2), Rect(4, 0, 2, 2), Rect(8, 0, 40, 60), Rect(60, 0, 200, 6)]
    tiles = [tile(i, rect, show_name=True, speaking=True) for i, rect in enumerate(rects)]
    assert Compositor(SMALL).compose(tiles, frames).size == SMALL
    for fit in ("crop", "letterbox"):
        one = Compositor(SMALL).compose([tile(1, Rect(0, 0, 320, 180), fit=fit)], frames)
        assert one.y[90, 160] == 77


def test_wrong_canvases_are_refused():
    with pytest.raises(ValueError, match="even sides"):
        Compositor(Size(321, 180))
    with pytest.raises(ValueError, match="no colour"):
        Compositor(SMALL, "red")
