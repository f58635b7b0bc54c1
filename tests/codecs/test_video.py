from __future__ import annotations

import gc
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixdown.codecs.encoded import CodecId, Tier, TierName
from mixdown.codecs.errors import CodecError
from mixdown.codecs.keyframe import key_frame_size
from mixdown.codecs.payload import h264, vp8
from mixdown.codecs.video import SIZE_CHANGES, make_video_decoder, make_video_encoder
from mixdown.codecs.vp8 import Vp8Encoder
from mixdown.mixer.media import I420Frame, Size

CODECS = pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.H264])
TIER = Tier(TierName.MEDIUM, 320, 192, 30, 500)


def canvas(width: int, height: int) -> I420Frame:
    """Three planes in one buffer, as the compositor makes them."""
    flat = np.zeros(width * height * 3 // 2, np.uint8)
    luma, chroma = width * height, width * height // 4
    half = (height // 2, width // 2)
    return I420Frame(
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(half),
        flat[luma + chroma :].reshape(half),
    )


def pattern(number: int, width: int = 320, height: int = 192) -> I420Frame:
    """Four colours and a slope that moves."""
    frame = canvas(width, height)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    frame.y[:] = 60 + (x + y + 3 * number) // 4 % 120
    frame.u[: height // 4], frame.u[height // 4 :] = 90, 160
    frame.v[:, : width // 4], frame.v[:, width // 4 :] = 200, 100
    return frame


def psnr(a: I420Frame, b: I420Frame) -> float:
    assert a.size == b.size
    parts = [(one.astype(np.float64) - other) ** 2 for one, other in ((a.y, b.y), (a.u, b.u), (a.v, b.v))]
    error = sum(part.sum() for part in parts) / sum(part.size for part in parts)
    return float(10 * np.log10(255**2 / error)) if error else 100.0


def encoded(codec: CodecId, count: int, keys: tuple[int, ...] = (), tier: Tier = TIER) -> list[bytes]:
    encoder = make_video_encoder(codec, tier)
    pictures = [encoder.encode(pattern(n, tier.width, tier.height), n, n in keys) for n in range(count)]
    encoder.close()
    return [picture.data for picture in pictures if picture]


@CODECS
def test_what_was_encoded_comes_back_at_once_and_in_colour(codec: CodecId) -> None:
    encoder, decoder = make_video_encoder(codec, TIER), make_video_decoder(codec)
    for n in range(30):
        picture = encoder.encode(pattern(n), n, False)
        assert picture is not None
        assert picture.key == (n == 0) == picture.layer_sync
        (frame,) = decoder.decode(picture.data)
        assert psnr(frame, pattern(n)) > 30
    for codec_object in (encoder, decoder, encoder, decoder):
        codec_object.close()
    with pytest.raises(CodecError, match="closed"):
        encoder.encode(pattern(30), 30, False)
    with pytest.raises(CodecError, match="closed"):
        decoder.decode(picture.data)


@CODECS
def test_key_frames_come_when_asked_and_never_else(codec: CodecId) -> None:
    encoder = make_video_encoder(codec, TIER)
    keys = []
    for n in range(40):
        frame = pattern(n) if n % 10 else canvas(320, 192)
        picture = encoder.encode(frame, n, n in (7, 20, 21))
        if picture and picture.key:
            keys.append(n)
            assert key_frame_size(codec, picture.data) == Size(320, 192)
    assert keys == [0, 7, 20, 21]


@CODECS
def test_each_key_frame_can_be_joined_at(codec: CodecId) -> None:
    data = encoded(codec, 12, keys=(6,))
    decoder = make_video_decoder(codec)
    frames = [decoder.decode(frame)[0] for frame in data[6:]]
    assert all(psnr(frame, pattern(6 + at)) > 30 for at, frame in enumerate(frames))


@CODECS
def test_holds_its_bit_rate(codec: CodecId) -> None:
    rng = np.random.default_rng(3)
    noise = [cv2.GaussianBlur(rng.integers(0, 255, (192, 320), np.uint8), (0, 0), 2) for _ in range(6)]
    encoder = make_video_encoder(codec, TIER)
    total = 0
    for n in range(90):
        frame = canvas(320, 192)
        frame.y[:] = noise[n % 6]
        picture = encoder.encode(frame, n, False)
        assert picture is not None
        total += len(picture.data)
    assert total * 8 / 3 < 500_000 * 1.2


@CODECS
def test_frames_of_other_sizes_and_strides_are_fitted(codec: CodecId) -> None:
    encoder, decoder = make_video_encoder(codec, TIER), make_video_decoder(codec)
    wide = pattern(0, 640, 384)
    (scaled,) = decoder.decode(encoder.encode(wide, 0, False).data)
    assert scaled.size == Size(320, 192)
    assert abs(float(scaled.y.mean()) - float(wide.y.mean())) < 4
    part = pattern(0, 400, 240)
    cut = I420Frame(part.y[:192, :320], part.u[:96, :160], part.v[:96, :160])
    (back,) = decoder.decode(encoder.encode(cut, 1, False).data)
    assert psnr(back, cut) > 30
    odd = pattern(0, 322, 194)
    (back,) = decoder.decode(encoder.encode(odd, 2, False).data)
    assert abs(float(back.y.mean()) - float(odd.y.mean())) < 4


@CODECS
def test_a_frame_is_not_held_after_it_was_encoded(codec: CodecId) -> None:
    encoder = make_video_encoder(codec, TIER)
    frame = pattern(0)
    owner = frame.y.base
    before = sys.getrefcount(owner)
    encoder.encode(frame, 0, False)
    gc.collect()
    assert sys.getrefcount(owner) == before


@CODECS
def test_decoded_pictures_outlive_the_decoder_and_what_it_decodes_later(codec: CodecId) -> None:
    decoder = make_video_decoder(codec)
    frames = [decoder.decode(data)[0] for data in encoded(codec, 40)]
    copies = [I420Frame(frame.y.copy(), frame.u.copy(), frame.v.copy()) for frame in frames]
    decoder.close()
    del decoder
    gc.collect()
    again = make_video_decoder(codec)
    for data in encoded(codec, 40, keys=(3, 9)):
        again.decode(data)
    for at, (frame, copy) in enumerate(zip(frames, copies, strict=True)):
        assert np.array_equal(frame.y, copy.y)
        assert np.array_equal(frame.v, copy.v)
        assert psnr(frame, pattern(at)) > 30
    with pytest.raises(ValueError, match="read-only"):
        frames[0].y[0, 0] = 1
    assert cv2.resize(frames[0].y, (64, 48)).shape == (48, 64)


@CODECS
def test_payloads_carry_the_frames(codec: CodecId) -> None:
    for frame in encoded(codec, 5):
        if codec is CodecId.VP8:
            payloads = [vp8.descriptor(at == 0, 7) + piece for at, piece in enumerate(vp8.split(frame, 300))]
            assert b"".join(vp8.parse(payload)[1] for payload in payloads) == frame
        else:
            assert h264.join(h264.split(frame, 300)) == frame


@CODECS
def test_ticks_may_be_left_out_but_never_go_back(codec: CodecId) -> None:
    encoder = make_video_encoder(codec, TIER)
    assert encoder.encode(pattern(0), 5, False)
    assert encoder.encode(pattern(1), 9, False)
    with pytest.raises(CodecError, match="does not follow"):
        encoder.encode(pattern(2), 9, False)
    assert encoder.encode(pattern(2), 10, False)


@CODECS
def test_begins_with_a_key_frame_and_again_after_an_error(codec: CodecId) -> None:
    data = encoded(codec, 12, keys=(6,))
    decoder = make_video_decoder(codec)
    with pytest.raises(CodecError, match="key frame is needed"):
        decoder.decode(data[1])
    assert decoder.decode(data[0])
    with pytest.raises(CodecError):
        decoder.decode(b"")
    with pytest.raises(CodecError, match="key frame is needed"):
        decoder.decode(data[1])
    assert decoder.decode(data[6])
    assert decoder.decode(data[7])


@CODECS
def test_the_size_may_change_but_not_all_the_time(codec: CodecId) -> None:
    small, large = (encoded(codec, 1, tier=Tier(TierName.LOW, width, 96, 30, 300))[0] for width in (128, 160))
    decoder = make_video_decoder(codec)
    for turn in range(SIZE_CHANGES):
        (frame,) = decoder.decode((small, large)[turn % 2])
        assert frame.size.width == (128, 160)[turn % 2]
    with pytest.raises(CodecError, match="too often"):
        for _ in range(2):
            decoder.decode(small)
            decoder.decode(large)


@CODECS
def test_a_camera_may_be_upright_but_not_huge(codec: CodecId) -> None:
    upright = encoded(codec, 1, tier=Tier(TierName.FULL, 1080, 1920, 10, 3000))[0]
    assert make_video_decoder(codec).decode(upright)[0].size == Size(1080, 1920)
    large = encoded(codec, 1, tier=Tier(TierName.FULL, 2560, 1440, 10, 3000))[0]
    with pytest.raises(CodecError, match="more than"):
        make_video_decoder(codec).decode(large)
    assert make_video_decoder(codec, screen=True).decode(large)[0].size == Size(2560, 1440)


@CODECS
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_decoder_raises_codec_error_and_nothing_else(codec: CodecId, data: st.DataObject) -> None:
    frames = _stream(codec)
    decoder = make_video_decoder(codec)
    for at in data.draw(st.lists(st.integers(0, len(frames) - 1), max_size=6)):
        mutant = bytearray(frames[at])
        for _ in range(data.draw(st.integers(0, 6))):
            mutant[data.draw(st.integers(0, len(mutant) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.none() | st.integers(0, len(mutant)))
        try:
            found = decoder.decode(bytes(mutant[:cut]))
        except CodecError:
            continue
        assert all(frame.size.width * frame.size.height <= 2_100_000 for frame in found)


_STREAMS: dict[CodecId, list[bytes]] = {}


def _stream(codec: CodecId) -> list[bytes]:
    if codec not in _STREAMS:
        _STREAMS[codec] = encoded(codec, 8, keys=(4,), tier=Tier(TierName.LOW, 128, 96, 15, 100))
    return _STREAMS[codec]


@pytest.mark.parametrize("codec", [CodecId.OPUS, CodecId.PCMU])
def test_sound_is_no_video(codec: CodecId) -> None:
    with pytest.raises(CodecError, match="no video codec"):
        make_video_encoder(codec, TIER)
    with pytest.raises(CodecError, match="no video codec"):
        make_video_decoder(codec)


@CODECS
@pytest.mark.parametrize("tier", [Tier(TierName.FULL, 321, 192, 30, 500), Tier(TierName.FULL, 320, 192, 30, 0)])
def test_impossible_tiers_are_refused(codec: CodecId, tier: Tier) -> None:
    with pytest.raises(CodecError, match="cannot encode"):
        make_video_encoder(codec, tier)


def test_the_lower_of_two_temporal_layers_stands_alone() -> None:
    encoder, decoder = Vp8Encoder(TIER, layers=2), make_video_decoder(CodecId.VP8)
    layers = []
    for n in range(40):
        picture = encoder.encode(pattern(n), n, n in (9, 20))
        layers.append(picture.temporal_layer)
        if picture.temporal_layer == 0:
            assert psnr(decoder.decode(picture.data)[0], pattern(n)) > 30
        else:
            assert picture.layer_sync
    assert layers == [0, 1] * 4 + [0] + [0, 1] * 5 + [0] + [0, 1] * 10
