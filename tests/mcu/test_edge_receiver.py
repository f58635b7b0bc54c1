"""An incoming source: restarts, foreign SSRCs, repair, and what it asks for."""

from __future__ import annotations

from collections import Counter

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import vp8
from mixdown.mcu.edge.offer import URI_LEVEL, Codec, Direction, OfferedMedia
from mixdown.mcu.edge.receiver import KEY_FRAME_PAUSE, SourceReceiver
from mixdown.mcu.edge.rtp import RtpHeader
from mixdown.mcu.link.messages import SourceKind

VP8 = Codec(CodecId.VP8, 96, 97, "VP8", 90_000, None, {}, ())
OPUS = Codec(CodecId.OPUS, 111, None, "opus", 48_000, 2, {}, ())


class Incoming:
    def __init__(self, kind: SourceKind) -> None:
        video = kind.media is MediaKind.VIDEO
        media = OfferedMedia(
            0, "0", kind.media.value, kind.media, "UDP/TLS/RTP/SAVPF", "", Direction.SENDRECV,
            (VP8 if video else OPUS,), {} if video else {URI_LEVEL: 1}, (7,), {}, False, False,
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
