"""Opus through libopus and through PyAV, and the telephone codecs: a tone there and back."""

from __future__ import annotations

import numpy as np
import pytest

from mixdown.codecs import libopus
from mixdown.codecs.audio import make_audio_decoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.opus import LOOK_AHEAD, OpusDecoder, OpusEncoder, Signal, has_fec, packet_samples
from mixdown.codecs.opus_av import AvOpusDecoder, AvOpusEncoder
from mixdown.mixer.media import Samples, silence


def tone(hz: float, blocks: int, amplitude: float = 0.3) -> list[Samples]:
    wave = (amplitude * np.sin(2 * np.pi * hz * np.arange(blocks * 960) / 48000)).astype(np.float32)
    return list(np.stack((wave, wave), axis=1).reshape(blocks, 960, 2))


def speech(blocks: int) -> list[Samples]:
    """Something that SILK takes for a voice: a pulse train with a moving pitch through two formants."""
    t = np.arange(blocks * 960) / 48000
    phase = np.cumsum(120 + 20 * np.sin(2 * np.pi * 2 * t)) / 48000
    wave = sum(np.sin(2 * np.pi * k * phase) / k * (1 + 3 * (k in (4, 5, 12))) for k in range(1, 25))
    wave = (0.1 * wave * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))).astype(np.float32)
    return list(np.stack((wave, wave), axis=1).reshape(blocks, 960, 2))


def level(samples: Samples, hz: float) -> float:
    """Amplitude of one frequency on the left channel."""
    return 2 * abs(np.exp(-2j * np.pi * hz * np.arange(len(samples)) / 48000) @ samples[:, 0]) / len(samples)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


PAIRS = {
    "libopus": (OpusEncoder, OpusDecoder),
    "pyav": (AvOpusEncoder, AvOpusDecoder),
    **{
        c.value: (lambda c=c: make_audio_encoder(c), lambda c=c: make_audio_decoder(c))
        for c in CodecId
        if c.clock_rate < 90_000
    },
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_tone_comes_back_as_it_was(pair):
    encoder, decoder = pair[0](), pair[1]()
    packets = [encoder.encode(block) for block in tone(1000, 20)]
    assert {decoder.samples(p) for p in packets} == {960}
    blocks = [decoder.decode(p) for p in packets]
    assert all(b.shape == (960, 2) and b.dtype == np.float32 for b in blocks)
    sound = np.concatenate(blocks[5:])
    assert level(sound, 1000) == pytest.approx(0.3, rel=0.1)
    assert rms(sound) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    encoder.close()
    decoder.close()


def test_sound_is_late_by_the_look_ahead():
    click = [silence() for _ in range(10)]
    click[5][480:] = 0.5
    encoder, decoder = OpusEncoder(bitrate=256_000), OpusDecoder()
    sound = np.concatenate([decoder.decode(encoder.encode(block)) for block in click])[:, 0]
    edge = int(np.argmax(sound > 0.25))
    assert abs(edge - (5 * 960 + 480) - LOOK_AHEAD) < 12


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_no_decoder_can_take_is_refused_and_survived(pair):
    encoder, decoder = pair[0](), pair[1]()
    good = encoder.encode(tone(1000, 1)[0])
    for bad in [b"", b"\xff" * 2000]:
        with pytest.raises(CodecError):
            decoder.decode(bad)
    assert decoder.decode(good).shape == (960, 2)
    assert len(decoder.conceal(960)) >= 960


def test_which_library_is_used_can_be_told():
    assert libopus.available()
    assert "libopus" in libopus.where() and "/" in libopus.where()


def test_channels_stay_apart():
    encoder, decoder = OpusEncoder(bitrate=96_000), OpusDecoder()
    left = [block * np.array([1, 0], np.float32) for block in tone(1000, 15)]
    sound = np.concatenate([decoder.decode(encoder.encode(b)) for b in left][5:])
    assert level(sound, 1000) == pytest.approx(0.3, rel=0.1)
    assert level(sound[:, ::-1], 1000) < 0.01


def test_a_lost_packet_is_concealed_in_the_tone_that_was():
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for block in tone(1000, 20):
        decoder.decode(encoder.encode(block))
    made_up = decoder.conceal(960)
    assert made_up.shape == (960, 2)
    assert level(made_up, 1000) > 0.15


def test_a_lost_packet_comes_back_from_the_next_ones_fec():
    """Closer to what was sent than what concealment makes of it."""
    encoder = OpusEncoder(bitrate=32_000, fec=True, loss_percent=20, signal=Signal.VOICE)
    packets = [encoder.encode(block) for block in speech(40)]
    intact, fec, plain = OpusDecoder(), OpusDecoder(), OpusDecoder()
    errors = {"fec": 0.0, "plain": 0.0}
    for n, packet in enumerate(packets):
        truth = intact.decode(packet)
        if n >= 10 and n % 5 == 0:
            errors["fec"] += rms(fec.decode_fec(packets[n + 1], 960) - truth)
            errors["plain"] += rms(plain.conceal(960) - truth)
        else:
            fec.decode(packet)
            plain.decode(packet)
    assert errors["fec"] < 0.6 * errors["plain"]


def test_a_primed_encoder_carries_on_where_the_other_one_was():
    """A listener moved to it hears the tone go on; one moved to an encoder that starts from nothing does not."""
    blocks = tone(1000, 30)
    first, primed, fresh, reference = OpusEncoder(), OpusEncoder(), OpusEncoder(), OpusDecoder()
    packets = [first.encode(block) for block in blocks]
    stayed = [reference.decode(p) for p in packets]
    primed.prime(blocks[10:20])
    errors = {}
    for encoder in (primed, fresh):
        decoder = OpusDecoder()
        for packet in packets[:20]:
            decoder.decode(packet)
        errors[encoder] = max(rms(decoder.decode(encoder.encode(blocks[n])) - stayed[n]) for n in range(20, 30))
    assert errors[primed] < 0.05 * 0.3
    assert errors[primed] < 0.3 * errors[fresh]


def test_dtx_sends_next_to_nothing_in_silence():
    encoder = OpusEncoder(dtx=True)
    sizes = [len(encoder.encode(silence())) for _ in range(60)]
    assert min(sizes) <= 2


def test_bitrates_are_kept_and_can_be_changed():
    encoder = OpusEncoder(bitrate=24_000, vbr=False)
    assert {len(encoder.encode(b)) for b in tone(1000, 5)} == {60}
    encoder.control(libopus.SET_BITRATE, 64_000)
    assert len(encoder.encode(silence())) == 160
    with pytest.raises(CodecError, match="4010"):
        encoder.control(libopus.SET_COMPLEXITY, 99)


def test_closed_codecs_and_wrong_blocks_are_refused():
    encoder, decoder = OpusEncoder(), OpusDecoder()
    with pytest.raises(CodecError):
        encoder.encode(silence()[:480])
    for codec in (encoder, decoder):
        codec.close()
        codec.close()
    with pytest.raises(CodecError):
        encoder.encode(silence())
    with pytest.raises(CodecError):
        decoder.conceal(960)


def test_no_video_codec_is_taken_for_sound():
    for make in (make_audio_encoder, make_audio_decoder):
        with pytest.raises(CodecError):
            make(CodecId.VP8)


@pytest.mark.parametrize("toc", range(256))
def test_lengths_are_read_as_libopus_reads_them(toc):
    """RFC 6716, 3.1, for every first byte and some frame counts."""
    lib = libopus.library()
    for second in (0, 1, 3, 6, 48, 63):
        packet = bytes([toc, second])
        expected = lib.opus_packet_get_nb_samples(packet, 2, 48_000)
        if expected <= 0:
            with pytest.raises(CodecError):
                packet_samples(packet)
        else:
            assert packet_samples(packet) == expected


def test_fec_is_found_where_libopus_finds_it():
    has = libopus.library().opus_packet_has_lbrr
    for blocks in (speech(40), tone(1000, 20)):
        for loss in (0, 15):
            encoder = OpusEncoder(fec=loss > 0, loss_percent=loss)
            packets = [encoder.encode(block) for block in blocks]
            found = [has_fec(packet) for packet in packets]
            assert found == [bool(has(packet, len(packet))) for packet in packets]
            assert any(found) == (loss > 0)
