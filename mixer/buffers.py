"""Canvases to draw into, lent out and taken back without anybody having to return them."""

from __future__ import annotations

import sys

import numpy as np

from mixdown.mixer.media import I420Frame, Plane, Size


class Canvas:
    """One picture's memory, Y, U and V behind each other, and a note of what was drawn there last.

    flat: uint8 (width * height * 3 / 2,); y: (height, width); chroma: (2, height / 2, width / 2), U then V.
    stage, looks: the compositor's note.
    """

    __slots__ = ("_idle", "chroma", "flat", "looks", "stage", "y")

    def __init__(self, size: Size) -> None:
        width, height = size.width, size.height
        self.flat: Plane = np.empty(width * height * 3 // 2, np.uint8)
        self.y: Plane = self.flat[: width * height].reshape(height, width)
        self.chroma: Plane = self.flat[width * height :].reshape(2, height // 2, width // 2)
        self.stage: object = None
        self.looks: list[object] = []
        self._idle = sys.getrefcount(self.flat)

    @property
    def lent(self) -> bool:
        """Whether somebody still holds a frame of it, one of its planes, or anything that lies on their memory.

        numpy makes every view refer to the array that owns the memory, so that array's reference count tells.
        """
        return sys.getrefcount(self.flat) > self._idle

    def frame(self) -> I420Frame:
        """Views for a reader; the canvas counts as lent while they live."""
        height, width = self.y.shape
        luma, chroma = width * height, width * height // 4
        u, v = self.flat[luma : luma + chroma], self.flat[luma + chroma :]
        half = height // 2, width // 2
        return I420Frame(self.flat[:luma].reshape(height, width), u.reshape(half), v.reshape(half))


class CanvasPool:
    """Bound: `limit` canvases are kept; while all are lent out, further ones are made and not kept (`extra` counts)."""

    def __init__(self, size: Size, limit: int = 6) -> None:
        self._size = size
        self._limit = limit
        self._canvases: list[Canvas] = []
        self.extra = 0

    def take(self) -> Canvas:
        """One that nobody holds, the least recently used first."""
        for i, canvas in enumerate(self._canvases):
            if not canvas.lent:
                self._canvases.append(self._canvases.pop(i))
                return canvas
        canvas = Canvas(self._size)
        if len(self._canvases) < self._limit:
            self._canvases.append(canvas)
        else:
            self.extra += 1
        return canvas
