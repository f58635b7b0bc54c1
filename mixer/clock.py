"""The definition of time for pictures: which tick is due, and what it is stamped with. Reads no clock.

Tick n of a view begins at n / fps + shift seconds after the room's start and has pts = n * 90000 / fps, both computed
from n, never accumulated. A tick that is late is skipped: the next one drawn is the one that is due then.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixdown.mixer.media import VIDEO_CLOCK


@dataclass(slots=True)
class TickPlan:
    """The ticks of one view. fps: 1..120 a second. shift: seconds, 0 to 1 / fps, by which all of them begin later; it
    changes slowly (`phase.py`), and sender reports carry it, so that pts may leave it out."""

    fps: int
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 120:
            raise ValueError(f"a view has 1 to 120 ticks a second, not {self.fps}")

    def pts(self, n: int) -> int:
        """When tick n is shown, in 1/90000 s from the room's start."""
        return n * VIDEO_CLOCK // self.fps

    def start(self, n: int) -> float:
        """When tick n begins, in seconds from the room's start."""
        return n / self.fps + self.shift

    def due(self, now: float, start: float) -> int:
        """The newest tick that has begun at `now`, -1 before the first. `start`: the room's, both in seconds."""
        n = max(-1, int((now - start - self.shift) * self.fps))
        n += self.start(n + 1) <= now - start  # the product may round to either side of a whole number
        return n - (n >= 0 and self.start(n) > now - start)
