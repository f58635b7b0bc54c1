"""When in a frame's time the ticks begin: soon after most pictures have come, so that they wait little for their tick.

Cameras send at about the rate of the ticks, each at its own moment. Ticks at any moment let a picture wait half a
frame's time in the mean, 17 ms at 30/s; at the best moment it is 4 ms for one camera, 8 for two, 11 for four.

Who talks is looked at, and is answered: his pictures count more than those of others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BINS = 32
"That a frame's time is divided into: about a millisecond each."
GUARD = 0.003
"Seconds before a tick in which a picture counts as come too late for it: the next one may be that much later."
STEP = 0.0002
"Seconds by which a tick is moved at most, from one to the next: nobody sees it, and receivers' clocks follow."
HALF_LIFE = 2.0
"Seconds after which a picture counts half."
TALKING = 8.0
"Weight of a picture of one who talks: where one of nine does, his wait 5 ms in place of 13, the others' 16."
REVIEW = 10
"Ticks between two searches for the best moment."
ENOUGH = 8.0
"Pictures to judge by."
WORTH = 0.001
"Seconds of mean waiting that a better moment has to save."


class TickPhase:
    """Of one view's ticks. Pure; for one thread. fps: of the ticks. shift: see TickPlan."""

    def __init__(self, fps: int) -> None:
        self.shift = 0.0
        self._period = 1.0 / fps
        self._target = 0.0
        self._count = 0.0
        self._seen: npt.NDArray[np.float64] = np.zeros(BINS)
        self._keep = 0.5 ** (REVIEW / fps / HALF_LIFE)
        self._waits = _waits(self._period)
        self._ticks = 0

    def arrived(self, moment: float, talks: bool = False) -> None:
        """A picture could be drawn from then on. moment: seconds from the room's start."""
        self._seen[int(moment % self._period / self._period * BINS) % BINS] += TALKING if talks else 1.0
        self._count += 1.0

    def ticked(self) -> float:
        """To be called after each tick: the shift of the next."""
        self._ticks += 1
        if self._ticks % REVIEW == 0:
            self._review()
        self.shift += min(STEP, max(-STEP, self._target - self.shift))
        return self.shift

    def _review(self) -> None:
        if self._count >= ENOUGH:
            means = self._waits @ self._seen / self._seen.sum()
            best = int(means.argmin())
            present = int(self._target / self._period * BINS) % BINS
            if means[present] - means[best] > WORTH:
                self._target = best / BINS * self._period
        self._seen *= self._keep
        self._count *= self._keep


def _waits(period: float) -> npt.NDArray[np.float64]:
    """Seconds, (BINS, BINS): from a picture that comes within bin j to its tick, if ticks begin with bin i."""
    tick, picture = np.ogrid[:BINS, :BINS]
    wait = ((tick - picture - 0.5) % BINS) * (period / BINS)
    return np.where(wait < GUARD, wait + period, wait)
