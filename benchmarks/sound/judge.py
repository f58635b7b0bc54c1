"""Measures of what was heard: tones, clicks, gaps, and PESQ-WB (ITU-T P.862.2) of speech."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixdown.codecs.resample import Decimator, Interpolator
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE, Samples

SPEECH = Path(__file__).resolve().parent.parent.parent / "tests" / "data" / "speech.wav"
WIDE_BAND = 16_000

Mono = npt.NDArray[np.float64]


def decibel(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-12)))


def stereo(mono: npt.NDArray[np.floating]) -> Samples:
    return np.stack((mono, mono), axis=1).astype(np.float32)


def sine(hz: float, start: int, count: int, amplitude: float, phase: float = 0.0) -> Mono:
    """float64 (count,) from sample `start` on."""
    return np.asarray(amplitude * np.sin(phase + 2 * np.pi * hz * np.arange(start, start + count) / SAMPLE_RATE))


def tone_db(sound: Samples, hz: float) -> float:
    """Level of one frequency, dB of its amplitude. sound: (n, 2)."""
    left = sound[:, 0].astype(np.float64)
    window = np.blackman(len(left))
    wave_ = np.exp(-2j * np.pi * hz * np.arange(len(left)) / SAMPLE_RATE)
    return decibel(2 * abs(np.sum(left * window * wave_)) / np.sum(window))


def clicks_db(sound: Samples, above: float = 6000.0) -> float:
    """The largest sample of what is left above `above` Hz, dBFS: a click has that and low tones have not."""
    n = np.arange(-200, 201)
    low = np.sinc(2 * above / SAMPLE_RATE * n) * np.kaiser(401, 9)
    high = -low / low.sum()
    high[200] += 1
    left = sound[:, 0].astype(np.float64)
    size = 1 << int(np.ceil(np.log2(len(left) + len(high))))
    filtered = np.fft.irfft(np.fft.rfft(left, size) * np.fft.rfft(high, size), size)[400 : len(left)]
    return decibel(float(np.abs(filtered).max()))


def longest_gap(sound: Samples, reference: Samples, later: Mono | None = None) -> float:
    """Seconds of the longest stretch in which `sound` is 30 dB under the reference, where that is sounding.

    later: seconds by block by which `sound` is played later than the reference, NaN where unknown: without it, a pause
    that comes later by the delay would count as a gap, and a gap that coincides with one would not."""
    step = SAMPLE_RATE // 200
    count = min(len(sound), len(reference)) // step
    power = [
        np.square(x[: count * step, 0].astype(np.float64)).reshape(count, step).mean(axis=1) for x in (sound, reference)
    ]
    if later is not None:
        moved = np.round(np.nan_to_num(later) * 200).astype(int).repeat(BLOCK_SAMPLES // step)[:count]
        power[1] = power[1][np.clip(np.arange(len(moved)) - moved, 0, count - 1)]
        power[0] = power[0][: len(moved)]
    loud = power[1] > 1e-3 * np.square(reference[:, 0]).mean()
    gone = loud & (power[0] < 1e-3 * power[1])
    longest = run = 0
    for one in gone:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest * step / SAMPLE_RATE


def speech() -> Samples:
    """The sample at 48 kHz, (n, 2), whole blocks, with half a second of silence on both sides."""
    with wave.open(str(SPEECH)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    sound = Interpolator(SAMPLE_RATE // WIDE_BAND).process((pcm / 32768).astype(np.float32))
    pause = np.zeros((SAMPLE_RATE // 2, 2), np.float32)
    whole = np.concatenate((pause, sound, pause))
    return whole[: len(whole) // BLOCK_SAMPLES * BLOCK_SAMPLES]


def pesq_wb(reference: Samples, heard: Samples) -> float:
    """MOS-LQO 1.0 .. 4.64. It aligns by itself."""
    from pesq import pesq  # type: ignore[import-untyped]

    narrow = [Decimator(SAMPLE_RATE // WIDE_BAND).process(x[: len(x) // 3 * 3]) for x in (reference, heard)]
    return float(pesq(WIDE_BAND, narrow[0], narrow[1], "wb"))
