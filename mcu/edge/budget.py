"""How much of something a peer may send: so many a second, and so many at once."""

from __future__ import annotations


class Budget:
    """A token bucket. Pure: `now` is an argument, seconds. rate: a second; burst: at once, and at the start."""

    __slots__ = ("_burst", "_left", "_rate", "_then")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._then = 0.0

    def spend(self, cost: float, now: float) -> bool:
        """Whether there was enough; if not, nothing is taken."""
        left = self._left + (now - self._then) * self._rate
        self._then = now
        left = min(left, self._burst)
        if left < cost:
            self._left = left
            return False
        self._left = left - cost
        return True

    def wait(self, cost: float, now: float) -> float:
        """Seconds until there is enough; nothing is taken."""
        return max(0.0, (cost - self._left) / self._rate - (now - self._then))
