"""An incoming source: restarts, foreign SSRCs, repair, and what it asks for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import red, vp8
from mixdown.mcu.edge.offer import URI_LEVEL, Codec, Direction, OfferedMedia
from mixdown.mcu.edge.receiver import KEY_FRAME_PAUSE, SourceReceiver
from mixdown.mcu.edge.rtp import RtpHeader
from mixdown.mcu.link.messages import SourceKind

VP8 = Codec(CodecId.VP8, 96, 97, "VP8", 90_000, None, {}, ())
OPUS = Codec(CodecId.OPUS, 111, None, "opus", 48_000, 2, {}, ())


class Incoming:
    def __init__(self, kind: SourceKind, sound: tuple[Codec, ...] = (OPUS,)) -> None:
        video = kind.media is MediaKind.VIDEO
        media = OfferedMedia(
            0, "0", kind.media.value, kind.media, "UDP/TLS/RTP/SAVPF", "", Direction.SENDRECV,
            (VP8,) if video else sound, {} if video else {URI_LEVEL: 1}, (7,), {}, False, False,
        )  # fmt: skip
        self.frames: list[EncodedFrame] = []
        self.reopened: list[int] = []
        self.counters: Counter[str] = Counter()
        self.receiver = SourceReceiver(
            "ann-x", kind, media, 2, self.frames.append, lambda r: self.reopened.append(r.epoch), self.counters
        )

    def picture(self, n: int, now: float, *, ssrc: int = 7, key: bool = False) -> None:
        payload = vp8.descriptor(True, n) + bytes([0 if key else 1]) + b"picture" * 3
        self.receiver.rtp(RtpHeader(True, 96, n & 0xFFFF, n * 3000, ssrc, payload, {}), now)


def test_a_new_ssrc_starts_the_next_epoch_once_the_old_one_is_silent():
    incoming = Incoming(SourceKind.CAMERA)
    incoming.picture(1, 0.0, key=True)
    incoming.picture(500, 0.1, ssrc=8, key=True)
    assert incoming.counters["second_ssrc"] == 1 and not incoming.reopened
    incoming.picture(501, 0.5, ssrc=8, key=True)
    incoming.picture(502, 0.53, ssrc=8)
    assert [frame.epoch for frame in incoming.frames] == [512, 513, 513]
    assert incoming.reopened == [513]


def test_a_lost_packet_is_asked_for_and_its_repair_completes_the_picture():
    incoming = Incoming(SourceKind.CAMERA)
    incoming.picture(65534, 0.0, key=True)
    incoming.picture(65536, 0.033)
    assert len(incoming.frames) == 1
    lost, pli = incoming.receiver.poll(0.06, 0.02)
    assert lost == [65535] and not pli
    payload = (65535).to_bytes(2, "big") + vp8.descriptor(True, 65535 & 0x7FFF) + b"\x01lost"
    incoming.receiver.rtp(RtpHeader(True, 97, 1, 65535 * 3000, 9, payload, {}), 0.07)
    assert [frame.sequence for frame in incoming.frames] == [65534, 65535, 65536]


def test_sound_carries_its_level_and_every_packet_is_a_frame():
    incoming = Incoming(SourceKind.MICROPHONE)
    for n in range(3):
        incoming.receiver.rtp(RtpHeader(False, 111, n, n * 960, 7, b"opus", {1: bytes((0x80 | 30,))}), n / 50)
    assert [frame.level for frame in incoming.frames] == [30] * 3 and incoming.receiver.level == 30
    assert [frame.rtp_time for frame in incoming.frames] == [0, 960, 1920]
    assert incoming.receiver.poll(1.0, 0.1) == ([], False)


OPUS_RED = replace(OPUS, red=63)
PCMU = Codec(CodecId.PCMU, 0, None, "PCMU", 8_000, 1, {}, ())


def opus(n: int) -> bytes:
    return bytes((0x78, n & 0xFF))


def spoken(n: int) -> RtpHeader:
    """A packet as a browser sends it: itself, and the one before."""
    payload = red.build(111, opus(n), [(960, opus(n - 1))])
    return RtpHeader(False, 63, n & 0xFFFF, n * 960, 7, payload, {1: bytes((0x80 | 30,))})


def test_a_lost_packet_of_sound_comes_out_of_the_next_one_and_is_still_reported_as_lost():
    incoming = Incoming(SourceKind.MICROPHONE, (OPUS_RED,))
    for n in range(65530, 65550):
        if n not in (65535, 65540, 65541):
            incoming.receiver.rtp(spoken(n), n / 50)
    frames = {frame.sequence: frame for frame in incoming.frames}
    assert len(frames) == len(incoming.frames) and set(range(65530, 65550)) - set(frames) == {65540}
    assert {n for n, frame in frames.items() if frame.redundant} == {65535, 65541}
    assert all((f.codec, f.rtp_time, f.data) == (CodecId.OPUS, n * 960, opus(n)) for n, f in frames.items())
    assert frames[65535].arrival == 65536 / 50 and frames[65535].level is None and frames[65536].level == 30
    assert incoming.receiver.reception is not None and incoming.receiver.reception.lost == 3
    assert incoming.counters["red_packets"] == 17 and incoming.counters["red_repaired"] == 2


def test_plain_packets_and_another_codec_may_come_on_a_line_with_red():
    incoming = Incoming(SourceKind.MICROPHONE, (PCMU, OPUS_RED))
    incoming.receiver.rtp(RtpHeader(False, 0, 1, 160, 7, b"u" * 160, {}), 0.0)
    incoming.receiver.rtp(RtpHeader(False, 111, 2, 1920, 7, opus(2), {}), 0.02)
    incoming.receiver.rtp(spoken(4), 0.06)
    assert [(f.codec, f.sequence) for f in incoming.frames] == [
        (CodecId.PCMU, 1), (CodecId.OPUS, 2), (CodecId.OPUS, 4), (CodecId.OPUS, 3),
    ]  # fmt: skip
    assert all(incoming.receiver.takes(payload_type) for payload_type in (0, 63, 111))


def test_malformed_red_raises_for_the_caller_to_count_and_the_stream_goes_on():
    incoming = Incoming(SourceKind.MICROPHONE, (OPUS_RED,))
    incoming.receiver.rtp(spoken(1), 0.0)
    with pytest.raises(ValueError, match="RED"):
        incoming.receiver.rtp(spoken(2)._replace(payload=b"\xef\x0f"), 0.02)
    incoming.receiver.rtp(spoken(3), 0.04)
    assert [frame.sequence for frame in incoming.frames] == [1, 3, 2]


def test_without_red_in_the_answer_its_payload_type_is_nobodys():
    incoming = Incoming(SourceKind.MICROPHONE)
    incoming.receiver.rtp(spoken(1), 0.0)
    assert incoming.frames == [] and not incoming.receiver.takes(63)


def test_the_mixers_key_frame_requests_are_spaced():
    incoming = Incoming(SourceKind.CAMERA)
    assert incoming.receiver.wants_key_frame(1.0)
    assert not incoming.receiver.wants_key_frame(1.0 + KEY_FRAME_PAUSE / 2)
    assert incoming.receiver.wants_key_frame(1.1 + KEY_FRAME_PAUSE)


def test_a_bye_ends_the_source_and_later_packets_open_it_anew():
    incoming = Incoming(SourceKind.SCREEN)
    incoming.picture(1, 0.0, key=True)
    incoming.receiver.bye(1.0)
    incoming.picture(2, 1.1)
    assert len(incoming.frames) == 1, "a straggler brought the screen back"
    incoming.picture(3, 2.0, key=True)
    assert [frame.epoch for frame in incoming.frames] == [512, 513] and incoming.reopened == [513]


def test_a_source_that_was_stopped_stays_stopped_while_its_packets_come():
    incoming = Incoming(SourceKind.SCREEN)
    incoming.picture(0, 0.0, key=True)
    incoming.receiver.stop(0.0)
    for n in range(1, 100):
        incoming.picture(n, n / 30, key=True)
    assert len(incoming.frames) == 1
    incoming.picture(200, 99 / 30 + 1, key=True)
    assert len(incoming.frames) == 2
