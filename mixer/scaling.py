"""Scaling of I420 planes straight into a canvas.

The price decides how. Halving is the one fast reduction (area filter, 13 us for a tile of 312x174); bilinear costs five
times that, area filtering by 3 or more twenty to sixty times. So a picture is halved as often as it goes, which also
keeps fine detail from flickering, and bilinear does the rest; and a cropped picture gives up a little more of its edges
if that leaves no rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mixdown.mixer.layout import Fit
from mixdown.mixer.media import I420Frame, Plane, Rect, Size

SNAP = 0.93
"A crop may be tightened to this share of its width so that halving alone, or copying, does."


@dataclass(frozen=True, slots=True)
class Window:
    """Which even part of a source goes to which even part of its cell, after so many halvings."""

    source: Rect
    target: Rect
    halvings: int

    @property
    def exact(self) -> bool:
        """Halving is all there is to do."""
        width, height = self.target.width << self.halvings, self.target.height << self.halvings
        return (self.source.width, self.source.height) == (width, height)


@lru_cache(maxsize=1024)
def window(source: Size, cell: Size, fit: str) -> Window:
    """How pictures of size `source` (at least 2x2) are shown in a cell (even, at least 2x2)."""
    across, down = source.width / cell.width, source.height / cell.height
    if fit == Fit.LETTERBOX:
        return _letterbox(source, cell, max(across, down))
    return _crop(source, cell, min(across, down))


def _letterbox(source: Size, cell: Size, ratio: float) -> Window:
    width, height = (min(a, _near(b / ratio)) for a, b in ((cell.width, source.width), (cell.height, source.height)))
    halvings = _halvings(min(source.width / width, source.height / height))
    return Window(_centred(source, *_divisible(source, halvings)), _centred(cell, width, height), halvings)


def _crop(source: Size, cell: Size, ratio: float) -> Window:
    halvings = _halvings(ratio)
    width, height = cell.width << halvings, cell.height << halvings
    if ratio < 1 or (1 << halvings) / ratio < SNAP:
        part = Size(min(source.width, _near(cell.width * ratio)), min(source.height, _near(cell.height * ratio)))
        width, height = _divisible(part, halvings)
    return Window(_centred(source, width, height), Rect(0, 0, cell.width, cell.height), halvings)


def _halvings(ratio: float) -> int:
    return max(0, int(ratio).bit_length() - 1)


def _near(value: float) -> int:
    return max(2, 2 * round(value / 2))


def _divisible(size: Size, halvings: int) -> tuple[int, int]:
    """Cut down so that chroma, too, can be halved so often."""
    step = 2 << halvings
    return size.width // step * step, size.height // step * step


def _centred(outer: Size, width: int, height: int) -> Rect:
    return Rect((outer.width - width) // 4 * 2, (outer.height - height) // 4 * 2, width, height)


def scale_into(frame: I420Frame, how: Window, y: Plane, u: Plane, v: Plane) -> None:
    """Draws the frame into the planes of a cell; what `how.target` leaves free is not touched."""
    source, target = how.source, how.target
    _scale(_part(frame.y, source, 1), _part(y, target, 1), how)
    _scale(_part(frame.u, source, 2), _part(u, target, 2), how)
    _scale(_part(frame.v, source, 2), _part(v, target, 2), how)


def _part(plane: Plane, rect: Rect, by: int) -> Plane:
    top, left = rect.y // by, rect.x // by
    return plane[top : top + rect.height // by, left : left + rect.width // by]


def _scale(source: Plane, target: Plane, how: Window) -> None:
    """The last step writes into the canvas, the ones before it into planes of their own."""
    exact = how.exact
    if exact and how.halvings == 0:
        target[...] = source
        return
    for _ in range(how.halvings - exact):
        half = source.shape[1] // 2, source.shape[0] // 2
        source = np.asarray(cv2.resize(source, half, interpolation=cv2.INTER_AREA), np.uint8)
    size = target.shape[1], target.shape[0]
    cv2.resize(source, size, dst=target, interpolation=cv2.INTER_AREA if exact else cv2.INTER_LINEAR)
