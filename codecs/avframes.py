"""I420Frame <-> av.VideoFrame, without copies where memory allows."""

from __future__ import annotations

from typing import cast

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane

from mixdown.mixer.media import I420Frame, Plane, Size

_FULL_RANGE = 2
"AVCOL_RANGE_JPEG."
_STEPS = np.arange(256, dtype=np.float64)
_LUMA = np.round(16 + _STEPS * 219 / 255).astype(np.uint8)
_CHROMA = np.round(128 + (_STEPS - 128) * 224 / 255).astype(np.uint8)


class FrameWrapper:
    """Makes the av.VideoFrames of one encoder, all of one even size.

    A frame whose planes follow each other in one buffer is wrapped as it is (the encoder must be done with it when
    `encode` returns; libvpx and x264 copy it inside). Others, and those of another size, go through the wrapper's own
    buffer, which the next call overwrites: 0.05 ms for 720p.
    """

    def __init__(self, size: Size) -> None:
        self._size = size
        self._buffer = np.empty((size.height * 3 // 2, size.width), np.uint8)
        self._own = _views(self._buffer, size)

    def wrap(self, frame: I420Frame) -> av.VideoFrame:
        """A fresh VideoFrame each time, as `encode` rewrites its pts and time base."""
        if frame.size != self._size:
            self._scale(frame)
        elif (whole := _one_buffer(frame)) is not None:
            return av.VideoFrame.from_numpy_buffer(whole, "yuv420p")
        else:
            np.copyto(self._own.y, frame.y)
            np.copyto(self._own.u, frame.u)
            np.copyto(self._own.v, frame.v)
        return av.VideoFrame.from_numpy_buffer(self._buffer, "yuv420p")

    def _scale(self, frame: I420Frame) -> None:
        whole_ratio = frame.size.width % self._size.width == 0 and frame.size.height % self._size.height == 0
        how = cv2.INTER_AREA if whole_ratio else cv2.INTER_LINEAR
        for source, own in zip((frame.y, frame.u, frame.v), (self._own.y, self._own.u, self._own.v), strict=True):
            cv2.resize(source, (own.shape[1], own.shape[0]), dst=own, interpolation=how)


def _views(buffer: Plane, size: Size) -> I420Frame:
    luma, chroma = size.height * size.width, size.height * size.width // 4
    half = (size.height // 2, size.width // 2)
    flat = buffer.reshape(-1)
    u, v = flat[luma : luma + chroma], flat[luma + chroma :]
    return I420Frame(buffer[: size.height], u.reshape(half), v.reshape(half))


def _one_buffer(frame: I420Frame) -> Plane | None:
    """The three planes as one uint8 (height * 3 / 2, width) array, if that is how they lie in memory."""
    height, width = frame.y.shape
    owner = frame.y.base
    if owner is None or owner is not frame.u.base or owner is not frame.v.base:
        return None
    half = (width // 2, 1)
    if frame.y.strides != (width, 1) or frame.u.strides != half or frame.v.strides != half:
        return None
    begin = _address(frame.y)
    chroma = height * width // 4
    if _address(frame.u) != begin + 4 * chroma or _address(frame.v) != begin + 5 * chroma:
        return None
    return np.lib.stride_tricks.as_strided(frame.y, (height * 3 // 2, width), (width, 1), writeable=False)


def _address(plane: Plane) -> int:
    address: int = plane.__array_interface__["data"][0]
    return address


def to_i420(frame: av.VideoFrame, full_range: bool = False) -> I420Frame:
    """A decoded picture. yuv420p becomes read-only views of libav's memory, which lives as long as they do; other
    formats are converted by swscale. full_range: of yuv420p, to be pressed into limited range like yuvj420p."""
    name = frame.format.name
    if name not in ("yuv420p", "yuvj420p"):
        return to_i420(frame.reformat(format="yuv420p", dst_color_range="MPEG"))
    y, u, v = (_plane(plane) for plane in frame.planes)
    if name == "yuvj420p" or full_range:
        return I420Frame(_pressed(y, _LUMA), _pressed(u, _CHROMA), _pressed(v, _CHROMA))
    return I420Frame(y, u, v)


def is_full_range(frame: av.VideoFrame) -> bool:
    return int(frame.color_range) == _FULL_RANGE


def _pressed(plane: Plane, steps: Plane) -> Plane:
    return cast(Plane, cv2.LUT(plane, steps))


def _plane(plane: VideoPlane) -> Plane:
    """The array holds its plane, the plane its frame, the frame a reference to the decoder's buffer. Read-only, as the
    decoder still predicts from it."""
    rows: Plane = np.frombuffer(cast(memoryview, plane), np.uint8).reshape(plane.height, plane.line_size)[
        :, : plane.width
    ]
    rows.flags.writeable = False
    return rows
