"""What the talkers of the audio benchmark say, and how it is known whose voice is in a mix.

A voice is a buzz through formants that never pauses, so that who talks, talks all the time. The first few carry a quiet
tone of their own besides, by which they are found in what others hear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixdown.codecs.opus import OpusDecoder, OpusEncoder
from mixdown.mixer.levels import level_dbov, rfc6464
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE

BITRATE, COMPLEXITY = 32_000, 5
"Of the senders: what browsers send."
SECONDS = 3
AMPLITUDE, LOUD = 0.1, 0.2
"Of a voice at its loudest; the first few are louder, so that they are among those who are heard where not all are."
TONES = (3370.0, 4130.0, 5230.0)
"Hz, of the first talkers; no harmonic of any voice is within 15 Hz of them."
TONE = 0.02
"Amplitude, of full scale 1."
HISS = 8e-5
"Of a quiet room: under the level from which a source is let into the mix."


@dataclass(frozen=True, slots=True)
class Voice:
    """packets: 20 ms of Opus each, for a loop. levels: of each, as RFC 6464 has it."""

    packets: tuple[bytes, ...]
    levels: tuple[int, ...]


def talking(n: int) -> Voice:
    """The n-th talker's: a few voices take turns."""
    seed = n % 8
    t = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    pitch = 110 + 13 * seed
    sound = np.zeros_like(t)
    for k in range(1, 30):
        strength = sum(np.exp(-(((k * pitch - f) / 250) ** 2)) for f in (600 + 20 * seed, 1200, 2500)) + 0.02
        sound += strength * np.sin(2 * np.pi * k * pitch * t + k)
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t + seed)
    sound *= (LOUD if n < len(TONES) else AMPLITUDE) / np.abs(sound).max() * syllables
    if n < len(TONES):
        sound += TONE * np.sin(2 * np.pi * TONES[n] * t)
    return _encoded(sound)


def silent() -> Voice:
    """An open microphone in a quiet room."""
    return _encoded(np.random.default_rng(1).normal(0, HISS, SECONDS * SAMPLE_RATE))


def _encoded(sound: NDArray[np.float64]) -> Voice:
    encoder = OpusEncoder(BITRATE, COMPLEXITY)
    encoder.control(FORCE_CHANNELS, 1)  # as a microphone is sent
    blocks = np.repeat(sound.astype(np.float32)[:, None], 2, axis=1).reshape(-1, BLOCK_SAMPLES, 2)
    packets = tuple(encoder.encode(block) for block in blocks)
    encoder.close()
    return Voice(packets, tuple(rfc6464(level_dbov(block)) for block in blocks))


FORCE_CHANNELS = 4022
"OPUS_SET_FORCE_CHANNELS_REQUEST, opus_defines.h"


def tones_heard(packets: list[bytes]) -> list[float]:
    """dB of each of TONES in what a client was sent, in order."""
    decoder = OpusDecoder()
    sound = np.concatenate([decoder.decode(packet)[:, 0] for packet in packets]).astype(np.float64)
    decoder.close()
    window = np.blackman(len(sound))
    return [_level(sound * window, hz) - 20 * float(np.log10(window.sum() / 2)) for hz in TONES]


def _level(sound: NDArray[np.float64], hz: float) -> float:
    wave = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / SAMPLE_RATE)
    return float(20 * np.log10(max(1e-9, abs(np.sum(sound * wave)))))
