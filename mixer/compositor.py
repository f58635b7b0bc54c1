"""Draws a view's tiles into one I420 canvas.

A tick pays only for what changed. A tile with a new frame is scaled straight into the canvas, its label, border and
corners laid over it; a tile without one is copied from the last canvas, or left alone where the canvas at hand already
shows it; a tick in which nothing changed gets the last picture again. What is there before its tick may be drawn ahead,
so that at the tick, when people wait for it, little is left to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import cv2

from mixdown.mixer.buffers import Canvas, CanvasPool
from mixdown.mixer.draw import CARD, SPEAKING, Style, corner, disc, label, margin
from mixdown.mixer.media import I420Frame, Plane, Rect, Size
from mixdown.mixer.picture import Yuv
from mixdown.mixer.scaling import scale_into, window
from mixdown.mixer.scene import Tile
from mixdown.mixer.sprites import Overlay, blend, corners, overlay_many

cv2.setNumThreads(1)


class Look(NamedTuple):
    """What a cell shows: equal looks are equal pixels. version: of the source's frame, 0 for its card."""

    tile: Tile
    version: int


class Stage:
    """The cells of one arrangement, from the bottom up, and what can be known of them before a frame comes."""

    def __init__(self, size: Size, rects: tuple[Rect, ...], style: Style) -> None:
        self.rects = rects
        self._size = size
        self._style = style
        self.below = [[j for j in range(i) if _overlap(rects[i], rects[j])] for i in range(len(rects))]
        self._corners: dict[tuple[int, bool], Overlay] = {}

    def line(self, i: int, speaking: bool) -> int:
        """Thickness of a cell's border: of one who speaks, and around a cell that lies on another."""
        return self._style.border if speaking else self._style.border // 4 * 2 if self.below[i] else 0

    def rounded(self, i: int) -> bool:
        """Not where the background would show through: on another tile, at the canvas's edges."""
        rect, radius = self.rects[i], self._style.radius
        full = rect.size == self._size
        return not full and not self.below[i] and min(rect.width, rect.height) >= 4 * radius

    def corners(self, i: int, speaking: bool) -> Overlay:
        """The rounded corners of a cell; kept, there are at most two per cell."""
        found = self._corners.get((i, speaking))
        if found is None:
            style = self._style
            drawn = corner(style.radius, self.line(i, speaking), style.outside, SPEAKING)
            found = corners(self.rects[i], self._size.width, self._size.height, drawn)
            self._corners[i, speaking] = found
        return found


class Compositor:
    """One view's drawing hand; for one thread at a time. canvas: even sides.

    Its frames may be read on any thread for as long as anybody likes: a canvas is drawn on again only when nobody
    holds a frame of it any more.

    Raises ValueError if a side is odd or the background is not `#rrggbb`. `scaled` counts the tiles that were rescaled.
    """

    def __init__(self, canvas: Size, background: str = "#101418") -> None:
        if canvas.width % 2 or canvas.height % 2 or min(canvas.width, canvas.height) < 2:
            raise ValueError(f"a canvas has even sides, not {canvas.width}x{canvas.height}")
        self.scaled = 0
        self._size = canvas
        self._style = Style.of(canvas, background)
        self._pool = CanvasPool(canvas)
        self._versions: dict[str, tuple[I420Frame, int]] = {}
        self._newest = 0
        self._stage = Stage(canvas, (), self._style)
        self._last: Canvas | None = None
        self._next: Canvas | None = None
        self._picture: I420Frame | None = None

    def compose(self, tiles: Sequence[Tile], frames: Mapping[str, I420Frame]) -> I420Frame:
        """The picture of these tiles; a source without a frame shows its card. Rects: even, inside the canvas.

        frames: the newest by source; a frame counts as new if it is another object than the last one. Gives the same
        object as before if nothing changed.
        """
        tiles = sorted(tiles, key=lambda tile: tile.z)
        looks = self._looks(tiles, frames)
        stage = self._staged(tuple(tile.rect for tile in tiles))
        last = self._last
        if last is not None and self._picture is not None and last.stage is stage and last.looks == looks:
            return self._picture
        canvas = self._begun(stage)
        self._draw(stage, canvas, looks, frames)
        self._last, self._next, self._picture = canvas, None, canvas.frame()
        return self._picture

    def draw_ahead(self, tiles: Sequence[Tile], frames: Mapping[str, I420Frame], of: Collection[str]) -> None:
        """Draws the pictures of the sources `of`, and nothing else, where the next `compose` will want them: it draws
        again what has changed by then. Tiles that lie on others wait for it. tiles, frames: as there, all of them."""
        tiles = sorted(tiles, key=lambda tile: tile.z)
        stage = self._staged(tuple(tile.rect for tile in tiles))
        looks = [
            look if look.tile.source in of and not below else None
            for look, below in zip(self._looks(tiles, frames), stage.below, strict=True)
        ]
        self._draw(stage, self._begun(stage), looks, frames)

    def _begun(self, stage: Stage) -> Canvas:
        """The canvas that the next picture is drawn on, empty if it shows another arrangement yet."""
        canvas = self._next = self._next or self._pool.take()
        if canvas.stage is not stage:
            _fill(canvas.y, canvas.chroma, self._style.outside)
            canvas.stage, canvas.looks = stage, [None] * len(stage.rects)
        return canvas

    def _looks(self, tiles: Sequence[Tile], frames: Mapping[str, I420Frame]) -> list[Look]:
        """Forgets the frames of sources that have no tile any more."""
        versions: dict[str, tuple[I420Frame, int]] = {}
        looks: list[Look] = []
        for tile in tiles:
            frame = frames.get(tile.source) if tile.picture else None
            if frame is None or min(frame.u.shape) < 1 or min(frame.y.shape) < 2:
                looks.append(Look(tile, 0))
                continue
            known = self._versions.get(tile.source)
            if known is None or known[0] is not frame:
                self._newest += 1
                known = (frame, self._newest)
                self._versions[tile.source] = known
            versions[tile.source] = known
            looks.append(Look(tile, known[1]))
        self._versions = versions
        return looks

    def _staged(self, rects: tuple[Rect, ...]) -> Stage:
        if self._stage.rects != rects:
            self._stage = Stage(self._size, rects, self._style)
        return self._stage

    def _draw(
        self, stage: Stage, canvas: Canvas, looks: Sequence[Look | None], frames: Mapping[str, I420Frame]
    ) -> None:
        """From the bottom up. A cell is also written when one below it was. Corners wait and are drawn together. No
        look: the cell is not to be drawn now."""
        last = self._last if self._last is not None and self._last.stage is stage else None
        written: set[int] = set()
        waiting: list[Overlay] = []
        canvas.stage = None  # until all is done: what an error leaves is drawn anew
        for i, look in enumerate(looks):
            if not written.isdisjoint(stage.below[i]):
                canvas.looks[i] = None
            if look is None or canvas.looks[i] == look:
                continue
            if stage.below[i]:
                overlay_many(waiting, canvas.flat)
                waiting.clear()
            written.add(i)
            if last is not None and last.looks[i] == look:
                _copy(last, canvas, look.tile.rect)
            else:
                self._render(stage, i, look, canvas, frames)
                if stage.rounded(i):
                    waiting.append(stage.corners(i, look.tile.speaking))
            canvas.looks[i] = look
        overlay_many(waiting, canvas.flat)
        canvas.stage = stage

    def _render(self, stage: Stage, i: int, look: Look, canvas: Canvas, frames: Mapping[str, I420Frame]) -> None:
        tile = look.tile
        y, chroma = _cell(canvas, tile.rect)
        if look.version:
            self._picture_into(frames[tile.source], tile, y, chroma)
        else:
            _card(tile, y, chroma)
        if line := stage.line(i, tile.speaking):
            _border(y, chroma, line, SPEAKING if tile.speaking else self._style.outside)
        named = label(tile.name if tile.show_name else "", tile.rect.size, hand=tile.hand_raised)
        if named is not None:
            space = margin(tile.rect.size)
            blend(named, y, chroma, space, tile.rect.height - space - named.height)

    def _picture_into(self, frame: I420Frame, tile: Tile, y: Plane, chroma: Plane) -> None:
        how = window(frame.size, tile.rect.size, tile.fit)
        if how.target.size != tile.rect.size:
            _fill(y, chroma, CARD)
        scale_into(frame, how, y, chroma[0], chroma[1])
        self.scaled += 1


def _overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def _cell(canvas: Canvas, rect: Rect) -> tuple[Plane, Plane]:
    right, bottom = rect.x + rect.width, rect.y + rect.height
    chroma = canvas.chroma[:, rect.y // 2 : bottom // 2, rect.x // 2 : right // 2]
    return canvas.y[rect.y : bottom, rect.x : right], chroma


def _copy(source: Canvas, target: Canvas, rect: Rect) -> None:
    (y, chroma), (to_y, to_chroma) = _cell(source, rect), _cell(target, rect)
    to_y[...] = y
    to_chroma[...] = chroma


def _fill(y: Plane, chroma: Plane, colour: Yuv) -> None:
    y[...] = colour.y
    chroma[0], chroma[1] = colour.u, colour.v


def _card(tile: Tile, y: Plane, chroma: Plane) -> None:
    _fill(y, chroma, CARD)
    middle = disc(tile.participant, tile.name, tile.rect.size)
    side = middle.y.shape[0]
    left, top = (tile.rect.width - side) // 4 * 2, (tile.rect.height - side) // 4 * 2
    y[top : top + side, left : left + side] = middle.y
    chroma[:, top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = middle.chroma


def _border(y: Plane, chroma: Plane, line: int, colour: Yuv) -> None:
    _outline(y, line, colour.y)
    _outline(chroma[0], line // 2, colour.u)
    _outline(chroma[1], line // 2, colour.v)


def _outline(plane: Plane, line: int, value: int) -> None:
    plane[:line] = plane[-line:] = value
    plane[:, :line] = plane[:, -line:] = value
