"""Copies for listeners who lose packets: what is shared, what goes by itself, and what each listener is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import red
from mixdown.codecs.payload.red import RedBlock
from mixdown.mcu.edge.answer import Streams
from mixdown.mcu.edge.offer import Codec, Direction, OfferedMedia
from mixdown.mcu.edge.redundant import Copies
from mixdown.mcu.edge.rtp import parse_rtp
from mixdown.mcu.edge.sender import MediaSender

MEDIA = OfferedMedia(
    0, "a", "audio", MediaKind.AUDIO, "UDP/TLS/RTP/SAVPF", "", Direction.SENDRECV, (), {}, (), {},
    slides=False, rejected=False,
)  # fmt: skip
OPUS = Codec(CodecId.OPUS, 111, None, "opus", 48_000, 2, {}, (), red=63)


def frame(n: int, data: bytes = b"opus", *, protected: bool = True) -> EncodedFrame:
    return EncodedFrame("room/mix/opus+fec", 0, CodecId.OPUS, n, n, n * 960, data, protected=protected)


def test_each_packet_but_the_first_has_the_one_before_it_and_is_made_once():
    copies = Copies()
    assert copies.with_copy(frame(1, b"one")) is None
    doubled = copies.with_copy(frame(2, b"two"))
    assert doubled is not None
    (payload,) = doubled.payloads(111)
    assert red.parse(payload) == (RedBlock(111, 960, b"one"), RedBlock(111, 0, b"two"))
    assert doubled.payloads(111)[0] is payload and red.parse(doubled.payloads(96)[0])[0].payload_type == 96


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (frame(1), replace(frame(2), epoch=1)),
        (frame(1), replace(frame(2), stream="other")),
        (frame(1), frame(2, protected=False)),
        (frame(1, protected=False), frame(2)),
        (frame(1), frame(20)),
        (frame(2), frame(2)),
        (frame(1, bytes(1100)), frame(2)),
        (frame(1, bytes(600)), frame(2, bytes(600))),
        (replace(frame(1), codec=CodecId.PCMU), replace(frame(2), codec=CodecId.PCMU)),
    ],
)
def test_what_goes_by_itself(before: EncodedFrame, after: EncodedFrame):
    copies = Copies()
    copies.with_copy(before)
    assert copies.with_copy(after) is None


def test_a_stream_that_ended_is_forgotten():
    copies = Copies()
    copies.with_copy(frame(1))
    copies.forget(frame(1).stream)
    assert copies.with_copy(frame(2)) is None


@pytest.mark.parametrize(("codec", "sent_as"), [(OPUS, 63), (replace(OPUS, red=None), 111)])
def test_only_who_negotiated_it_is_sent_reds_payload_type(codec: Codec, sent_as: int):
    sender = MediaSender(MEDIA, codec, Streams(1, 2))
    types = []
    for n, as_red in ((1, False), (2, True), (3, True)):
        (packet,) = sender.packetise(frame(n), [b"payload"], n / 50, red=as_red)
        types.append(parse_rtp(packet, with_extensions=False).payload_type)
    assert types == [111, sent_as, sent_as]


def test_of_a_tick_in_which_sound_is_switched_one_packet_is_sent():
    sender = MediaSender(MEDIA, OPUS, Streams(1, 2))
    mix, apart = "room/mix/opus", "room/mix/opus/ada"
    sender.wanted = mix
    assert sender.takes(replace(frame(1), stream=mix))
    sender.wanted = apart
    ticks = [[replace(frame(n), stream=stream) for stream in (mix, apart)] for n in (2, 3)]
    assert [[one.stream for one in tick if sender.takes(one)] for tick in ticks] == [[apart], [apart]]
    sender.wanted = mix
    assert [one for one in (replace(frame(4), stream=s) for s in (mix, apart)) if sender.takes(one)] == [
        replace(frame(4), stream=mix)
    ]
