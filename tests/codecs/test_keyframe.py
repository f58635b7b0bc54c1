from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.keyframe import check_size, is_key_frame, key_frame_size
from mixdown.codecs.payload.h264 import annexb
from mixdown.mixer.media import Size


class BitWriter:
    def __init__(self) -> None:
        self.bits = ""

    def u(self, value: int, count: int) -> BitWriter:
        self.bits += f"{value:0{count}b}"
        return self

    def ue(self, value: int) -> BitWriter:
        code = f"{value + 1:b}"
        self.bits += "0" * (len(code) - 1) + code
        return self

    def unit(self) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
        out = bytearray()
        for byte in raw:
            if byte <= 3 and out[-2:] == b"\0\0":
                out.append(3)
            out.append(byte)
        return b"\x67" + bytes(out)


def sps(profile: int, width: int, height: int, frames_only: int = 1, crop: tuple[int, ...] = (), poc: int = 2) -> bytes:
    """width, height: in macroblocks (height in map units)."""
    writer = BitWriter().u(profile, 8).u(0, 8).u(31, 8).ue(0)
    if profile == 100:
        writer.ue(1).ue(0).ue(0).u(0, 1).u(1, 1)
        writer.u(1, 1).ue(16)
        writer.bits += "0" * 7
    writer.ue(0).ue(poc)
    if poc == 0:
        writer.ue(4)
    elif poc == 1:
        writer.u(0, 1).ue(3).ue(4).ue(2).ue(1).ue(2)
    writer.ue(1).u(0, 1).ue(width - 1).ue(height - 1).u(frames_only, 1)
    if not frames_only:
        writer.u(0, 1)
    writer.u(1, 1).u(bool(crop), 1)
    for edge in crop:
        writer.ue(edge)
    return writer.u(0, 1).unit()


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        (sps(66, 80, 45), Size(1280, 720)),
        (sps(66, 120, 68, crop=(0, 0, 0, 4)), Size(1920, 1080)),
        (sps(77, 120, 34, frames_only=0, crop=(0, 0, 0, 2), poc=0), Size(1920, 1080)),
        (sps(66, 40, 23, crop=(0, 0, 0, 4), poc=1), Size(640, 360)),
        (sps(100, 40, 23, crop=(1, 1, 1, 3)), Size(636, 360)),
        (sps(66, 2048, 2048), Size(32768, 32768)),
    ],
)
def test_reads_parameter_sets(unit: bytes, size: Size) -> None:
    assert key_frame_size(CodecId.H264, annexb([unit, b"\x68\xce\x01", b"\x65\x88\x01"])) == size


def test_the_largest_of_several_counts() -> None:
    assert key_frame_size(CodecId.H264, annexb([sps(66, 2, 2), sps(66, 9, 9), sps(66, 3, 3)])) == Size(144, 144)


def test_reads_vp8_key_frames_without_their_scale_bits() -> None:
    frame = b"\x10\x02\x00\x9d\x01\x2a" + (1280 | 1 << 14).to_bytes(2, "little") + (720 | 2 << 14).to_bytes(2, "little")
    assert key_frame_size(CodecId.VP8, frame) == Size(1280, 720)
    assert key_frame_size(CodecId.VP8, b"\x11" + frame[1:]) is None


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        (CodecId.VP8, b""),
        (CodecId.VP8, b"\x10\x02\x00\x9d\x01"),
        (CodecId.VP8, b"\x10\x02\x00\x9d\x01\x2b\x00\x05\xd0\x02"),
        (CodecId.VP8, b"\x10\x02\x00\x9d\x01\x2a\x00\x00\xd0\x02"),
        (CodecId.H264, annexb([b"\x67\x42"])),
        (CodecId.H264, annexb([b"\x67\x42\xc0\x1f" + b"\x00\x00\x03" * 9 + b"\x01"])),
        (CodecId.H264, annexb([sps(66, 80, 45, crop=(0, 300, 0, 0))])),
    ],
)
def test_malformed_headers_are_codec_errors(codec: CodecId, data: bytes) -> None:
    with pytest.raises(CodecError):
        key_frame_size(codec, data)


@given(
    st.sampled_from([CodecId.VP8, CodecId.H264]),
    st.sampled_from([b"", b"\0\0\1\x67", b"\x10\0\0\x9d\1\x2a"]),
    st.binary(),
)
def test_anything_has_a_size_or_none_or_is_a_codec_error(codec: CodecId, head: bytes, data: bytes) -> None:
    try:
        size = key_frame_size(codec, head + data)
    except CodecError:
        return
    assert size is None or (size.width > 0 and size.height > 0)
    is_key_frame(codec, head + data)


def test_a_key_frame_of_h264_has_a_picture_and_its_parameters() -> None:
    unit, idr = sps(66, 80, 45), b"\x65\x88\x01"
    assert is_key_frame(CodecId.H264, annexb([unit, idr]))
    assert not is_key_frame(CodecId.H264, annexb([unit, b"\x41\x9a\x01"]))
    assert not is_key_frame(CodecId.H264, annexb([idr]))


def test_limits_of_cameras_and_screens() -> None:
    check_size(Size(1080, 1920), screen=False)
    check_size(Size(3840, 2160), screen=True)
    with pytest.raises(CodecError, match="1920x1200"):
        check_size(Size(1920, 1200), screen=False)
    with pytest.raises(CodecError, match="16383x16383"):
        check_size(Size(16383, 16383), screen=True)
