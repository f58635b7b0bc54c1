"""The video tick of one room: composes each watched view once, hands the canvas to its encoders, waits for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixdown.mcu import clock
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.meter import CpuMeter, TickMeter, Work
from mixdown.mcu.engine.renditions import Job, Rendition
from mixdown.mcu.engine.view import Drawn, View

if TYPE_CHECKING:
    from mixdown.mcu.engine.stage import Stage

AHEAD = 0.003
"""Seconds before a tick at which what is there already is drawn: about what nine tiles take. Most pictures have come by
then (`GUARD` of mixer/phase.py)."""
JOIN_DEADLINE = 1.0
"Seconds that stopping waits for a tick under way."


@dataclass(frozen=True, slots=True)
class Watched:
    """A view and the encoders that it is drawn for; replaced whole when watchers come and go."""

    view: View
    renditions: tuple[Rendition, ...]


@dataclass(frozen=True, slots=True)
class TickerHooks:
    """What the ticker asks and tells. placed: a view's tiles moved; recast: the set of visible sources may differ."""

    stage: Callable[[], Stage]
    watched: Callable[[], tuple[Watched, ...]]
    placed: Callable[[View, Stage, float], None]
    recast: Callable[[], None]


class VideoTicker:
    """A thread that lives while there is something to draw. start and stop: from one thread (the control thread)."""

    def __init__(self, room: str, origin: float, hooks: TickerHooks, crew: Crew, faults: Faults, cpu: CpuMeter) -> None:
        self.meter = TickMeter()
        self._room = room
        self._origin = origin
        self._hooks = hooks
        self._crew = crew
        self._faults = faults
        self._cpu = cpu
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._stop is not None

    def start(self) -> None:
        if self._stop is None:
            stop = self._stop = threading.Event()
            self._thread = self._crew.start(f"video-{self._room}", lambda: self._run(stop))

    def stop(self) -> None:
        """Returns once the thread draws no more, or after JOIN_DEADLINE."""
        if self._stop is None or self._thread is None:
            return
        self._stop.set()
        self._thread.join(JOIN_DEADLINE)
        if self._thread.is_alive():
            self._faults.count("video_ticker_hung")
        self._stop = self._thread = None

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            wake = clock.now() + 0.1
            for watched in self._hooks.watched():
                with self._faults.survive("video_tick"):
                    wake = min(wake, self._visit(watched))
            now = clock.now()
            self._cpu.roll(now)
            stop.wait(max(0.0, wake - now))

    def _visit(self, watched: Watched) -> float:
        """Draws the view if its tick is due, or ahead of the next; returns when there is something to do again."""
        view = watched.view
        stage = self._hooks.stage()
        now = clock.now()
        view.adopt(stage, now - self._origin)
        tick = view.plan.due(now, self._origin)
        if tick > view.tick:
            skipped = tick - view.tick - 1 if view.tick >= 0 else 0
            self.meter.tick(now - self._origin - view.plan.start(tick), skipped)
            view.tick = tick
            self._tick(watched, stage, tick, now)
            self._cpu.lap(Work.COMPOSE)
        return self._look_ahead(view, stage)

    def _look_ahead(self, view: View, stage: Stage) -> float:
        begins = self._origin + view.plan.start(view.tick + 1)
        if not view.moves or view.ahead == view.tick:
            return begins
        left = begins - clock.now()
        if left > AHEAD:
            return begins - AHEAD
        view.ahead = view.tick
        if left > AHEAD / 2:  # who wakes late has no time to spare
            with self._faults.survive("draw_ahead"):
                view.draw_ahead(stage, begins)
            self._cpu.lap(Work.COMPOSE)
        return begins

    def _tick(self, watched: Watched, stage: Stage, tick: int, now: float) -> None:
        view = watched.view
        drawn = view.draw(stage, now)
        if drawn is None:
            return
        self._hand_out(watched, drawn, tick)
        view.settle(drawn.fresh, self._origin)
        if drawn.placed:
            self._hooks.placed(view, stage, now)
        if drawn.recast:
            self._hooks.recast()

    def _hand_out(self, watched: Watched, drawn: Drawn, tick: int) -> None:
        plan, fresh = watched.view.plan, tuple((one.arrival, one.waited) for one, _ in drawn.fresh)
        began = self._origin + plan.start(tick)  # not when the thread woke: sender reports map RTP time by it
        for rendition in watched.renditions:
            rendition.push(Job(drawn.picture, drawn.canvas, tick, plan.pts(tick), began, fresh))
            fresh = ()  # counted once, by the first encoder
