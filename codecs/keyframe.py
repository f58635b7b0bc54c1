"""The size a key frame claims, read before a decoder sees it: a few bytes may claim a picture of 268 million pixels."""

from __future__ import annotations

from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.payload import h264, vp8
from mixdown.mixer.media import Size

CAMERA_PIXELS = 2_100_000
"1920x1088, upright or not."
SCREEN_PIXELS = 8_300_000
"3840x2160."
MOST_CROPPED = 64
"Pixels an H.264 picture may lose on a side: encoders pad to their blocks, nobody pads more."

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def key_frame_size(codec: CodecId, data: bytes) -> Size | None:
    """The size that a key frame claims, None for other frames. CodecError if the header is malformed.
    H.264: Annex B; that of the (largest) SPS, whatever comes with it."""
    if codec is CodecId.VP8:
        return _vp8_size(data)
    sizes = [_sps_size(unit) for unit in h264.nal_units(data) if h264.unit_type(unit) == h264.SPS]
    return max(sizes, key=lambda size: size.width * size.height, default=None)


def is_key_frame(codec: CodecId, data: bytes) -> bool:
    """Whether a decoder may begin here. H.264: with an IDR picture and an SPS."""
    if codec is CodecId.VP8:
        return vp8.is_key(data)
    return {h264.IDR, h264.SPS} <= {h264.unit_type(unit) for unit in h264.nal_units(data)}


def check_size(size: Size, screen: bool) -> None:
    """CodecError for a picture larger than a camera's or a screen's may be."""
    most = SCREEN_PIXELS if screen else CAMERA_PIXELS
    if size.width * size.height > most:
        raise CodecError(f"a picture of {size.width}x{size.height} is more than {most} pixels")


def _vp8_size(data: bytes) -> Size | None:
    """RFC 6386, 9.1: frame tag of 3 bytes, start code, 14 bits of width and of height with 2 bits of scale each."""
    if not vp8.is_key(data):
        if not data:
            raise CodecError("VP8 frame is empty")
        return None
    if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
        raise CodecError("VP8 key frame without its start code")
    return _nonzero(int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF)


def _nonzero(width: int, height: int) -> Size:
    if width <= 0 or height <= 0:
        raise CodecError(f"a picture of {width}x{height}")
    return Size(width, height)


def _sps_size(unit: bytes) -> Size:
    """ITU-T H.264, 7.3.2.1.1."""
    bits = _Bits(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile = bits.take(8)
    bits.take(16)
    bits.ue()
    chroma = _skip_high_profile(bits) if profile in _HIGH_PROFILES else 1
    bits.ue()
    _skip_picture_order(bits)
    bits.ue()
    bits.take(1)
    width, height = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    frames_only = bits.take(1)
    if not frames_only:
        height *= 2
        bits.take(1)
    bits.take(1)
    if not bits.take(1):
        return _nonzero(width, height)
    across, down = (1 if chroma in (0, 3) else 2), (2 if chroma == 1 else 1) * (2 - frames_only)
    left, right, top, bottom = bits.ue() * across, bits.ue() * across, bits.ue() * down, bits.ue() * down
    if max(left, right, top, bottom) > MOST_CROPPED:
        raise CodecError("H.264 picture is mostly cropped")
    return _nonzero(width - left - right, height - top - bottom)


def _skip_high_profile(bits: _Bits) -> int:
    """The fields that only High profiles have; the chroma format."""
    chroma = bits.ue()
    if chroma == 3:
        bits.take(1)
    bits.ue()
    bits.ue()
    bits.take(1)
    if bits.take(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.take(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()


class _Bits:
    """Reads an RBSP bit by bit. CodecError at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise CodecError("H.264 parameter set is truncated")
        return self._data >> self._left & ((1 << count) - 1)

    def ue(self) -> int:
        """Exp-Golomb, 9.1. Codes over 32 bits are malformed."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise CodecError("H.264 parameter set has a number over 32 bits")
        return (1 << zeros) - 1 + self.take(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
