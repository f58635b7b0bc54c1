"""Test pictures and tones as raw media, for the clients in Python."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from support.measure import SAMPLE_RATE
from support.sources import COUNTER_BAND, COUNTER_BITS, Rgb, Source


def yuv(colour: Rgb) -> tuple[int, int, int]:
    """Limited-range BT.601."""
    red, green, blue = (channel / 255 for channel in colour)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    cb, cr = (blue - luma) / 1.772, (red - luma) / 1.402
    return round(16 + 219 * luma), round(128 + 224 * cb), round(128 + 224 * cr)


SYLLABLES = 3.5
"A second, of a moving source's tone."
DRIFT = 3
"Pixels a frame, of a moving picture."


def _textures(source: Source) -> npt.NDArray[np.uint8]:
    """Blocks under noise, uint8 (8, height, 2 * width): the noise is another one in each of eight frames."""
    dice = np.random.default_rng(source.tone)
    rows, columns = -(-source.height // 16), source.width // 16
    blocks = dice.uniform(60, 180, (rows, columns)).repeat(16, axis=0).repeat(16, axis=1)[: source.height]
    wide = np.concatenate((blocks, blocks), axis=1)
    return (wide + dice.uniform(0, 16, (8, *wide.shape))).astype(np.uint8)


class Pattern:
    """The source's picture as contiguous I420 bytes, uint8 (width * height * 3 / 2,)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        width, height = source.width, source.height
        self.base = np.empty(width * height * 3 // 2, np.uint8)
        y = self.base[: width * height].reshape(height, width)
        u, v = self.base[width * height :].reshape(2, height // 2, width // 2)
        for index, colour in enumerate(source.colours):
            column, row = index % 2, index // 2
            for plane, value in zip((y, u, v), yuv(colour), strict=True):
                h, w = plane.shape[0] // 2, plane.shape[1] // 2
                plane[row * h : (row + 1) * h, column * w : (column + 1) * w] = value
        self.top, self.bottom = (round(part * height / 2) * 2 for part in COUNTER_BAND)
        u[self.top // 2 : self.bottom // 2] = v[self.top // 2 : self.bottom // 2] = 128
        self.textures = _textures(source) if source.moving else None

    def frame(self, n: int) -> npt.NDArray[np.uint8]:
        width, height = self.source.width, self.source.height
        data = self.base.copy()
        y = data[: width * height].reshape(height, width)
        if self.textures is not None:
            left = n * DRIFT % width
            y[:] = self.textures[n % len(self.textures), :, left : left + width]
        for bit in range(COUNTER_BITS):
            left, right = bit * width // COUNTER_BITS, (bit + 1) * width // COUNTER_BITS
            y[self.top : self.bottom, left:right] = 235 if n >> bit & 1 else 16
        return data


def tone(source: Source, position: int, count: int) -> npt.NDArray[np.int16]:
    """int16 (count,) at 48 kHz, from sample `position` on."""
    times = np.arange(position, position + count) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * source.tone * times) * source.amplitude
    if source.moving:
        wave *= 0.5 + 0.5 * np.sin(2 * np.pi * SYLLABLES * times)
    return (wave * 32767).astype(np.int16)
