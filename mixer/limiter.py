"""A look-ahead limiter for a mix and its mix-minuses, all at once.

Peaks are taken per millisecond. The gain that a millisecond needs is held for the window that follows, rises again in
a straight line, and is smoothed by a positive filter no longer than the look-ahead: so it is down before the peak
comes out, has no steps, and is never above what any sample under it needs. All memory is finite: two outputs that get
the same input become equal to the last bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, Samples

CEILING = 0.891
"-1 dBFS: room for what a codec adds to a peak."
STEP = 48
"Samples that share one peak: 1 ms."
STEPS = BLOCK_SAMPLES // STEP
LOOK_AHEAD_STEPS = 5
LOOK_AHEAD = LOOK_AHEAD_STEPS * STEP
"Samples by which the output is later than the input: 5 ms."
HOLD_STEPS = 16
"A peak holds the gain for 16 ms (a power of two, and over half a period of 32 Hz, so low notes are not bent)."
RISE = 1 / 512
"How much the gain rises in 1 ms. A power of two, so that the straight line is exact in binary."

_WEIGHTS = np.array([1, 2, 3, 2, 1], np.float64) / 9
_FRACTIONS = (np.arange(STEP, dtype=np.float32) / STEP)[np.newaxis, np.newaxis, :]
_SLOPE = RISE * np.arange(1, STEPS + 1, dtype=np.float64)

Gains = npt.NDArray[np.float64]


class LimiterBank:
    """Row 0 is the full mix, the others are named. Not thread-safe."""

    def __init__(self) -> None:
        self._keys: tuple[str, ...] = ()
        self._late: Samples = np.zeros((1, LOOK_AHEAD, CHANNELS), np.float32)
        self._needed: Gains = np.ones((1, HOLD_STEPS - 1))
        self._held: Gains = np.ones((1, LOOK_AHEAD_STEPS))
        self._calm = True
        "Whether all of what is needed and held is 1."

    def process(self, keys: tuple[str, ...], sums: Samples) -> Samples:
        """Limit one block of each output. sums: float32 (1 + len(keys), 960, 2) of any size, row 0 the full mix and
        then one row per key; returned: the same shape, 240 samples late, within +-CEILING. A new key starts as a copy
        of the full mix, which is what its listener heard until then."""
        self._seat(keys)
        whole = np.concatenate((self._late, sums), axis=1)
        self._late = whole[:, BLOCK_SAMPLES:]
        gains = self._gains(sums)
        if gains is None:
            return whole[:, :BLOCK_SAMPLES]
        start = gains[:, :-1, np.newaxis].astype(np.float32)
        end = gains[:, 1:, np.newaxis].astype(np.float32)
        curve = (start + (end - start) * _FRACTIONS).reshape(len(sums), BLOCK_SAMPLES, 1)
        return np.asarray(whole[:, :BLOCK_SAMPLES] * curve, np.float32)

    def settled(self, key: str) -> bool:
        """Whether this output, fed like the full mix, would be the same as the full mix from now on."""
        row = self._keys.index(key) + 1
        return all(np.array_equal(state[row], state[0]) for state in (self._held, self._needed, self._late))

    def _seat(self, keys: tuple[str, ...]) -> None:
        if keys == self._keys:
            return
        old = {key: row for row, key in enumerate(self._keys, 1)}
        rows = [0, *(old.get(key, 0) for key in keys)]
        self._keys = keys
        self._late, self._needed, self._held = self._late[rows], self._needed[rows], self._held[rows]

    def _gains(self, sums: Samples) -> Gains | None:
        """float64 (rows, 21): the gain at the borders of this block's 20 steps; None if it is 1 everywhere."""
        if self._calm and max(float(sums.max()), -float(sums.min())) <= CEILING:
            return None  # nearly always
        steps = sums.reshape(len(sums), STEPS, STEP * CHANNELS)
        peaks = np.maximum(steps.max(axis=2), -steps.min(axis=2)).astype(np.float64)
        needed = np.concatenate((self._needed, CEILING / np.maximum(peaks, CEILING)), axis=1)
        self._needed = needed[:, STEPS:]
        self._calm = bool(needed.min() == 1.0 and self._held.min() == 1.0)
        if self._calm:
            return None
        held = np.concatenate((self._held, self._rise(_trailing_minimum(needed))), axis=1)
        self._held = held[:, STEPS:]
        width = STEPS + 1
        return np.asarray(sum(w * held[:, i : i + width] for i, w in enumerate(_WEIGHTS)), np.float64)

    def _rise(self, wanted: Gains) -> Gains:
        """min(wanted, what it was a step before + RISE), for all steps at once."""
        lines = np.minimum.accumulate(wanted - _SLOPE, axis=1)
        return np.minimum(np.minimum(lines, self._held[:, -1:]) + _SLOPE, 1.0)


def _trailing_minimum(values: Gains) -> Gains:
    """The smallest of each HOLD_STEPS in a row, by doubling: (rows, n) -> (rows, n - HOLD_STEPS + 1)."""
    width = 1
    while width < HOLD_STEPS:
        values = np.minimum(values[:, width:], values[:, :-width])
        width *= 2
    return values
