from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from mixdown.codecs.encoded import CodecId, Tier, TierName
from mixdown.codecs.errors import CodecError
from mixdown.codecs.h264 import H264Encoder, level_of
from mixdown.codecs.payload import h264
from mixdown.codecs.video import make_video_decoder
from mixdown.mixer.media import I420Frame


def frame(width: int, height: int) -> I420Frame:
    slope = np.add.outer(np.arange(height), np.arange(width)).astype(np.uint8)
    half = (height // 2, width // 2)
    return I420Frame(slope, np.full(half, 90, np.uint8), np.full(half, 160, np.uint8))


@pytest.mark.parametrize(
    ("width", "height", "fps", "level"),
    [
        (320, 180, 15, 12),
        (640, 360, 30, 30),
        (1280, 720, 30, 31),
        (1280, 720, 60, 32),
        (720, 1280, 30, 31),
        (1920, 1080, 30, 40),
    ],
)
def test_the_level_follows_the_canvas_and_is_written(width: int, height: int, fps: int, level: int) -> None:
    tier = Tier(TierName.FULL, width, height, fps, 300)
    assert level_of(tier) == level
    picture = H264Encoder(tier).encode(frame(width, height), 0, False)
    sps = h264.nal_units(picture.data)[0]
    assert (sps[0] & 31, sps[1], sps[3]) == (h264.SPS, 66, level)
    assert sps[2] & 0xC0 == 0xC0


def test_no_level_for_the_impossible() -> None:
    with pytest.raises(CodecError, match=r"no H\.264 level"):
        level_of(Tier(TierName.FULL, 16000, 9000, 60, 1000))


def test_each_key_frame_is_sps_pps_and_one_slice_and_the_others_one_slice() -> None:
    encoder = H264Encoder(Tier(TierName.MEDIUM, 640, 360, 30, 700))
    for n in range(20):
        picture = encoder.encode(frame(640, 360), n, n in (5, 6))
        kinds = [h264.unit_type(unit) for unit in h264.nal_units(picture.data)]
        assert kinds == ([h264.SPS, h264.PPS, h264.IDR] if n in (0, 5, 6) else [h264.SLICE])


@pytest.mark.parametrize(("form", "options"), [("yuvj420p", {}), ("yuv420p", {"x264-params": "fullrange=on"})])
def test_full_range_is_pressed_into_limited(form: str, options: dict[str, str]) -> None:
    assert abs(_decoded_grey(form, 255, options) - 235) <= 2
    assert abs(_decoded_grey(form, 0, options) - 16) <= 2


def test_other_formats_are_converted() -> None:
    assert abs(_decoded_grey("yuv422p", 200, {}) - 200) <= 2
    assert abs(_decoded_grey("yuv444p", 100, {}) - 100) <= 2


def _decoded_grey(form: str, grey: int, options: dict[str, str]) -> float:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 128, 96, form, Fraction(1, 30)
    context.options = {"tune": "zerolatency", **options}
    picture = av.VideoFrame(128, 96, form)
    for plane, value in zip(picture.planes, (grey, 128, 128), strict=True):
        plane.update(bytes((value,)) * plane.buffer_size)
    data = b"".join(bytes(packet) for packet in context.encode(picture))
    (back,) = make_video_decoder(CodecId.H264).decode(data)
    assert abs(float(back.u.mean()) - 128) <= 2
    return float(back.y.mean())
