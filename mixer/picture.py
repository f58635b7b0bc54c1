"""Small helpers on whole pictures: plain colours, crops, conversion for snapshots."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from mixdown.mixer.media import I420Frame, Plane, Size

cv2.setNumThreads(1)


class Yuv(NamedTuple):
    """One colour: limited range BT.601, y 16..235, u and v 16..240."""

    y: int
    u: int
    v: int


def yuv(red: int, green: int, blue: int) -> Yuv:
    """From full range sRGB bytes, ITU-R BT.601, rounded."""
    return Yuv(
        round(16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255),
        round(128 + (-37.797 * red - 74.203 * green + 112.0 * blue) / 255),
        round(128 + (112.0 * red - 93.786 * green - 18.214 * blue) / 255),
    )


def rgb_of_hex(text: str) -> tuple[int, int, int]:
    """`#rrggbb` -> bytes. Raises ValueError for any other form."""
    digits = text.removeprefix("#")
    if len(digits) != 6 or len(text) != 7 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ValueError(f"{text!r} is no colour of the form #rrggbb")
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def yuv_of_hex(text: str) -> Yuv:
    """`#rrggbb` -> limited range BT.601. Raises ValueError for any other form."""
    return yuv(*rgb_of_hex(text))


def colour(size: Size, y: int, u: int, v: int) -> I420Frame:
    """A picture of one colour."""
    chroma = ((size.height + 1) // 2, (size.width + 1) // 2)
    return I420Frame(
        np.full((size.height, size.width), y, np.uint8), np.full(chroma, u, np.uint8), np.full(chroma, v, np.uint8)
    )


def crop_to_aspect(frame: I420Frame, aspect: Fraction) -> I420Frame:
    """The largest centred part of that shape, even in position and size; views on the same planes."""
    width, height = frame.size.width & ~1, frame.size.height & ~1
    if Fraction(width, height) > aspect:
        part = Size(max(2, int(height * aspect) & ~1), height)
    else:
        part = Size(width, max(2, int(width / aspect) & ~1))
    left, top = (width - part.width) // 4 * 2, (height - part.height) // 4 * 2
    rows, columns = slice(top // 2, (top + part.height) // 2), slice(left // 2, (left + part.width) // 2)
    luma = frame.y[top : top + part.height, left : left + part.width]
    return I420Frame(luma, frame.u[rows, columns], frame.v[rows, columns])


def packed(frame: I420Frame) -> Plane:
    """Y, U and V in one contiguous uint8 (height * 3 / 2, width) array, even sizes only.

    Without a copy if the planes already lie behind each other, as a compositor's do: never write to it.
    """
    height, width = frame.y.shape
    base = frame.y.base
    if isinstance(base, np.ndarray) and _behind_each_other(frame, base):
        return base.reshape(height * 3 // 2, width)
    return np.concatenate((frame.y.ravel(), frame.u.ravel(), frame.v.ravel())).reshape(height * 3 // 2, width)


def _behind_each_other(frame: I420Frame, base: npt.NDArray[np.uint8]) -> bool:
    start, luma, chroma = base.ctypes.data, frame.y.size, frame.u.size
    return (
        base.size == luma + 2 * chroma
        and all(plane.flags.c_contiguous for plane in (base, frame.y, frame.u, frame.v))
        and [plane.ctypes.data - start for plane in (frame.y, frame.u, frame.v)] == [0, luma, luma + chroma]
    )


def to_bgr(frame: I420Frame) -> Plane:
    """uint8 (height, width, 3), full range, for `cv2.imencode`. Odd sizes lose their last row or column."""
    height, width = frame.size.height & ~1, frame.size.width & ~1
    half = slice(height // 2), slice(width // 2)
    whole = I420Frame(frame.y[:height, :width], frame.u[half], frame.v[half])
    return np.asarray(cv2.cvtColor(packed(whole), cv2.COLOR_YUV2BGR_I420), np.uint8)
