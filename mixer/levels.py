"""Levels of sound, in dBov: 0 is the level of a full-scale square wave, a full-scale sine has -3 (RFC 6464, 3)."""

from __future__ import annotations

import math

import numpy as np

from mixdown.mixer.media import Samples

SILENCE_DBOV = -127.0
"The bottom of RFC 6464's scale; digital silence and everything below it."


def level_dbov(samples: Samples) -> float:
    """RMS level over all samples and channels: -127.0 .. 0.0. NaN if a sample is not finite."""
    flat = samples.reshape(-1)
    if flat.size == 0:
        return SILENCE_DBOV
    energy = float(np.dot(flat, flat)) / flat.size
    if not math.isfinite(energy):
        return math.nan
    if energy <= 0.0:
        return SILENCE_DBOV
    return min(0.0, max(SILENCE_DBOV, 10.0 * math.log10(energy)))


def rfc6464(dbov: float) -> int:
    """The value of the audio level header extension: -dBov, 0 (loudest) .. 127 (silence)."""
    return 127 if math.isnan(dbov) else min(127, max(0, round(-dbov)))


def db_to_gain(db: float) -> float:
    """Decibel to a linear factor."""
    return float(10.0 ** (db / 20.0))
