"""Fixed-ratio resampling between the mixer's 48 kHz stereo and a telephone codec's mono rate.

A windowed-sinc filter in polyphase form, passing up to 0.4 of the lower rate; exact in length, continuous over blocks.
"""

from __future__ import annotations

import numpy as np

from mixdown.mixer.media import CHANNELS, Samples

TAPS = 24
"Taps per phase: 3 ms at 8 kHz."


def _prototype(factor: int) -> Samples:
    """float32 (TAPS * factor,): a low pass at 48 kHz with unit gain for constants."""
    n = np.arange(TAPS * factor) - (TAPS * factor - 1) / 2
    taps = np.sinc(n * 0.9 / factor) * np.kaiser(len(n), 7.0)
    return np.asarray(taps / taps.sum(), np.float32)


class Decimator:
    """48 kHz stereo to mono at 48 kHz / factor."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._taps = _prototype(factor)
        self._past: Samples = np.zeros(len(self._taps) - factor, np.float32)

    def process(self, samples: Samples) -> Samples:
        """float32 (n, 2), n a multiple of the factor, to float32 (n / factor,)."""
        line = np.concatenate((self._past, samples.mean(axis=1, dtype=np.float32)))
        self._past = line[-len(self._past) :]
        windows = np.lib.stride_tricks.sliding_window_view(line, len(self._taps))[:: self._factor]
        return np.asarray(windows @ self._taps, np.float32)


class Interpolator:
    """Mono at 48 kHz / factor to 48 kHz stereo."""

    def __init__(self, factor: int) -> None:
        # Phase p of each output group takes taps p, p + factor, ..., newest sample first.
        phases = _prototype(factor).reshape(TAPS, factor)[::-1] * factor
        self._phases = np.ascontiguousarray(phases)
        self._past: Samples = np.zeros(TAPS - 1, np.float32)

    def process(self, samples: Samples) -> Samples:
        """float32 (n,) to float32 (n * factor, 2)."""
        line = np.concatenate((self._past, samples))
        self._past = line[-len(self._past) :]
        windows = np.lib.stride_tricks.sliding_window_view(line, TAPS)
        mono = (windows @ self._phases).reshape(-1, 1)
        return np.repeat(np.asarray(mono, np.float32), CHANNELS, axis=1)
