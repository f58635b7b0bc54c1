"""What a room costs and how late it is: CPU by kind, tick counts, latencies."""

from __future__ import annotations

import threading
from collections import deque
from enum import StrEnum

from mixdown.mcu import clock

WINDOW = 2.0
"Seconds over which CPU is averaged."
LATENCIES = 512
"Latest latencies kept; the oldest fall out."
USUAL_SHARE = 0.01
"Of a new value in the running mean."
NO_USUAL = 0.1
"Seconds; what is more counts as this much there: a server that hung says nothing of what is usual."
LATE = 0.010
"A tick that begins this many seconds after its time is counted late."


_lap = threading.local()
"`at`: the thread's CPU time at its last lap."


class Work(StrEnum):
    """The engine's own parts of `cpu_cores`; receive and send belong to the edge."""

    DECODE = "decode"
    COMPOSE = "compose"
    ENCODE = "encode"
    AUDIO = "audio"


class CpuMeter:
    """Thread CPU time of one room by kind, as cores over the last window. Any thread may add."""

    def __init__(self, now: float) -> None:
        self._lock = threading.Lock()
        self._totals = dict.fromkeys(Work, 0.0)
        self._marks: deque[tuple[float, dict[Work, float]]] = deque([(now, dict(self._totals))], maxlen=3)

    def lap(self, work: Work) -> None:
        """Adds what the calling thread has spent since its last lap, for whatever room and work that was: a thread that
        laps after each piece of work leaves nothing uncounted, its waiting and waking included."""
        now = clock.thread_cpu()
        self.add(work, now - getattr(_lap, "at", 0.0))
        _lap.at = now

    def add(self, work: Work, seconds: float) -> None:
        with self._lock:
            self._totals[work] += seconds

    def cores(self, now: float) -> dict[str, float]:
        """CPU seconds per second since the newest mark that is at least one window old, else since the oldest mark."""
        with self._lock:
            self._mark(now)
            since, then = next(
                (mark for mark in reversed(self._marks) if now - mark[0] >= WINDOW),
                self._marks[0],
            )
            elapsed = max(now - since, 1e-3)
            return {work.value: (self._totals[work] - then[work]) / elapsed for work in Work}

    def roll(self, now: float) -> None:
        """Called by every tick, so that a reader who comes after a minute still sees the last seconds."""
        if now - self._marks[-1][0] >= WINDOW:
            with self._lock:
                self._mark(now)

    def _mark(self, now: float) -> None:
        if now - self._marks[-1][0] >= WINDOW:
            self._marks.append((now, dict(self._totals)))

    def totals(self) -> dict[str, float]:
        """CPU seconds since the room began."""
        with self._lock:
            return {work.value: seconds for work, seconds in self._totals.items()}


class TickMeter:
    """Counts of one tick loop; written by its one thread."""

    def __init__(self) -> None:
        self.count = 0
        self.late = 0
        self.skipped = 0

    def tick(self, lateness: float, skipped: int) -> None:
        """lateness: seconds; skipped: ticks left out before this one."""
        self.count += 1
        self.skipped += skipped
        if lateness > LATE:
            self.late += 1

    def body(self) -> dict[str, int]:
        return {"count": self.count, "late": self.late, "skipped": self.skipped}


class LatencyMeter:
    """Percentiles over the latest values. Appending to a bounded deque is safe from any thread.

    usual: the running mean, seconds, without what was waited on purpose; None before the first value."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=LATENCIES)
        self.usual: float | None = None

    def add(self, seconds: float, waited: float = 0.0) -> None:
        """waited: seconds of it, on purpose."""
        self._values.append(seconds)
        taken = min(seconds - waited, NO_USUAL)
        self.usual = taken if self.usual is None else self.usual + USUAL_SHARE * (taken - self.usual)

    def body(self) -> dict[str, float | None]:
        """Milliseconds; None until there is a value."""
        values = sorted(self._values.copy())
        if not values:
            return {"p50": None, "p95": None}
        return {
            "p50": round(values[len(values) // 2] * 1000, 2),
            "p95": round(values[min(len(values) - 1, len(values) * 95 // 100)] * 1000, 2),
        }
