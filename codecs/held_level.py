"""What is made up for lost sound, kept nearly as loud as what was heard before it.

libopus lets its concealment fade by some 5 dB in each 20 ms, and much more where the loss begins between two sounds: a
loss of 100 ms is then heard as a hole. Fading out in the end is the caller's affair.
"""

from __future__ import annotations

import numpy as np

from mixdown.mixer.media import SAMPLE_RATE, Samples

DECAY = 5.0
"dB per 100 ms that concealment fades by at least."
UNDER_VOICE = 20.0
"""dB under the loudest of a moment before: where a loss begins between two sounds of a word, most likely the second one
is lost, too; so a little of what is there is heard instead of nothing."""
MOMENT = 100.0
"dB per second by which that moment's loudness is forgotten."
MOST = 30.0
"dB that it is made louder by at most: what is left of it then is close to noise."


class HeldLevel:
    """Not thread-safe."""

    def __init__(self) -> None:
        self._power = 0.0
        "Mean square that concealment begins with."
        self._moment = 0.0
        self._seconds = 0.0
        "Of concealment since."
        self._gain = 1.0

    def heard(self, samples: Samples) -> None:
        """Something was decoded, or repaired: float32 (n, 2), n over 0."""
        power = _power(samples)
        self._moment = max(power, self._moment * 10.0 ** (-MOMENT / 10.0 * len(samples) / SAMPLE_RATE))
        self._power = max(power, self._moment * 10.0 ** (-UNDER_VOICE / 10.0))
        self._seconds, self._gain = 0.0, 1.0

    def hold(self, samples: Samples) -> Samples:
        """The next stretch of concealment, made louder where it is too quiet."""
        self._seconds += len(samples) / SAMPLE_RATE
        wanted = self._power * 10.0 ** (-DECAY * self._seconds)
        louder = np.sqrt(wanted / max(_power(samples), 1e-12))
        gain = float(min(10.0 ** (MOST / 20.0), max(1.0, louder)))
        before, self._gain = self._gain, gain
        if before == gain == 1.0:
            return samples
        return samples * np.linspace(before, gain, len(samples), dtype=np.float32)[:, np.newaxis]


def _power(samples: Samples) -> float:
    flat = samples.ravel()
    return float(np.dot(flat, flat)) / max(1, len(flat))
