"""Judging what was received: frame times, colours, tones. Pure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from support.sources import QUADRANTS, Rgb, Source

SAMPLE_RATE = 48_000


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """frames: how many; fps: over the span; longest: seconds between two of them."""

    frames: int
    fps: float
    longest: float


def frame_times(times: Sequence[float], counts: Sequence[int] | None = None) -> FrameTimes:
    """times: seconds, rising. counts: running number of each, where some frames went by without being timed."""
    if len(times) < 2:
        return FrameTimes(len(times), 0.0, float("inf"))
    gaps = np.diff(np.asarray(times, dtype=float))
    frames = len(times) if counts is None else counts[-1] - counts[0] + 1
    return FrameTimes(frames, float((frames - 1) / (times[-1] - times[0])), float(gaps.max()))


def quadrant_points(tile: Mapping[str, Any], canvas: tuple[int, int]) -> list[tuple[float, float]]:
    """Where the quadrant centres of a tile are, as fractions of the canvas."""
    width, height = canvas
    return [
        ((tile["x"] + fx * tile["width"]) / width, (tile["y"] + fy * tile["height"]) / height) for fx, fy in QUADRANTS
    ]


def colour_error(seen: Sequence[Sequence[float]], source: Source) -> float:
    """The largest difference in any channel of any quadrant, 0..255."""
    return max(
        abs(a - b) for got, want in zip(seen, source.colours, strict=True) for a, b in zip(got, want, strict=True)
    )


def decode_audio(file: bytes) -> npt.NDArray[np.float32]:
    """The left channel of an audio file at 48 kHz, float32 (n,), without its first 0.2 s (the encoder's start)."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    with av.open(io.BytesIO(file)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])[SAMPLE_RATE // 5 :]


PITCH = 0.02
"How far a tone may be off: buffers that fill up or run dry play a little faster or slower."


def tone_levels(samples: npt.NDArray[np.float32], rate: int, tones: Sequence[float]) -> list[float]:
    """dB relative to a full-scale sine of each tone: the median over pieces of 0.3 s. samples: float32 (n,)."""
    length = rate * 3 // 10
    pieces = samples[: len(samples) // length * length].reshape(-1, length)
    window = np.blackman(length)
    spectra = np.abs(np.fft.rfft(pieces * window)) / (window.sum() / 2)
    width = rate / length
    peaks = [
        np.median(spectra[:, round(tone * (1 - PITCH) / width) - 1 : round(tone * (1 + PITCH) / width) + 2].max(axis=1))
        for tone in tones
    ]
    return [float(20 * np.log10(max(peak, 1e-10))) for peak in peaks]


def rgb_of(y: npt.NDArray[np.uint8], u: npt.NDArray[np.uint8], v: npt.NDArray[np.uint8]) -> Rgb:
    """Mean colour of a patch of limited-range BT.601 planes."""
    luma, cb, cr = float(y.mean()) - 16, float(u.mean()) - 128, float(v.mean()) - 128
    red, green, blue = 1.164 * luma + 1.596 * cr, 1.164 * luma - 0.392 * cb - 0.813 * cr, 1.164 * luma + 2.017 * cb
    clipped = [min(255, max(0, round(channel))) for channel in (red, green, blue)]
    return clipped[0], clipped[1], clipped[2]
