from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.mixer.layout import (
    ALIASES,
    BUILT_IN,
    MAX_CELLS,
    Fit,
    LayoutSpec,
    SlotRole,
    SlotSpec,
    arrange,
    parse_layout_name,
    slot_fraction,
)
from mixdown.mixer.media import Rect, Size

HD = Size(1280, 720)
sides = st.integers(80, 960).map(lambda half: 2 * half)
canvases = st.builds(Size, sides, sides)
aspects = st.sampled_from([Fraction(16, 9), Fraction(4, 3), Fraction(1), Fraction(9, 16), Fraction(21, 9)])


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def check_sound(cells, canvas: Size) -> None:
    for cell in cells:
        rect = cell.rect
        assert all(value % 2 == 0 for value in (rect.x, rect.y, rect.width, rect.height)), rect
        assert rect.width >= 2 and rect.height >= 2
        assert rect.x >= 0 and rect.y >= 0
        assert rect.x + rect.width <= canvas.width and rect.y + rect.height <= canvas.height, rect
    for a, b in combinations(cells, 2):
        assert a.z != b.z or not overlap(a.rect, b.rect), (a, b)


def rows_of(cells) -> list[list[Rect]]:
    tops = sorted({cell.rect.y for cell in cells})
    return [[cell.rect for cell in cells if cell.rect.y == top] for top in tops]


@given(canvases, st.integers(1, MAX_CELLS), st.lists(aspects, max_size=MAX_CELLS))
def test_grid_has_exactly_n_equal_cells_with_the_last_row_centred(canvas, count, shapes):
    cells = arrange(parse_layout_name("grid"), canvas, count, aspects=shapes[:count])
    assert len(cells) == count
    check_sound(cells, canvas)
    assert len({cell.rect.size for cell in cells}) == 1
    rows = rows_of(cells)
    assert len({len(row) for row in rows[:-1]}) <= 1 and len(rows[-1]) <= len(rows[0])
    middles = [row[0].x + row[-1].x + row[-1].width for row in rows]
    assert all(abs(middle - canvas.width) <= 8 for middle in middles), "rows are centred on the canvas"


@given(canvases, st.sampled_from([*BUILT_IN, *ALIASES, "1x1", "3x2", "7x7", "2x9", "49x1", "1x49"]), st.integers(0, 60))
def test_every_layout_is_even_inside_and_without_overlap(canvas, name, count):
    check_sound(arrange(parse_layout_name(name), canvas, count), canvas)


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 3), (9, 3), (12, 4), (16, 4), (25, 5), (49, 7)]
)
def test_grid_on_a_wide_canvas(count, columns):
    assert len(rows_of(arrange(parse_layout_name("grid"), HD, count))[0]) == columns


@given(canvases, st.integers(1, MAX_CELLS), aspects)
def test_no_other_column_count_shows_larger_pictures(canvas, count, aspect):
    """The pictures of the best arrangement without gaps are an upper bound; gaps and evenness cost a few pixels."""
    rect = arrange(parse_layout_name("grid"), canvas, count, aspects=[aspect] * count)[0].rect
    shown = min(Fraction(rect.width), rect.height * aspect)
    bounds = []
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        bounds.append(
            min((canvas.width - 8 * (columns + 1)) / columns, (canvas.height - 8 * (rows + 1)) / rows * aspect)
        )
    assert shown >= max(bounds) - 2 - 2 * aspect


def test_one_source_fills_the_canvas_unless_its_shape_is_far_from_it():
    grid = parse_layout_name("grid")
    assert arrange(grid, HD, 1)[0].rect == Rect(0, 0, 1280, 720)
    assert arrange(grid, HD, 1, aspects=[Fraction(4, 3)])[0].rect == Rect(0, 0, 1280, 720)
    upright = arrange(grid, HD, 1, aspects=[Fraction(9, 16)])[0].rect
    assert upright.height == 720 and upright.width < 600


def test_more_than_49_make_no_more_cells():
    assert len(arrange(parse_layout_name("grid"), HD, 200)) == MAX_CELLS
    assert len(arrange(parse_layout_name("speaker"), HD, 200)) == MAX_CELLS


@pytest.mark.parametrize(("name", "role"), [("speaker", SlotRole.SPEAKER), ("presentation", SlotRole.SCREEN)])
@pytest.mark.parametrize("count", [2, 6, 17, 49])
def test_the_first_cell_is_the_large_one(name, role, count):
    main, *others = arrange(parse_layout_name(name), HD, count)
    assert main.role is role and len(others) == count - 1
    assert all(cell.rect.width * 3 < main.rect.width * 2 and cell.role is SlotRole.ANY for cell in others)


def test_fixed_cells_do_not_depend_on_the_sources():
    spec = parse_layout_name("3x2")
    assert len(arrange(spec, HD, 0)) == 6
    assert arrange(spec, HD, 1) == arrange(spec, HD, 30)


def test_pip_lies_on_the_large_picture():
    main, inset = arrange(parse_layout_name("pip"), HD, 5)
    assert main.rect == Rect(0, 0, 1280, 720) and inset.z > main.z and overlap(main.rect, inset.rect)


def test_single_speaker_and_side_by_side_show_so_many():
    assert len(arrange(parse_layout_name("single-speaker"), HD, 9)) == 1
    assert len(arrange(parse_layout_name("side-by-side"), HD, 9)) == 2
    assert arrange(parse_layout_name("speaker"), HD, 0) == []


def test_slots_that_touch_in_fractions_touch_in_pixels():
    third = Fraction(1, 3)
    slots = tuple(SlotSpec(str(i), i * third, Fraction(0), third, Fraction(1), fit=Fit.LETTERBOX) for i in range(3))
    a, b, c = (cell.rect for cell in arrange(LayoutSpec("mine", slots), HD, 1))
    assert (a.x, a.x + a.width, b.x + b.width, c.x + c.width) == (0, b.x, c.x, 1280)


@given(canvases, st.lists(st.fractions(0, 1, max_denominator=997), min_size=4, max_size=4))
def test_custom_slots_stay_inside(canvas, edges):
    left, right = sorted(edges[:2])
    top, bottom = sorted(edges[2:])
    if left == right or top == bottom:
        with pytest.raises(ValueError, match="empty"):
            SlotSpec("a", left, top, right - left, bottom - top)
        return
    spec = LayoutSpec("mine", (SlotSpec("a", left, top, right - left, bottom - top),))
    check_sound(arrange(spec, canvas, 1), canvas)


@pytest.mark.parametrize("name", ["", "0x2", "8x7", "x", "3x", "Grid", "50x1", "3x2x1", "٣x2"])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match="unknown layout"):
        parse_layout_name(name)


def test_aliases_are_their_layouts():
    assert {parse_layout_name(alias).name for alias in ALIASES} == {"grid", "speaker", "presentation"}
    assert parse_layout_name("3x2") == LayoutSpec("3x2") and len({parse_layout_name("grid"), LayoutSpec("grid")}) == 1


def test_wrong_arguments():
    with pytest.raises(ValueError, match="fewer than no"):
        arrange(parse_layout_name("grid"), HD, -1)
    with pytest.raises(ValueError, match="unknown"):
        arrange(LayoutSpec("nonsense"), HD, 1)
    with pytest.raises(ValueError, match="outside"):
        SlotSpec("a", Fraction(1, 2), Fraction(0), Fraction(2, 3), Fraction(1))
    with pytest.raises(ValueError, match="at most 49"):
        LayoutSpec("mine", (SlotSpec("a", Fraction(0), Fraction(0), Fraction(1), Fraction(1)),) * 50)


def test_fractions_of_slots():
    assert [slot_fraction(text) for text in ("2/3", "0.25", "1", "0")] == [Fraction(2, 3), Fraction(1, 4), 1, 0]
    for bad in ("", "1/0", "-1", "1e9", "nan", " 1", "1/3/5", "9" * 9):
        with pytest.raises(ValueError):
            slot_fraction(bad)
