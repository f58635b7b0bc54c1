"""Sound made shorter or longer by a piece that repeats itself: the pitch stays, nothing is cut that would be missed.

A stretch of MIN_LAG to MAX_LAG samples after which the sound goes on almost as it did before is left out, or played
twice, with a cross-fade over OVERLAP samples. So 10 ms of delay are won or given away within a block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mixdown.mixer.media import BLOCK_SAMPLES, Samples

MIN_LAG = 120
MAX_LAG = 600
"2.5 to 12.5 ms: voices from 80 Hz up repeat themselves in that."
OVERLAP = BLOCK_SAMPLES - MAX_LAG
"7.5 ms."
COARSE = 4
"The search is done at 12 kHz and refined at 48."
QUIET = 1e-5
"Mean square (-50 dBov) under which any place is as good as any other."

_FADE = (0.5 - 0.5 * np.cos(np.pi * (np.arange(OVERLAP, dtype=np.float32) + 0.5) / OVERLAP))[:, np.newaxis]
_FADE = _FADE.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Scaled:
    """block: float32 (960, 2). used: input samples that it was made of."""

    block: Samples
    used: int


def shorten(samples: Samples, likeness: float, longest: int = MAX_LAG) -> Scaled | None:
    """One block of float32 (1560, 2): with 120 to `longest` of them left out. None if no two places are
    alike. likeness: 0..1, the least correlation of the two places; longest: 120 .. 600."""
    lag = _best_lag(samples, likeness, longest)
    if lag is None:
        return None
    joint = samples[:OVERLAP] * (1 - _FADE) + samples[lag : lag + OVERLAP] * _FADE
    return Scaled(np.concatenate((joint, samples[lag + OVERLAP : lag + BLOCK_SAMPLES])), BLOCK_SAMPLES + lag)


def lengthen(samples: Samples, likeness: float, longest: int = MAX_LAG) -> Scaled | None:
    """One block of float32 (960, 2): with 120 to `longest` of them played twice."""
    lag = _best_lag(samples, likeness, longest)
    if lag is None:
        return None
    joint = samples[lag : lag + OVERLAP] * (1 - _FADE) + samples[:OVERLAP] * _FADE
    rest = samples[OVERLAP : BLOCK_SAMPLES - lag]
    return Scaled(np.concatenate((samples[:lag], joint, rest)), BLOCK_SAMPLES - lag)


def is_quiet(samples: Samples) -> bool:
    """Whether a block can be made shorter or longer anywhere, unheard."""
    return _power(_mono(samples)) < 4 * QUIET


def _mono(samples: Samples) -> Samples:
    """The sum of both channels, (n,). A sum along the short axis would take ten times as long."""
    return np.asarray(samples[:, 0] + samples[:, 1])


def _power(mono: Samples) -> float:
    """Mean square of the sum of both channels."""
    return float(np.dot(mono, mono)) / len(mono)


def _best_lag(samples: Samples, likeness: float, longest: int) -> int | None:
    mono = _mono(samples[:BLOCK_SAMPLES])
    if _power(mono) < 4 * QUIET:
        return longest
    coarse = mono.reshape(-1, COARSE).sum(axis=1)
    lags = np.arange(MIN_LAG // COARSE, longest // COARSE + 1)
    near = lags[int(np.argmax(_likeness(coarse, lags, OVERLAP // COARSE)))] * COARSE
    fine = np.arange(max(MIN_LAG, near - COARSE), min(longest, near + COARSE) + 1)
    found = _likeness(mono, fine, OVERLAP)
    best = int(np.argmax(found))
    return int(fine[best]) if found[best] >= likeness else None


def _likeness(mono: Samples, lags: npt.NDArray[np.intp], length: int) -> npt.NDArray[np.float64]:
    """The normalised correlation of the first `length` samples with those at each lag."""
    windows = np.lib.stride_tricks.sliding_window_view(mono, length)[lags].astype(np.float64)
    first = mono[:length].astype(np.float64)
    power = np.einsum("ij,ij->i", windows, windows) * float(np.dot(first, first))
    return np.asarray((windows @ first) / np.sqrt(np.maximum(power, 1e-18)))
