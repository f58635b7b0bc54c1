"""Noise suppression and gain control of telephone legs, by WebRTC's own processing, if its package is there."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np

from mixdown.codecs.resample import Decimator, Interpolator
from mixdown.mixer.media import SAMPLE_RATE, Samples

RATE = 16_000
"The only rate that it works at; no telephone codec has more."
CHUNK = RATE // 100
TARGET_DBFS = 9
"Level that the gain control brings a voice to, in dB under full scale."
PACKAGE = "webrtc_noise_gain"


def available() -> bool:
    """Whether the package webrtc-noise-gain is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


class NoiseSuppressor:
    """level: 1 (mild) .. 4. Raises ImportError if the package is missing. It delays by some 2 ms. Not thread-safe."""

    def __init__(self, level: int) -> None:
        module: Any = importlib.import_module(PACKAGE)
        self._processor = module.AudioProcessor(TARGET_DBFS, level)
        self._decimator = Decimator(SAMPLE_RATE // RATE)
        self._interpolator = Interpolator(SAMPLE_RATE // RATE)

    def process(self, samples: Samples) -> Samples:
        """float32 (960, 2), both channels alike, to the same."""
        narrow = self._decimator.process(samples)
        pcm = np.clip(np.rint(narrow * 32767), -32768, 32767).astype(np.int16)
        chunks = [self._processor.Process10ms(part.tobytes()).audio for part in pcm.reshape(-1, CHUNK)]
        clean = np.frombuffer(b"".join(chunks), np.int16).astype(np.float32) / np.float32(32768)
        return self._interpolator.process(clean)
