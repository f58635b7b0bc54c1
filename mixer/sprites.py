"""Drawing that is made once and laid over a canvas at every tick: colours premultiplied, in I420."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mixdown.mixer.media import Plane, Rect
from mixdown.mixer.picture import Yuv, yuv

Weights = npt.NDArray[np.uint16]
Reals = npt.NDArray[np.floating[Any]]
_SCALE = 256
_TO_YUV = np.array([yuv(255, 0, 0), yuv(0, 255, 0), yuv(0, 0, 255)], np.float32) - np.array(yuv(0, 0, 0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """Canvas * keep + add, in 1/256. keep, add: uint16 (height, width); chroma_keep: uint16 (height / 2, width / 2);
    chroma_add: uint16 (2, height / 2, width / 2)."""

    keep: Weights
    add: Weights
    chroma_keep: Weights
    chroma_add: Weights

    @property
    def height(self) -> int:
        return int(self.keep.shape[0])

    @property
    def width(self) -> int:
        return int(self.keep.shape[1])


def sprite(rgba: Plane) -> Sprite:
    """From uint8 (height, width, 4), even sides, not premultiplied. Chroma is averaged over four pixels by weight."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    colours = (rgba[..., :3].astype(np.float32) / 255) @ _TO_YUV + np.array(yuv(0, 0, 0), np.float32)
    return layered(1 - alpha[..., 0], colours * alpha)


def layered(keep: Reals, add: Reals) -> Sprite:
    """keep: 0..1 of the canvas, (height, width); add: premultiplied YUV, (height, width, 3); even sides."""
    chroma = np.moveaxis(_quartered(add[..., 1:]), -1, 0)
    planes = keep, add[..., 0], _quartered(keep), chroma
    return Sprite(*(np.rint(plane * _SCALE).astype(np.uint16) for plane in planes))


def _quartered(plane: Reals) -> Reals:
    mean: Reals = (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4
    return mean


def blend(item: Sprite, y: Plane, chroma: Plane, left: int, top: int) -> None:
    """Lays it over y (height, width) and chroma (2, height / 2, width / 2) at an even place; it must lie inside."""
    part = y[top : top + item.height, left : left + item.width]
    part[...] = _mixed(part, item.keep, item.add)
    rows = slice(top // 2, (top + item.height) // 2)
    part = chroma[:, rows, left // 2 : (left + item.width) // 2]
    part[...] = _mixed(part, item.chroma_keep, item.chroma_add)


def _mixed(part: Plane, keep: Weights, add: Weights) -> Weights:
    mixed: Weights = part * keep
    mixed += add
    mixed >>= 8
    return mixed


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Scattered pixels of a canvas that is one flat array of Y, U and V: index intp (n,); keep, add: uint16 (n,)."""

    index: npt.NDArray[np.intp]
    keep: Weights
    add: Weights


def overlay_many(items: Sequence[Overlay], flat: Plane) -> None:
    """Applies them in one go; they must not share pixels. flat: uint8 (width * height * 3 / 2,)."""
    if not items:
        return
    index = np.concatenate([item.index for item in items])
    mixed = flat.take(index) * np.concatenate([item.keep for item in items])
    mixed += np.concatenate([item.add for item in items])
    mixed >>= 8
    flat[index] = mixed


def corners(rect: Rect, width: int, height: int, corner: Sprite) -> Overlay:
    """The four corners of `rect` on a canvas of width x height. corner: the upper left one, the others mirror it."""
    parts = []
    for flip_x in (False, True):
        for flip_y in (False, True):
            x = rect.x + (rect.width - corner.width if flip_x else 0)
            y = rect.y + (rect.height - corner.height if flip_y else 0)
            turn = np.s_[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
            parts.append(_scattered(y * width + x, width, corner.keep[turn], corner.add[turn]))
            for plane in (0, 1):
                start = width * height + (plane * height // 2 + y // 2) * (width // 2) + x // 2
                parts.append(_scattered(start, width // 2, corner.chroma_keep[turn], corner.chroma_add[plane][turn]))
    index, keep, add = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Overlay(index, keep, add)


def _scattered(start: int, stride: int, keep: Weights, add: Weights) -> tuple[npt.NDArray[np.intp], Weights, Weights]:
    rows, columns = np.nonzero(keep < _SCALE)
    return start + rows * stride + columns, keep[rows, columns], add[rows, columns]


def frame_corner(radius: int, border: int, outside: Yuv, line: Yuv) -> Sprite:
    """The upper left corner of a rounded tile: background outside, a line of `border` pixels, then the picture.

    radius: even; border: 0 for none.
    """
    steps = radius - (np.arange(radius, dtype=np.float32) + 0.5)
    distance = np.hypot(steps[:, None], steps[None, :])
    outer = np.clip(radius - distance + 0.5, 0, 1)
    inner = np.clip(radius - border - distance + 0.5, 0, 1)
    colours = np.array(outside, np.float32), np.array(line, np.float32)
    add = (1 - outer)[..., None] * colours[0] + (outer - inner)[..., None] * colours[1]
    return layered(inner, add)
