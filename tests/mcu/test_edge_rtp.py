"""RTP headers, reception statistics, one sender's numbers, and runs for segmentation offload."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtcpPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import vp8
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.answer import Streams
from mixdown.mcu.edge.offer import URI_LEVEL, URI_MID, URI_SEND_TIME, Codec, Direction, OfferedMedia
from mixdown.mcu.edge.reception import Reception
from mixdown.mcu.edge.rtp import HeaderTemplate, parse_rtp
from mixdown.mcu.edge.sender import HISTORY, MediaSender
from mixdown.mcu.edge.udp import MAX_BYTES, MAX_SEGMENTS, offload_works, run_end


def aiortc_map() -> HeaderExtensionsMap:
    extensions = [
        RTCRtpHeaderExtensionParameters(id=4, uri=URI_MID),
        RTCRtpHeaderExtensionParameters(id=2, uri=URI_SEND_TIME),
        RTCRtpHeaderExtensionParameters(id=1, uri=URI_LEVEL),
    ]
    extension_map = HeaderExtensionsMap()
    extension_map.configure(RTCRtpParameters(headerExtensions=extensions))
    return extension_map


def test_headers_are_read_by_another_implementation():
    video = HeaderTemplate(7, "video", mid_id=4, send_time_id=2, level_id=None)
    data = video.header(96, 65535, 2**32 - 1, marker=True) + video.extensions(1.5, None) + b"abc"
    packet = RtpPacket.parse(data, aiortc_map())
    assert (packet.ssrc, packet.sequence_number, packet.timestamp, packet.marker) == (7, 65535, 2**32 - 1, 1)
    assert packet.extensions.mid == "video" and packet.extensions.abs_send_time == int(1.5 * (1 << 18))
    assert packet.payload == b"abc"
    audio = HeaderTemplate(8, "0", mid_id=4, send_time_id=None, level_id=1)
    packet = RtpPacket.parse(audio.header(111, 1, 2, marker=False) + audio.extensions(0, 33) + b"x", aiortc_map())
    assert packet.extensions.audio_level == (True, 33) and packet.extensions.mid == "0"


def test_what_another_implementation_writes_is_read():
    packet = RtpPacket(payload_type=111, sequence_number=9, timestamp=8, ssrc=7, payload=b"sound")
    packet.extensions.mid = "3"
    packet.extensions.audio_level = (True, 42)
    packet.padding_size = 4
    found = parse_rtp(packet.serialize(aiortc_map()), with_extensions=True)
    assert found[1:6] == (111, 9, 8, 7, b"sound")
    assert found.extensions[4] == b"3" and found.extensions[1][0] & 0x7F == 42


@given(st.binary(max_size=64))
def test_garbage_is_a_value_error_or_a_packet(data):
    with contextlib.suppress(ValueError):
        parse_rtp(b"\x90" + data, with_extensions=True)


@given(
    st.lists(
        st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16), st.integers(0, 3)), unique_by=lambda e: e[0]
    ),
    st.integers(1, 15),
    st.integers(0, 7),
)
def test_the_one_extension_that_is_looked_for_is_what_reading_all_finds(elements, wanted, cut):
    block = b"".join(bytes((id_ << 4 | len(data) - 1,)) + data + bytes(pause) for id_, data, pause in elements)
    block += bytes(-len(block) % 4)
    packet = b"\x90\x60" + bytes(10) + b"\xbe\xde" + (len(block) // 4).to_bytes(2, "big") + block + b"payload"
    packet = packet[: len(packet) - cut]
    every, one = parse_rtp(packet, with_extensions=True), parse_rtp(packet, with_extensions=False, only=wanted)
    found = every.extensions.get(wanted)
    assert one.extensions == ({} if found is None else {wanted: found}) and one.payload == every.payload


def test_two_byte_extensions_are_found_as_well():
    packet = b"\x90\x60" + bytes(10) + b"\x10\x00\x00\x01" + b"\x05\x01\x2a\x00" + b"payload"
    assert parse_rtp(packet, with_extensions=False, only=5).extensions == {5: b"\x2a"}


def test_extensions_of_a_wrong_length_are_left_out():
    body = b"\x90\x60" + bytes(10) + b"\xbe\xde\x00\x01" + b"\x1f\x01\x02\x03" + b"payload"
    found = parse_rtp(body, with_extensions=True)
    assert found.extensions == {} and found.payload == b"payload"


def test_reception_counts_loss_over_the_wrap():
    reception = Reception(90_000)
    for number in [*range(65530, 65536), *range(2, 10)]:
        reception.packet(number, number * 3000 % 2**32, number / 30)
    fraction, lost, highest, *_ = reception.report(1.0)
    assert lost == 2 and highest == 65536 + 9 and fraction == (2 << 8) // 16
    assert reception.report(2.0)[0] == 0


@pytest.mark.parametrize("lost", [[65534, 65535, 0, 1], [30, 29, 5], list(range(65500, 65536)) + list(range(40))])
def test_a_nack_may_reach_over_the_wrap(lost):
    (packet,) = RtcpPacket.parse(rtcp.nack(1, 2, lost))
    assert (packet.ssrc, packet.media_ssrc) == (1, 2)
    assert {number & 0xFFFF for number in packet.lost} == set(lost)


MEDIA = OfferedMedia(
    0, "v", "video", MediaKind.VIDEO, "UDP/TLS/RTP/SAVPF", "96", Direction.SENDRECV, (), {URI_MID: 4}, (), {},
    slides=False, rejected=False,
)  # fmt: skip
VP8_CODEC = Codec(CodecId.VP8, 96, 97, "VP8", 90_000, None, {}, ())


def frame(stream: str, n: int, *, key: bool = False, epoch: int = 0, rtp_time: int | None = None) -> EncodedFrame:
    time = n * 3000 if rtp_time is None else rtp_time
    return EncodedFrame(stream, epoch, CodecId.VP8, n, n, time, b"", key=key)


def test_numbers_run_on_over_a_switch_and_a_restart():
    sender = MediaSender(MEDIA, VP8_CODEC, Streams(1, 2))
    sent = []
    sender.wanted = "full"
    plan = [frame("full", 0, key=True), frame("full", 1), frame("low", 2, key=True), frame("full", 3)]
    plan += [frame("full", 0, key=True, epoch=1, rtp_time=0), frame("full", 1, epoch=1, rtp_time=3000)]
    for index, item in enumerate(plan):
        sender.wanted = "low" if index == 2 else "full" if index == 4 else sender.wanted
        if sender.takes(item):
            sent.append([parse_rtp(p, with_extensions=False) for p in sender.packetise(item, [b"a", b"b"], index / 30)])
    assert len(sent) == 5, "a frame of a stream that was left behind was sent"
    packets = [packet for group in sent for packet in group]
    sequences = [packet.sequence for packet in packets]
    assert sequences == [(sequences[0] + i) & 0xFFFF for i in range(len(sequences))]
    pictures = [vp8.parse(group[0].payload)[0].picture_id for group in sent]
    assert pictures == [(pictures[0] + i) & 0x7FFF for i in range(5)]
    steps = [(b[0].timestamp - a[0].timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(sent)]
    assert all(0 < step < 90_000 for step in steps), steps
    assert [group[0].marker for group in sent] == [False] * 5 and [group[1].marker for group in sent] == [True] * 5


def test_nothing_is_sent_before_a_key_frame():
    sender = MediaSender(MEDIA, VP8_CODEC, Streams(1, 2))
    sender.wanted = "full"
    assert not sender.takes(frame("full", 1))
    assert sender.takes(frame("full", 2, key=True)) and sender.takes(frame("full", 3))


def test_repair_is_rfc_4588_and_bounded():
    sender = MediaSender(MEDIA, VP8_CODEC, Streams(1, 2))
    packets = sender.packetise(frame("full", 0, key=True), [b"x" * 1000] * 40, 0.0)
    first = parse_rtp(packets[0], with_extensions=False)
    repair = sender.repair(first.sequence, 1.0)
    assert repair is not None
    packet = parse_rtp(repair, with_extensions=False)
    assert (packet.ssrc, packet.payload_type, packet.timestamp) == (2, 97, first.timestamp)
    assert packet.payload == first.sequence.to_bytes(2, "big") + first.payload
    assert sender.repair(first.sequence, 1.001) is None, "repaired twice at once"
    assert sender.repair((first.sequence - 1) & 0xFFFF, 1.0) is None
    granted = sum(sender.repair((first.sequence + i) & 0xFFFF, 2.0) is not None for i in range(HISTORY))
    assert 20 < granted < 40, "the budget does not bound repairs"


def test_a_second_copy_has_its_own_number_and_the_same_content_and_the_budget_bounds_it_too():
    sender = MediaSender(MEDIA, VP8_CODEC, Streams(1, 2))
    packets = sender.packetise(frame("full", 0, key=True), [b"x" * 1000] * 40, 0.0)
    numbers = [parse_rtp(packet, with_extensions=False).sequence for packet in packets]
    repair = sender.repair(numbers[0], 1.0)
    assert repair is not None
    assert sender.repair_again(numbers[1:2], 1.0) == [], "it was not asked for"
    sender.packetise(frame("full", 1), [b"x" * 1000] * 100, 0.5)
    (again,) = sender.repair_again(numbers[:2], 1.0)
    first, second = parse_rtp(repair, with_extensions=False), parse_rtp(again, with_extensions=False)
    assert second.sequence == first.sequence + 1 and (second.payload, second.ssrc) == (first.payload, first.ssrc)
    repaired = [number for number in numbers if sender.repair(number, 2.0) is not None]
    assert len(repaired) > 20 and sender.repair_again(repaired, 2.0) == [], "what is left is for first copies"


def test_what_a_blackout_took_is_beyond_repair_and_asked_for_once():
    sender = MediaSender(MEDIA, VP8_CODEC, Streams(1, 2))
    packets = sender.packetise(frame("full", 0, key=True), [b"x" * 1000] * 100, 0.0)
    numbers = [parse_rtp(packet, with_extensions=False).sequence for packet in packets]
    assert not sender.beyond_repair(numbers[:20])
    assert sender.beyond_repair(numbers)
    sender.repair_no_more()
    assert not sender.beyond_repair(numbers), "a key frame is on its way"


def test_a_picture_that_the_line_does_not_carry_is_repaired_no_more():
    sender = MediaSender(MEDIA, VP8_CODEC, Streams(1, 2))
    old = parse_rtp(sender.packetise(frame("full", 0, key=True), [b"x" * 1000], 0.0)[0], with_extensions=False)
    sender.repair_no_more()
    new = parse_rtp(sender.packetise(frame("low", 1, key=True), [b"x" * 1000], 0.1)[0], with_extensions=False)
    assert sender.repair(old.sequence, 1.0) is None
    assert sender.repair(new.sequence, 1.0) is not None


def test_repair_without_rtx_repeats_the_very_bytes():
    codec = Codec(CodecId.VP8, 96, None, "VP8", 90_000, None, {}, ())
    sender = MediaSender(MEDIA, codec, Streams(1, 2))
    packets = sender.packetise(frame("full", 0, key=True), [b"abc"], 0.0)
    assert sender.repair(parse_rtp(packets[0], with_extensions=False).sequence, 5.0) == packets[0]


@given(st.lists(st.integers(1, 1400), min_size=1, max_size=200))
def test_offload_runs_cover_everything_within_the_kernels_limits(sizes):
    packets = [bytes(size) for size in sizes]
    start = 0
    while start < len(packets):
        end = run_end(packets, start)
        run = packets[start:end]
        assert 1 <= len(run) <= MAX_SEGMENTS and sum(map(len, run)) <= MAX_BYTES
        assert all(len(p) == len(run[0]) for p in run[:-1]) and len(run[-1]) <= len(run[0])
        start = end


def test_offload_probe_gives_an_answer():
    assert offload_works() in (True, False)


@pytest.mark.parametrize("mid_id", [None, 4])
def test_no_extension_block_without_extensions(mid_id):
    template = HeaderTemplate(1, "0", mid_id=mid_id, send_time_id=None, level_id=None)
    data = template.header(96, 1, 1, marker=False) + template.extensions(0, None) + b"payload"
    assert bool(data[0] & 0x10) == (mid_id is not None)
    assert parse_rtp(data, with_extensions=True).payload == b"payload"
