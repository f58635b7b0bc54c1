"""How late sound has to be played so that it is there in time: the network's fastest way, and its jitter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_TARGET = 0.020
MAX_TARGET = 0.200
"""Seconds that a typical packet waits at most. The bound is not counted from the fastest way: where a delay scatters
by 60 ms, the fastest of a second's packets is 150 ms ahead of the typical one, which is no reason to wait less."""
MARGIN = 0.005
"Seconds over the measured jitter."
BIN = 0.005
BINS = 160
QUANTILE = 0.95
"Of the packets come within what is measured; what few measurements cannot tell is reckoned from it:"
TAIL = 2.4
"how much further, seen from the typical packet, the last of some thousands is late (in a normal distribution)."
MEMORY = 250
"Packets that the histogram remembers: 5 s."
BURST = 0.005
"""Seconds between packets that were held up together. Only the first of them says how late one can be: the others
follow from it, and a single stall of the network is not to count as often as packets stood in it."""
START_BIN = 1
START_WEIGHT = 4
"5 to 10 ms of jitter are assumed at the start, as firmly as if four packets had shown it."
SHIFT = 4
"Bins that the fastest way may move before the histogram is moved after it."
WINDOW = 1.0
"The fastest way is the fastest of the last one to two windows, seconds; so it follows a drifting clock."
REVIEW = 4
"Packets between two looks at the histogram, unless one comes later than was reckoned with."
RENORMALISE = 1e6


class PlayoutDelay:
    """Learns from each packet's transit (arrival - media time, seconds, any offset)."""

    def __init__(self) -> None:
        self._histogram = np.zeros(BINS)
        self._histogram[START_BIN] = START_WEIGHT
        self._weight = 1.0
        self._count = START_WEIGHT
        self._origin = 0.0
        "The transit at which the histogram begins."
        self._best = (0.0, 0.0)
        "The fastest of the last window and of this one."
        self.known = False
        "Whether a packet has come."
        self.base = 0.0
        "The fastest transit lately; 0 before the first packet."
        self._window_ends = 0.0
        self._last = (float("-inf"), 0.0)
        "Arrival and transit of the last packet."
        self.needed = (START_BIN + 1) * BIN + MARGIN
        "Seconds from a packet on the fastest way until almost any packet would be there."

    @property
    def target(self) -> float:
        """Seconds from a packet on the fastest way to its playing, 0.020 or more."""
        return max(MIN_TARGET, self.needed)

    def restart(self, transit: float | None = None) -> None:
        """The media time has a new zero; the jitter is still the network's. transit: the first one since, if known."""
        self.known = transit is not None
        self.base = self._origin = transit or 0.0
        self._best = (self.base, self.base)
        self._last = (float("-inf"), 0.0)

    def learn(self, transit: float, now: float) -> None:
        if not self.known or now >= self._window_ends or transit < self._best[1]:
            self._learn_base(transit, now)
        if not -BIN < self.base - self._origin < SHIFT * BIN:
            self._follow()
        arrival, before = self._last
        self._last = (now, transit)
        if now - arrival < BURST and transit < before:
            return  # held up together with the one before
        self._count = count = self._count + 1
        self._weight *= 1.0 + 1.0 / (count if count < MEMORY else MEMORY)
        late = int((transit - self._origin) / BIN)
        self._histogram[0 if late < 0 else late if late < BINS else BINS - 1] += self._weight
        if count % REVIEW == 0 or transit - self.base > self.needed:
            self._review()

    def _learn_base(self, transit: float, now: float) -> None:
        """What begins a window, or is the fastest of its own."""
        if not self.known:
            self.known = True
            self._best, self._window_ends, self._origin = (transit, transit), now + WINDOW, transit
        elif now >= self._window_ends:
            self._best, self._window_ends = (self._best[1], transit), now + WINDOW
        else:
            self._best = (self._best[0], transit)
        self.base = min(self._best)

    def _follow(self) -> None:
        """Brings the histogram's begin near the fastest way; what was learnt keeps its place in time."""
        moved = self.base - self._origin
        bins = int(np.floor(moved / BIN))
        self._origin += bins * BIN
        shifted = np.zeros(BINS)
        if bins > 0:
            shifted[: BINS - bins] = self._histogram[bins:]
            shifted[0] += self._histogram[:bins].sum()
        else:
            shifted[-bins:] = self._histogram[:bins]
            shifted[-1] += self._histogram[bins:].sum()
        self._histogram = shifted

    def _review(self) -> None:
        if self._weight > RENORMALISE:
            self._histogram /= self._weight
            self._weight = 1.0
        shares = self._histogram.cumsum()
        every = shares.item(-1)
        typical = _reached(shares, 0.5 * every)
        over = TAIL * (_reached(shares, QUANTILE * every) - typical) + MARGIN
        self.needed = self._origin - self.base + typical + min(over, MAX_TARGET)


def _reached(shares: NDArray[np.float64], share: float) -> float:
    """Seconds from the histogram's begin to where `share` is reached. Between a bin's borders in a straight line: else
    a clock that drifts over a border would look like jitter."""
    after = int(shares.searchsorted(share, "right"))
    if after == 0:
        return BIN
    before = shares.item(after - 1)
    return BIN * (after + (share - before) / (shares.item(after) - before))
