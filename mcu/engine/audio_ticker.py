"""The thread of a room's sound: a tick every 20 ms."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from mixdown.mcu import clock, interpreter
from mixdown.mcu.engine.audio_run import RATE, AudioHooks, AudioRun
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.meter import TickMeter, Work

CATCH_UP = 3
"Late ticks that are still made: a skipped one is a hole of 20 ms in everybody's sound. What is later is skipped."
JOIN_DEADLINE = 1.0
"Seconds that stopping waits for a tick under way."


class AudioTicker:
    """A thread that lives while somebody listens. start and stop: the control thread."""

    def __init__(self, context: RoomContext, hooks: AudioHooks) -> None:
        self.meter = TickMeter()
        self._context = context
        self._hooks = hooks
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._run: AudioRun | None = None
        self._epochs = itertools.count().__next__

    @property
    def running(self) -> bool:
        return self._stop is not None

    @property
    def mixes(self) -> tuple[dict[str, Any], ...]:
        """Rows of the stats."""
        run = self._run
        return () if run is None else run.mixes

    def start(self) -> None:
        if self._stop is None:
            stop = self._stop = threading.Event()
            run = self._run = AudioRun(self._context, self._hooks, self._epochs)
            self._thread = self._context.crew.start(f"audio-{self._context.room}", lambda: self._loop(stop, run))

    def stop(self) -> None:
        """Returns once the last mix has ended, or after JOIN_DEADLINE."""
        if self._stop is None or self._thread is None:
            return
        self._stop.set()
        self._thread.join(JOIN_DEADLINE)
        if self._thread.is_alive():
            self._context.faults.count("audio_ticker_hung")
        self._stop = self._thread = self._run = None

    def _loop(self, stop: threading.Event, run: AudioRun) -> None:
        interpreter.sound_first()  # where it may not, it waits its turn: `mixdown doctor` says so
        origin, faults = self._context.origin, self._context.faults
        tick = int((clock.now() - origin) * RATE)
        while not stop.wait(max(0.0, origin + tick / RATE - clock.now())):
            now = clock.now()
            due = int((now - origin) * RATE)
            skipped = due - tick if due - tick > CATCH_UP else 0
            tick += skipped
            self.meter.tick(now - origin - tick / RATE, skipped)
            with faults.survive("audio_tick"):
                run.tick(tick, origin + tick / RATE)
            self._context.cpu.lap(Work.AUDIO)
            self._context.cpu.roll(now)
            tick += 1
        with faults.survive("audio_end"):
            run.end()
