"""One picture of a room: who sits where, and the canvas of each tick."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mixdown.mcu.engine.stage import Stage, build_scene, pictures_of
from mixdown.mcu.engine.video_source import Picture
from mixdown.mcu.link.messages import Canvas
from mixdown.mixer.clock import TickPlan
from mixdown.mixer.compositor import Compositor
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.phase import TickPhase
from mixdown.mixer.scene import Placement
from mixdown.mixer.slots import Seats

TALKS_SECONDS = 15.0
"After somebody spoke he counts as one who talks: ticks that followed each turn of a talk would be in time for nobody."
MOVES_TICKS = 4
"So long after a tick with new pictures the next may have some, too: cameras of a quarter of the ticks' rate and more."


@dataclass(frozen=True, slots=True)
class Drawn:
    """A canvas. fresh: the source frames that it is the first to show, and whether they are of one who talks; placed:
    the tiles are elsewhere than on the canvas before; recast: which sources have a tile may differ."""

    picture: I420Frame
    canvas: Canvas
    fresh: tuple[tuple[Picture, bool], ...]
    placed: bool
    recast: bool


class View:
    """Drawn by the video tick, or by a request when nobody watches: one at a time, by its lock. tick: drawn last, and
    `ahead` too once the next has been drawn ahead; moved: that with new pictures."""

    def __init__(self, name: str, picture_timeout: float) -> None:
        self.name = name
        self.canvas = Canvas()
        self.plan = TickPlan(self.canvas.fps)
        self._phase = TickPhase(self.canvas.fps)
        self.latest: I420Frame | None = None
        self.tick = -1
        self.ahead = -1
        self.moved = -1
        self._timeout = picture_timeout
        self._lock = threading.Lock()
        self._seats = Seats()
        self._compositor: Compositor | None = None
        self._look: tuple[Size, str] | None = None
        self._adopted: Stage | None = None
        self._stage: Stage | None = None
        self._cast: tuple[tuple[str, Size | None], ...] = ()
        self._placement: Placement | None = None
        self._geometry: object = None
        self._shown: dict[str, Picture] = {}
        self._spoke: dict[str, float] = {}

    def adopt(self, stage: Stage, elapsed: float) -> None:
        """Takes canvas and rate from the stage: by the ticker before each tick, by the control thread while none runs.
        elapsed: seconds since the room's start. A new rate begins with the first tick that is not over: time stamps
        never go back."""
        if stage is self._adopted:
            return
        self._adopted = stage
        document = stage.view(self.name)
        if document is None:
            return
        if document.canvas.fps != self.plan.fps:
            self.plan = TickPlan(document.canvas.fps)
            self._phase = TickPhase(document.canvas.fps)
            self.tick = -1 if self.tick < 0 else self.plan.due(elapsed, 0.0)
            self.moved = -1
        self.canvas = document.canvas

    def draw(self, stage: Stage, now: float) -> Drawn | None:
        """Composes the canvas as it is now. None if the room has no such view."""
        with self._lock:
            pictures = pictures_of(stage, now, self._timeout)
            change = self._place(stage, pictures)
            if change is None:
                return None
            recast, placed = change
            picture = self._compose(pictures)
            fresh = self._first_shown(pictures, now)
            if fresh:
                self.moved = self.tick
            self.latest = picture
            return Drawn(picture, self.canvas, fresh, placed, recast)

    def draw_ahead(self, stage: Stage, begins: float) -> None:
        """Draws the pictures that the next tick will show, unless newer ones come before it. begins: that tick, seconds
        on the monotonic clock."""
        with self._lock:
            if stage is not self._stage or self._compositor is None or self._placement is None:
                return
            sources = {member.id: member.source for member in stage.members if member.source is not None}
            frames, new = {}, set()
            for tile in self._placement.tiles:
                source = sources.get(tile.source)
                picture = None if source is None else source.mailbox.latest
                if picture is not None:
                    frames[tile.source] = picture.frame
                    # An older one will have been followed by the next when the tick comes.
                    if picture is not self._shown.get(tile.source) and begins - picture.decoded < 1 / self.plan.fps:
                        new.add(tile.source)
            if new:
                self._compositor.draw_ahead(self._placement.tiles, frames, new)

    def _place(self, stage: Stage, pictures: Mapping[str, Picture | None]) -> tuple[bool, bool] | None:
        """Seats everybody, if anything changed that can move a tile or change its label: (recast, placed) of Drawn."""
        cast = tuple((name, None if p is None else p.frame.size) for name, p in pictures.items())
        if stage is self._stage and cast == self._cast:
            return False, False
        document = stage.view(self.name)
        if document is None:
            return None
        look = (Size(document.canvas.width, document.canvas.height), document.background)
        if self._compositor is None or look != self._look:
            self._look = look
            self._compositor = Compositor(*look)
        self._placement = self._seats.place(build_scene(stage, document, pictures))
        self._stage, self._cast = stage, cast
        # The document counts: who asked for a layout waits for its event, even if no tile has to move.
        geometry = document, _geometry(self._placement)
        placed, self._geometry = geometry != self._geometry, geometry
        return True, placed

    def _compose(self, pictures: Mapping[str, Picture | None]) -> I420Frame:
        assert self._placement is not None and self._compositor is not None
        frames = {}
        for tile in self._placement.tiles:
            picture = pictures.get(tile.source)
            if picture is not None:
                frames[tile.source] = picture.frame
        return self._compositor.compose(self._placement.tiles, frames)

    def _first_shown(self, pictures: Mapping[str, Picture | None], now: float) -> tuple[tuple[Picture, bool], ...]:
        assert self._placement is not None
        shown: dict[str, Picture] = {}
        spoke: dict[str, float] = {}
        fresh: list[tuple[Picture, bool]] = []
        for tile in self._placement.tiles:
            picture, at = pictures.get(tile.source), now if tile.speaking else self._spoke.get(tile.source)
            if at is not None and now - at <= TALKS_SECONDS:
                spoke[tile.source] = at
            if picture is not None and tile.source not in shown:
                shown[tile.source] = picture
                if picture.arrival and self._shown.get(tile.source) is not picture:
                    fresh.append((picture, tile.source in spoke))
        self._shown, self._spoke = shown, spoke
        return tuple(fresh)

    @property
    def moves(self) -> bool:
        """Whether new pictures came lately: more may be there before the next tick."""
        return self.moved >= 0 and self.tick - self.moved < MOVES_TICKS

    def settle(self, fresh: Iterable[tuple[Picture, bool]], origin: float) -> None:
        """Moves the ticks towards the moment at which pictures wait least; by the ticker, after each tick. fresh: what
        it was the first to show, as in Drawn. origin: the room's start."""
        for picture, talks in fresh:
            self._phase.arrived(picture.ready - origin, talks)
        self.plan.shift = self._phase.ticked()

    def visible(self) -> set[str]:
        """Sources with a tile on the canvas drawn last."""
        placement = self._placement
        return set() if placement is None else {tile.source for tile in placement.tiles}

    def heights(self) -> dict[str, int]:
        """By source, how high its largest tile is on the canvas drawn last."""
        placement = self._placement
        found: dict[str, int] = {}
        for tile in () if placement is None else placement.tiles:
            found[tile.source] = max(found.get(tile.source, 0), tile.rect.height)
        return found

    def release(self) -> None:
        """Nobody watches any more: gives back its canvases. Seats are kept, for whoever comes next."""
        with self._lock:
            self.latest = None
            self._compositor = None
            self._stage = None
            self._cast = ()
            self._shown = {}
            self.tick = self.moved = -1

    def tiles(self, stage: Stage, now: float, tick: int, draw: bool) -> dict[str, Any] | None:
        """The body of `GET .../tiles`. draw: nobody watches, so seat everybody now. None: no such view."""
        with self._lock:
            document = stage.view(self.name)
            if document is None:
                return None
            if draw or self._placement is None:
                pictures = pictures_of(stage, now, self._timeout)
                self._placement = self._seats.place(build_scene(stage, document, pictures))
            return tiles_body(self._placement, tick, self.plan.pts(tick))


def _geometry(placement: Placement) -> object:
    return tuple((tile.source, tile.rect, tile.z) for tile in placement.tiles), placement.hidden


def tiles_body(placement: Placement, tick: int, rtp_time: int) -> dict[str, Any]:
    """As in API.md. Tiles do not glide yet: each is where it is going."""
    tiles = []
    for tile in placement.tiles:
        place = {"x": tile.rect.x, "y": tile.rect.y, "width": tile.rect.width, "height": tile.rect.height}
        tiles.append(
            {"source": tile.source, "participant": tile.participant, "kind": tile.kind}
            | place
            | {"z": tile.z, "target": dict(place)}
        )
    return {"tick": tick, "rtp_time": rtp_time, "settled": True, "tiles": tiles, "hidden": list(placement.hidden)}
