"""The way out to one peer on a thin line: sound passes what waits, and padding looks like repairs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pylibsrtp

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu import clock
from mixdown.mcu.edge.answer import Streams
from mixdown.mcu.edge.frame_packets import MARK_EVERY
from mixdown.mcu.edge.meter import RoomMeter
from mixdown.mcu.edge.offer import URI_MID, URI_SEND_TIME, Codec, Direction, OfferedMedia
from mixdown.mcu.edge.outgoing import HEADERS, THIN_BURST, Outgoing
from mixdown.mcu.edge.rtp import parse_rtp
from mixdown.mcu.edge.sender import PADDING, MediaSender
from mixdown.mcu.edge.transport_cc import URI_TRANSPORT_CC

MARK = 5
CODEC = Codec(CodecId.VP8, 96, 97, "VP8", 90_000, None, {}, ())


def media(codec: Codec = CODEC) -> OfferedMedia:
    return OfferedMedia(
        index=0,
        mid="0",
        name="video",
        kind=MediaKind.VIDEO,
        profile="UDP/TLS/RTP/SAVPF",
        formats="96 97",
        direction=Direction.SENDRECV,
        codecs=(codec,),
        extensions={URI_MID: 4, URI_SEND_TIME: 2, URI_TRANSPORT_CC: MARK},
        ssrcs=(),
        rtx_of={},
        slides=False,
        rejected=False,
    )


class Wire(Outgoing):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        policy = pylibsrtp.Policy(key=bytes(30), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        ice: Any = SimpleNamespace(selected=None)
        super().__init__(ice, pylibsrtp.Session(policy), Counter(), RoomMeter())
        self.sent: list[bytes] = []
        self.marked: list[tuple[int, int]] = []
        self.on_mark = lambda mark, now, octets: self.marked.append((mark, octets))

    def send(self, packets: Sequence[bytes], *, droppable: bool) -> None:
        self.sent += packets
        self.octets += sum(len(packet) + HEADERS for packet in packets)


async def until_sent(wire: Wire, count: int) -> None:
    async with asyncio.timeout(10):
        while len(wire.sent) < count:
            await asyncio.sleep(0.002)


async def test_sound_passes_a_picture_that_is_paced() -> None:
    wire = Wire()
    wire.rate = 1_000_000
    frame = [bytes([n]) * 1000 for n in range(20)]
    wire.send_paced(frame, [(0, 7), (3, 8), (19, 9)])
    await until_sent(wire, 1)
    assert len(wire.sent) <= THIN_BURST
    wire.send([b"sound"], droppable=False)
    wire.send_paced([b"next"], [(0, 10)])
    await until_sent(wire, 22)
    assert wire.sent.index(b"sound") <= THIN_BURST + 1 and wire.sent[-1] == b"next"
    assert [packet for packet in wire.sent if packet != b"sound"] == [*frame, b"next"]
    numbers, octets = zip(*wire.marked, strict=True)
    assert numbers == (7, 8, 9, 10) and list(octets) == sorted(octets)
    wire.close()


async def test_short_frames_leave_at_once() -> None:
    wire = Wire()
    wire.rate = 300_000
    wire.send_paced([b"a", b"b"], [(0, 1), (1, 2)])
    assert wire.sent == [b"a", b"b"] and [mark for mark, _ in wire.marked] == [1, 2]
    wire.close()


async def test_nothing_of_the_picture_leaves_while_it_is_held() -> None:
    wire = Wire()
    wire.rate = 10_000_000
    wire.hold(clock.now() + 3600)
    wire.send_paced([b"picture"])
    wire.send([b"sound"], droppable=False)
    for _ in range(5):
        await asyncio.sleep(0.006)
    assert wire.sent == [b"sound"]
    wire.drop_picture()
    wire.send_paced([b"next"])
    wire.hold(clock.now())
    await until_sent(wire, 2)
    assert wire.sent == [b"sound", b"next"]
    wire.close()


def picture(n: int, key: bool = False) -> EncodedFrame:
    return EncodedFrame("s", 0, CodecId.VP8, n, n, n * 3000, bytes(100), key=key, arrival=1.0)


def mark_of(packet: bytes) -> int | None:
    mark = parse_rtp(packet, with_extensions=False, only=MARK).extensions.get(MARK)
    return None if mark is None else int.from_bytes(mark, "big")


def test_marks_are_the_first_the_last_and_some_between_in_packets_of_one_size() -> None:
    sender = MediaSender(media(), CODEC, Streams(1, 2))
    sender.wanted = "s"
    packets = sender.packetise(picture(0, key=True), [bytes(500)] * 8, 1.0)
    carrying = [index for index, packet in enumerate(packets) if mark_of(packet) is not None]
    assert carrying == [0, MARK_EVERY, 2 * MARK_EVERY, 7] == [index for index, _ in sender.marks]
    assert len({len(packet) for packet in packets}) == 1
    first = mark_of(packets[0])
    assert first is not None
    sender.packetise(picture(1), [bytes(10)], 1.1)
    assert sender.marks == [(0, (first + 4) & 0xFFFF)]


def test_padding_is_late_packets_once_more_on_the_repair_stream() -> None:
    sender = MediaSender(media(), CODEC, Streams(1, 2))
    assert sender.can_pad and sender.padding(1.0, 2) == []
    sent = [parse_rtp(p, with_extensions=True) for p in sender.packetise(picture(0, key=True), [b"abc", b"de"], 1.0)]
    originals = {one.sequence: one.payload for one in sent}
    padding = [parse_rtp(packet, with_extensions=True) for packet in sender.padding(1.0, PADDING)]
    assert len(padding) == 2, "there are no older ones"
    assert {(one.ssrc, one.payload_type) for one in padding} == {(2, 97)}
    assert [mark for _, mark in sender.marks] == [int.from_bytes(one.extensions[MARK], "big") for one in padding]
    for one in padding:
        assert originals[int.from_bytes(one.payload[:2], "big")] == one.payload[2:]
    assert padding[1].sequence == padding[0].sequence + 1


def test_without_a_repair_stream_there_is_no_padding() -> None:
    codec = Codec(CodecId.VP8, 96, None, "VP8", 90_000, None, {}, ())
    sender = MediaSender(media(codec), codec, Streams(1, 2))
    sender.packetise(picture(0, key=True), [b"abc"], 1.0)
    assert not sender.can_pad and sender.padding(1.0, 3) == []
