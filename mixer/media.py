"""Raw media: the only forms in which picture and sound travel between decoder, mixer and encoder.

Time: a video tick n of a view has pts = n * 90000 / fps; audio counts samples at 48 kHz from the room's start.
Both are computed from counts, never accumulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]

VIDEO_CLOCK = 90_000
"RTP clock of every video codec, Hz."
SAMPLE_RATE = 48_000
"The mixer's only sampling rate, Hz."
BLOCK_SAMPLES = 960
"One audio tick, 20 ms."
CHANNELS = 2


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def aspect(self) -> Fraction:
        return Fraction(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in canvas pixels, top left origin. For the compositor all four are even."""

    x: int
    y: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


@dataclass(frozen=True, slots=True)
class I420Frame:
    """One picture in planar YUV 4:2:0, limited range, BT.601 as WebRTC sends it.

    y: uint8 (height, width); u, v: uint8 (ceil(height / 2), ceil(width / 2)). The planes may be views with a row
    stride larger than their width. Never written to after it was handed on.
    """

    y: Plane
    u: Plane
    v: Plane

    @property
    def size(self) -> Size:
        return Size(self.y.shape[1], self.y.shape[0])


@dataclass(frozen=True, slots=True)
class PcmBlock:
    """20 ms of sound. samples: float32 (960, 2), full scale is 1.0; position: index of its first sample at 48 kHz."""

    samples: Samples
    position: int


def silence() -> Samples:
    """A fresh float32 (960, 2) block of zeros."""
    return np.zeros((BLOCK_SAMPLES, CHANNELS), np.float32)
