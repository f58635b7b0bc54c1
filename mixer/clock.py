"""The definition of time for pictures: which tick is due, and what it is stamped with. Reads no clock.

Tick n of a view begins at n / fps seconds after the room's start and has pts = n * 90000 / fps, both computed from n,
never accumulated. A tick that is late is skipped: the next one drawn is the one that is due then.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixdown.mixer.media import VIDEO_CLOCK


@dataclass(slots=True)
class TickPlan:
    """The ticks of one view. fps: 1..120 a second. `skipped` counts the ticks that were never drawn."""

    fps: int
    skipped: int = 0
    _last: int = -1

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 120:
            raise ValueError(f"a view has 1 to 120 ticks a second, not {self.fps}")

    def pts(self, n: int) -> int:
        """When tick n is shown, in 1/90000 s from the room's start."""
        return n * VIDEO_CLOCK // self.fps

    def start(self, n: int) -> float:
        """When tick n begins, in seconds from the room's start."""
        return n / self.fps

    def due(self, now: float, start: float) -> int:
        """The newest tick that has begun at `now`, -1 before the first. `start`: the room's, both in seconds."""
        n = max(-1, int((now - start) * self.fps))
        n += self.start(n + 1) <= now - start  # the product may round to either side of a whole number
        return n - (n >= 0 and self.start(n) > now - start)

    def take(self, now: float, start: float) -> int | None:
        """The tick to draw at `now`, or None if the newest was drawn already. Older ones are skipped and counted."""
        n = self.due(now, start)
        if n <= self._last:
            return None
        if self._last >= 0:
            self.skipped += n - self._last - 1
        self._last = n
        return n
