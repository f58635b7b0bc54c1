"""Layouts by value and what they come to on a canvas: pure geometry, no sources, no state.

A layout is a name (`grid`, `speaker`, `3x2`, ...) or a list of slots in fractions of the canvas. `arrange` turns it
into cells in canvas pixels; who sits in which cell is decided in slots.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from mixdown.mixer.grid import even, gap_of, grid_rects
from mixdown.mixer.media import Rect, Size

MAX_CELLS = 49
"No picture shows more tiles than this; further sources are hidden."
DEFAULT_ASPECT = Fraction(16, 9)
STRIP_FLEX = Fraction(9, 8)
"Small pictures keep their shape more strictly than those of a grid: there is less of a face to cut from."


class SlotRole(StrEnum):
    """Who a cell is meant for."""

    ANY = "any"
    SPEAKER = "speaker"
    SCREEN = "screen"
    PINNED = "pinned"


class Fit(StrEnum):
    """How a picture of another shape fills its cell: its edges are cut off, or it stands between bars."""

    CROP = "crop"
    LETTERBOX = "letterbox"


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """One slot of a custom layout; left, top, width, height: 0..1 of the canvas. fit None: the view's.

    Raises ValueError if it is empty or leaves the canvas.
    """

    id: str
    left: Fraction
    top: Fraction
    width: Fraction
    height: Fraction
    role: SlotRole = SlotRole.ANY
    fit: Fit | None = None
    z: int = 0

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"slot {self.id!r} is empty")
        if self.left < 0 or self.top < 0 or self.left + self.width > 1 or self.top + self.height > 1:
            raise ValueError(f"slot {self.id!r} reaches outside the canvas")


@dataclass(frozen=True, slots=True)
class LayoutSpec:
    """A layout by value: a built-in name (`grid`, `speaker`, `3x2`, ...) or, with slots, a custom one."""

    name: str
    slots: tuple[SlotSpec, ...] = ()

    def __post_init__(self) -> None:
        if len(self.slots) > MAX_CELLS:
            raise ValueError(f"a layout has at most {MAX_CELLS} slots, this one {len(self.slots)}")


@dataclass(frozen=True, slots=True)
class Cell:
    """A place for one tile. z: higher ones lie on top."""

    rect: Rect
    role: SlotRole = SlotRole.ANY
    z: int = 0
    fit: Fit | None = None


BUILT_IN: tuple[str, ...] = ("grid", "speaker", "single-speaker", "presentation", "side-by-side", "pip")
ALIASES = {"fluid": "grid", "bestFit": "grid", "lecture": "speaker", "horizontalPresentation": "presentation"}
_COLUMNS_X_ROWS = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)")
_FRACTION = re.compile(r"[0-9]{1,4}(/[1-9][0-9]{0,3}|\.[0-9]{1,6})?")


def parse_layout_name(name: str) -> LayoutSpec:
    """The built-in layout of that name; aliases and `CxR` included. Raises ValueError if there is none."""
    name = ALIASES.get(name, name)
    if name in BUILT_IN or _columns_and_rows(name):
        return LayoutSpec(name)
    raise ValueError(f"unknown layout {name!r}: known are {', '.join((*BUILT_IN, *ALIASES))} and CxR, e.g. 3x2")


def slot_fraction(text: str) -> Fraction:
    """A fraction as slots are written: `2/3`, `0.25`, `1`. Raises ValueError for anything else."""
    if not _FRACTION.fullmatch(text):
        raise ValueError(f"{text!r} is no fraction such as 2/3 or 0.25")
    return Fraction(text)


def arrange(spec: LayoutSpec, canvas: Size, count: int, *, aspects: Sequence[Fraction] = ()) -> list[Cell]:
    """Where `count` sources go: all coordinates even, inside the canvas, overlapping only where z differs.

    aspects: width by height of the sources in the order of the cells; 16:9 where they are missing.
    `grid`, `speaker` and `presentation` give exactly min(count, 49) cells, `CxR` and custom layouts always all of
    theirs, the others as many as they can show. Raises ValueError for an unknown name or a negative count.
    """
    if count < 0:
        raise ValueError("a layout cannot hold fewer than no sources")
    return list(_arrange(spec, canvas, min(count, MAX_CELLS), tuple(aspects)))


@lru_cache(maxsize=512)
def _arrange(spec: LayoutSpec, canvas: Size, count: int, aspects: tuple[Fraction, ...]) -> tuple[Cell, ...]:
    whole = Rect(0, 0, canvas.width, canvas.height)
    if spec.slots:
        return tuple(Cell(_slot_rect(slot, canvas), slot.role, slot.z, slot.fit) for slot in spec.slots)
    name = ALIASES.get(spec.name, spec.name)
    if fixed := _columns_and_rows(name):
        return _fixed(whole, *fixed)
    if name not in BUILT_IN:
        raise ValueError(f"unknown layout {spec.name!r}")
    if count == 0:
        return ()
    if name == "single-speaker" or (count == 1 and name != "grid"):
        return (Cell(whole, SlotRole.SCREEN if name == "presentation" else SlotRole.SPEAKER),)
    match name:
        case "grid":
            return tuple(Cell(rect) for rect in grid_rects(whole, count, _mean(aspects, count), gap_of(canvas)))
        case "speaker":
            return _main_and_strip(whole, count, aspects, SlotRole.SPEAKER, below=canvas.height > canvas.width)
        case "presentation":
            return _main_and_strip(whole, count, aspects, SlotRole.SCREEN, below=True)
        case "side-by-side":
            return _side_by_side(whole, aspects)
        case _:
            return _picture_in_picture(whole)


def _columns_and_rows(name: str) -> tuple[int, int] | None:
    match = _COLUMNS_X_ROWS.fullmatch(name)
    if match is None:
        return None
    columns, rows = int(match[1]), int(match[2])
    return (columns, rows) if columns * rows <= MAX_CELLS else None


def _mean(aspects: Sequence[Fraction], count: int) -> Fraction:
    """One shape for all: exact if they agree, else the geometric mean. A phone held upright pulls it narrower."""
    known = [*aspects[:count], *[DEFAULT_ASPECT] * (count - len(aspects))]
    if all(aspect == known[0] for aspect in known):
        return known[0]
    mean = 1.0
    for aspect in known:
        mean *= float(aspect) ** (1 / len(known))
    return Fraction(mean).limit_denominator(1000)


def _fixed(whole: Rect, columns: int, rows: int) -> tuple[Cell, ...]:
    gap = gap_of(whole.size) if columns * rows > 1 else 0
    if whole.width < columns * (gap + 2) + gap or whole.height < rows * (gap + 2) + gap:
        gap = 0  # a small canvas: rather without space between the tiles than without tiles
    width = even((whole.width - gap * (columns + 1)) / columns)
    height = even((whole.height - gap * (rows + 1)) / rows)
    left = even((whole.width - columns * width - gap * (columns - 1)) / 2)
    top = even((whole.height - rows * height - gap * (rows - 1)) / 2)
    return tuple(
        Cell(Rect(left + column * (width + gap), top + row * (height + gap), width, height))
        for row in range(rows)
        for column in range(columns)
    )


def _main_and_strip(
    whole: Rect, count: int, aspects: tuple[Fraction, ...], role: SlotRole, *, below: bool
) -> tuple[Cell, ...]:
    """A big picture, the others small in a strip below or to the right. The strip widens as they become many."""
    gap = gap_of(whole.size)
    others = count - 1
    share = Fraction(1, 5) if others <= 5 else Fraction(1, 4) if others <= 12 else Fraction(1, 3)
    if below:
        split = even(whole.height * (1 - share))
        main, strip = Rect(0, 0, whole.width, split), Rect(0, split, whole.width, whole.height - split)
    else:
        split = even(whole.width * (1 - share))
        main, strip = Rect(0, 0, split, whole.height), Rect(split, 0, whole.width - split, whole.height)
    big = aspects[0] if aspects else DEFAULT_ASPECT
    shape = _mean(aspects[1:], others)
    small = grid_rects(strip, others, shape, gap, flex=STRIP_FLEX, bare=False, joins_above=below, joins_left=not below)
    return (Cell(grid_rects(main, 1, big, gap, bare=False)[0], role), *(Cell(rect) for rect in small))


def _side_by_side(whole: Rect, aspects: tuple[Fraction, ...]) -> tuple[Cell, ...]:
    columns = whole.width >= whole.height
    first, second = grid_rects(
        whole, 2, _mean(aspects, 2), gap_of(whole.size), columns=2 if columns else 1, flex=Fraction(2)
    )
    return Cell(first, SlotRole.SCREEN), Cell(second, SlotRole.SPEAKER)


def _picture_in_picture(whole: Rect) -> tuple[Cell, ...]:
    """The inset takes about a quarter of the shorter way, in the lower right corner."""
    width = even(min(whole.width * 0.24, whole.height * 0.24 * 16 / 9))
    height = even(width * 9 / 16)
    margin = 2 * gap_of(whole.size)
    inset = Rect(whole.width - width - margin, whole.height - height - margin, width, height)
    return Cell(whole, SlotRole.SPEAKER), Cell(inset, z=1)


def _slot_rect(slot: SlotSpec, canvas: Size) -> Rect:
    """Both edges are rounded, not the size, so that slots that touch in fractions touch in pixels."""
    left, right = (_even_nearest(f * canvas.width) for f in (slot.left, slot.left + slot.width))
    top, bottom = (_even_nearest(f * canvas.height) for f in (slot.top, slot.top + slot.height))
    left, top = min(left, canvas.width - 2), min(top, canvas.height - 2)
    return Rect(left, top, max(2, right - left), max(2, bottom - top))


def _even_nearest(value: Fraction) -> int:
    return 2 * round(value / 2)
