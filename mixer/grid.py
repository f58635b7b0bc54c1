"""The grid: n equal tiles in an area, as large as they can be."""

from __future__ import annotations

from fractions import Fraction

from mixdown.mixer.media import Rect, Size

FLEX = Fraction(4, 3)
"How far a cell's shape may leave its pictures' shape to fill the area: a quarter of a picture may be cropped, no more."


def even(value: float | Fraction) -> int:
    """The even integer at or below, at least 0."""
    return max(0, int(value) & ~1)


def gap_of(canvas: Size) -> int:
    """The space between tiles, an even number of pixels: 6 for 1280x720, 2 to 8."""
    return min(8, max(2, 2 * round(min(canvas.width, canvas.height) / 240)))


def grid_rects(
    area: Rect,
    count: int,
    aspect: Fraction,
    gap: int,
    *,
    columns: int | None = None,
    flex: Fraction = FLEX,
    bare: bool = True,
    joins_above: bool = False,
    joins_left: bool = False,
) -> list[Rect]:
    """`count` equal rectangles in rows, the last one centred; all coordinates even if the area's are.

    Of all column counts the one is taken that shows pictures of `aspect` largest; the cells are then grown into free
    space by up to `flex`. bare: a single cell takes no margin. joins_above, joins_left: the margin on that side is
    already there, being the neighbour's.
    """
    margin = 0 if count == 1 and bare else gap
    x, y = area.x + (0 if joins_left else margin), area.y + (0 if joins_above else margin)
    inner = Rect(x, y, area.x + area.width - margin - x, area.y + area.height - margin - y)
    columns = columns or _best_columns(inner, count, aspect, gap)
    rows = -(-count // columns)
    width, height = _cell(inner, columns, rows, aspect, gap, flex)
    top = inner.y + even((inner.height - rows * height - (rows - 1) * gap) / 2)
    rects = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        left = inner.x + even((inner.width - in_row * width - (in_row - 1) * gap) / 2)
        rects += [Rect(left + i * (width + gap), top + row * (height + gap), width, height) for i in range(in_row)]
    return rects


def _best_columns(inner: Rect, count: int, aspect: Fraction, gap: int) -> int:
    """By picture area; of equals the one with fewer holes, then the wider one."""

    def merit(columns: int) -> tuple[int, int, int]:
        rows = -(-count // columns)
        width, height = _cell(inner, columns, rows, aspect, gap, Fraction(1))
        return width * height, -(columns * rows - count), columns

    return max(range(1, count + 1), key=merit)


def _cell(inner: Rect, columns: int, rows: int, aspect: Fraction, gap: int, flex: Fraction) -> tuple[int, int]:
    """Width and height of a cell, even, at least 2."""
    width = Fraction(inner.width - gap * (columns - 1), columns)
    height = Fraction(inner.height - gap * (rows - 1), rows)
    if width > height * aspect:
        width = min(width, height * aspect * flex)
    else:
        height = min(height, width / aspect * flex)
    return max(2, even(width)), max(2, even(height))
