"""How late sound has to be played so that it is there in time: the network's fastest way, and its jitter."""

from __future__ import annotations

import numpy as np

MIN_TARGET = 0.020
MAX_TARGET = 0.200
MARGIN = 0.015
"Seconds over the measured jitter: ticks are not exact either."
BIN = 0.005
BINS = 50
QUANTILE = 0.97
FORGET = 0.995
"Per packet: the histogram's memory is about 200 packets."
START_BIN = 4
"20 to 25 ms of jitter are assumed at the start: with the margin a target of 40 ms."
WINDOW = 1.0
"The fastest way is the fastest of the last one to two windows, seconds; so it follows a drifting clock."


class PlayoutDelay:
    """Learns from each packet's transit (arrival - media time, seconds, any offset)."""

    def __init__(self) -> None:
        self._histogram = np.zeros(BINS)
        self._histogram[START_BIN] = 1.0
        self.target = MARGIN + (START_BIN + 1) * BIN
        "Seconds from a packet on the fastest way to its playing: 0.020 .. 0.200."
        self._best: tuple[float, float] | None = None
        self._window_ends = 0.0

    @property
    def base(self) -> float:
        """The fastest transit lately. Only after the first packet."""
        if self._best is None:
            raise ValueError("no packet has come yet")
        return min(self._best)

    @property
    def known(self) -> bool:
        return self._best is not None

    def restart(self) -> None:
        """The media time has a new zero; the jitter is still the network's."""
        self._best = None

    def learn(self, transit: float, now: float) -> None:
        if self._best is None:
            self._best, self._window_ends = (transit, transit), now + WINDOW
        elif now >= self._window_ends:
            self._best, self._window_ends = (self._best[1], transit), now + WINDOW
        else:
            self._best = (self._best[0], min(self._best[1], transit))
        late = min(BINS - 1, int((transit - self.base) / BIN))
        self._histogram *= FORGET
        self._histogram[late] += 1.0 - FORGET
        reach = int(np.searchsorted(np.cumsum(self._histogram), QUANTILE * self._histogram.sum()))
        self.target = min(MAX_TARGET, max(MIN_TARGET, (reach + 1) * BIN + MARGIN))
