"""Video encoders and decoders: what they do, whatever the codec. Synchronous; one thread at a time each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from mixdown.codecs.avframes import FrameWrapper, is_full_range, to_i420
from mixdown.codecs.encoded import CodecId, Tier
from mixdown.codecs.errors import CodecError
from mixdown.codecs.keyframe import check_size, is_key_frame, key_frame_size
from mixdown.mixer.media import I420Frame, Size

SIZE_CHANGES = 8
"A stream may change its size so often at once; one more is granted for each FRAMES_PER_CHANGE pictures."
FRAMES_PER_CHANGE = 30


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """data: VP8 frame, or H.264 Annex B. layer_sync: this picture refers to lower temporal layers only."""

    data: bytes
    key: bool
    temporal_layer: int = 0
    layer_sync: bool = False


class VideoEncoder(Protocol):
    def encode(self, frame: I420Frame, n: int, key: bool) -> EncodedPicture | None:
        """frame: of any size, scaled to the tier's if it is not of it; not needed any more on return. n: tick number at
        the tier's rate, growing. key: force a key frame (the first always is). None if the encoder gave nothing."""

    def close(self) -> None:
        """Frees the codec. Nothing may be encoded afterwards."""


class VideoDecoder(Protocol):
    def decode(self, data: bytes) -> list[I420Frame]:
        """One whole frame. Planes are read-only and stay valid as long as they are held. CodecError, and nothing else,
        for what cannot be decoded: after it, and at the beginning, all but key frames are refused."""

    def close(self) -> None:
        """Frees the codec. Nothing may be decoded afterwards."""


def make_video_encoder(codec: CodecId, tier: Tier) -> VideoEncoder:
    """CodecError if the tier's size is odd, or the codec is none or not in this build of FFmpeg."""
    from mixdown.codecs.h264 import H264Encoder
    from mixdown.codecs.vp8 import Vp8Encoder

    if codec is CodecId.VP8:
        return Vp8Encoder(tier)
    if codec is CodecId.H264:
        return H264Encoder(tier)
    raise CodecError(f"{codec} is no video codec")


def make_video_decoder(codec: CodecId, screen: bool = False) -> VideoDecoder:
    """screen: larger pictures are taken than from a camera (see `keyframe`). CodecError as above."""
    if codec not in (CodecId.VP8, CodecId.H264):
        raise CodecError(f"{codec} is no video codec")
    return LibavDecoder(codec, screen)


def _context(name: str, mode: Literal["r", "w"]) -> VideoCodecContext:
    context = av.CodecContext.create(name, mode)
    if not isinstance(context, VideoCodecContext):
        raise ValueError("no video codec")
    context.thread_count = 1
    return context


class LibavEncoder:
    """What both encoders share: opening, wrapping, forcing key frames. Constant bit rate, one thread, no delay."""

    def __init__(self, name: str, tier: Tier, options: Mapping[str, str]) -> None:
        if tier.width % 2 or tier.height % 2 or min(tier.width, tier.height, tier.fps, tier.kbps) <= 0:
            raise CodecError(f"cannot encode {tier.width}x{tier.height} at {tier.fps}/s and {tier.kbps} kb/s")
        self._time_base = Fraction(1, tier.fps)
        self._wrapper = FrameWrapper(Size(tier.width, tier.height))
        self._last = -1
        try:
            context = _context(name, "w")
            context.width, context.height = tier.width, tier.height
            context.pix_fmt = "yuv420p"
            context.time_base = self._time_base
            context.framerate = Fraction(tier.fps)
            context.bit_rate = tier.kbps * 1000
            context.options = dict(options)
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise CodecError(f"cannot open {name}: {error}") from error
        self._context: VideoCodecContext | None = context

    def _encode(self, frame: I420Frame, n: int, key: bool) -> bytes:
        """The encoder's output for one picture, empty if there is none."""
        if self._context is None:
            raise CodecError("the encoder was closed")
        if n <= self._last:
            raise CodecError(f"tick {n} does not follow tick {self._last}")
        picture = self._wrapper.wrap(frame)
        picture.pts = n
        picture.time_base = self._time_base
        if key:
            picture.pict_type = PictureType.I
        try:
            packets = self._context.encode(picture)
        except (av.FFmpegError, ValueError) as error:
            raise CodecError(f"encoding failed: {error}") from error
        self._last = n
        return b"".join(bytes(packet) for packet in packets)

    def close(self) -> None:
        """Drops the context; libav frees it with its last reference."""
        self._context = None


class LibavDecoder:
    """FFmpeg's own decoders: one thread, no delay, sizes checked before libav allocates for them."""

    def __init__(self, codec: CodecId, screen: bool = False) -> None:
        self._codec = codec
        self._screen = screen
        self._size: Size | None = None
        self._changes = float(SIZE_CHANGES)
        self._needs_key = True
        try:
            context = _context("vp8" if codec is CodecId.VP8 else "h264", "r")
            context.flags |= Flags.low_delay
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise CodecError(f"cannot open the {codec} decoder: {error}") from error
        self._context: VideoCodecContext | None = context

    def decode(self, data: bytes) -> list[I420Frame]:
        """See VideoDecoder."""
        try:
            self._admit(data)
            return self._decode(data)
        except CodecError:
            self._needs_key = True
            raise
        except Exception as error:  # whatever libav makes of a stranger's bytes must not end the caller's thread
            self._needs_key = True
            raise CodecError(f"{self._codec} frame of {len(data)} bytes: {error}") from error

    def _admit(self, data: bytes) -> None:
        """Refuses what should not reach libav. An empty packet would end the decoder for good."""
        if not data:
            raise CodecError("frame is empty")
        size = key_frame_size(self._codec, data)
        if size is not None:
            check_size(size, self._screen)
            self._count_change(size)
        if self._needs_key and not is_key_frame(self._codec, data):
            raise CodecError("a key frame is needed")
        self._needs_key = False

    def _count_change(self, size: Size) -> None:
        if size == self._size:
            return
        if self._changes < 1:
            raise CodecError("the picture's size changes too often")
        self._changes -= 1
        self._size = size

    def _decode(self, data: bytes) -> list[I420Frame]:
        if self._context is None:
            raise CodecError("the decoder was closed")
        self._changes = min(self._changes + 1 / FRAMES_PER_CHANGE, SIZE_CHANGES)
        frames: list[I420Frame] = []
        for frame in self._context.decode(av.Packet(data)):
            if frame.is_corrupt:
                raise CodecError("the picture is damaged")
            check_size(Size(frame.width, frame.height), self._screen)
            # FFmpeg takes VP8's clamping bit (RFC 6386, 9.2) for the range: only H.264 says it in earnest.
            frames.append(to_i420(frame, self._codec is CodecId.H264 and is_full_range(frame)))
        return frames

    def close(self) -> None:
        """Drops the context; pictures handed out stay valid."""
        self._context = None
