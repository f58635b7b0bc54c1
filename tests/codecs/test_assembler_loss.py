"""What is lost: asked for, repaired, given up; and key frames in its stead."""

from __future__ import annotations

import pytest
from support.video_packets import CODECS, START, packets_of, push, push_all

from mixdown.codecs.assembler import VideoAssembler
from mixdown.codecs.encoded import CodecId


@CODECS
def test_a_lost_packet_is_asked_for_and_its_retransmission_completes_all(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 250, 0), (False, 250, 0), (False, 250, 0)])
    lost = packets.pop(4)
    assembler = VideoAssembler()
    assert len(push_all(assembler, codec, packets)) == 1
    assert assembler.poll(0.01, 0.1).nack == [lost.sequence & 0xFFFF]
    assert assembler.poll(0.02, 0.1).nack == []
    released = push(assembler, codec, lost, 0.1)
    assert [frame.data for frame in released] == frames[1:]
    assert assembler.poll(1.0, 0.1) == type(assembler.poll(1.0, 0.1))()


@CODECS
def test_gives_up_in_time_and_asks_for_a_key_frame_until_there_is_one(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0), (False, 250, 0), (False, 10, 0), (True, 250, 0), (False, 1, 0)])
    key = [packet for packet in packets if packet.timestamp == 9000]
    before = [packet for packet in packets if packet.timestamp < 9000]
    lost = next(packet for packet in before if packet.timestamp == 3000 and not packet.marker)
    before.remove(lost)
    assembler = VideoAssembler()
    assert len(push_all(assembler, codec, before)) == 1
    asked = [now / 100 for now in range(200) if assembler.poll(now / 100, 0.05).pli]
    assert asked == [pytest.approx(0.15 + 0.5 * turn, abs=0.011) for turn in range(4)]
    assert assembler.waiting_for_key
    assert assembler.counters.lost == 1
    assert push(assembler, codec, lost, 2.0) == []
    assert assembler.counters.late == 1
    released = push_all(assembler, codec, key + packets[-1:], 2.1)
    assert [frame.data for frame in released] == frames[3:]
    assert not assembler.poll(5.0, 0.05).pli


@CODECS
def test_a_repair_that_comes_before_the_key_frame_heals_the_picture_all_the_same(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0), (False, 250, 0), (False, 10, 0), (False, 1, 0)])
    lost = packets.pop(next(at for at, packet in enumerate(packets) if packet.timestamp == 3000))
    assembler = VideoAssembler()
    assert len(push_all(assembler, codec, packets)) == 1
    assert assembler.poll(0.16, 0.05).pli
    assert not assembler.waiting_for_key
    assert [frame.data for frame in push(assembler, codec, lost, 0.2)] == frames[1:]
    assert not assembler.poll(1.0, 0.05).pli
    assert assembler.counters.lost == 0


@CODECS
def test_a_key_frame_that_comes_before_the_repair_ends_the_wait(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0), (False, 250, 0), (False, 10, 0), (True, 250, 0), (False, 1, 0)])
    lost = packets.pop(next(at for at, packet in enumerate(packets) if packet.timestamp == 3000))
    before = [packet for packet in packets if packet.timestamp < 9000]
    assembler = VideoAssembler()
    push_all(assembler, codec, before)
    assert assembler.poll(0.16, 0.05).pli
    released = push_all(assembler, codec, [p for p in packets if p.timestamp >= 9000], 0.25)
    assert [frame.data for frame in released] == frames[3:]
    assert assembler.counters.lost == 1
    assert push(assembler, codec, lost, 0.3) == []
    assert assembler.poll(1.0, 0.05) == type(assembler.poll(1.0, 0.05))()


@CODECS
def test_a_gap_is_asked_for_as_soon_as_it_is_found_and_tells_when_again(codec: CodecId) -> None:
    _, packets = packets_of(codec, [(True, 250, 0), (False, 250, 0)])
    lost = packets.pop(1)
    assembler = VideoAssembler()
    assert not assembler.gap_found
    push_all(assembler, codec, packets, 1.0)
    assert assembler.gap_found
    assert assembler.poll(1.0, 0.05).nack == [lost.sequence & 0xFFFF]
    assert not assembler.gap_found
    assert 1.0 < assembler.next_poll(1.0, 0.05) < 1.01
    assert assembler.next_poll(1.06, 0.05) == pytest.approx(1.0 + 0.05 * 1.05 + 0.008)
    push(assembler, codec, lost, 1.06)
    assert assembler.next_poll(1.06, 0.05) is not None
    assert assembler.next_poll(4.0, 0.05) is None


@CODECS
def test_on_a_lossy_line_the_end_of_a_frame_is_asked_for_before_the_next_frame_comes(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 250, 0), (False, 250, 0), (False, 250, 0)])
    assembler = VideoAssembler()
    first = [packet for packet in packets if packet.timestamp == 0]
    push_all(assembler, codec, first[:1] + first[2:], 1.0)
    assembler.poll(1.0, 0.05)
    assert len(push(assembler, codec, first[1], 1.01)) == 1
    second = [packet for packet in packets if packet.timestamp == 3000]
    tail = second.pop()
    push_all(assembler, codec, second, 1.02)
    assert assembler.poll(1.03, 0.05).nack == []
    assert assembler.poll(1.033, 0.05).nack == [tail.sequence & 0xFFFF]
    assert [frame.data for frame in push(assembler, codec, tail, 1.06)] == [frames[1]]
    third = [packet for packet in packets if packet.timestamp == 6000]
    assert [frame.data for frame in push_all(assembler, codec, third, 1.07)] == [frames[2]]
    assert assembler.poll(1.2, 0.05) == type(assembler.poll(1.2, 0.05))()


@CODECS
def test_on_a_good_line_a_frame_that_pauses_is_not_asked_for(codec: CodecId) -> None:
    _, packets = packets_of(codec, [(True, 250, 0)])
    assembler = VideoAssembler()
    push_all(assembler, codec, packets[:-1], 1.0)
    assert assembler.poll(1.1, 0.05).nack == []


@CODECS
def test_a_long_round_trip_is_waited_for_twice(codec: CodecId) -> None:
    _, packets = packets_of(codec, [(True, 10, 0), (False, 250, 0)])
    del packets[-2]
    assembler = VideoAssembler()
    push_all(assembler, codec, packets)
    assert next(now for now in range(100) if assembler.poll(now / 100, 0.3).pli) == 60


@CODECS
def test_a_key_frame_that_already_came_is_taken_when_the_gap_is_given_up(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0), (False, 250, 0), (True, 250, 0), (False, 10, 0)])
    del packets[next(at for at, packet in enumerate(packets) if packet.timestamp == 3000)]
    assembler = VideoAssembler()
    push_all(assembler, codec, packets)
    decision = assembler.poll(0.2, 0.05)
    assert [frame.data for frame in decision.frames] == frames[2:]
    assert not decision.pli


@CODECS
def test_a_stream_met_in_its_middle_asks_and_shows_nothing_before_a_key_frame(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 250, 0), (False, 250, 0), (False, 250, 0), (True, 250, 0)])
    assembler = VideoAssembler()
    middle = [packet for packet in packets if packet.timestamp < 9000][2:]
    assert push_all(assembler, codec, middle) == []
    assert not assembler.poll(0.1, 0.05).pli
    assert assembler.poll(0.21, 0.05).pli
    assert [frame.data for frame in push_all(assembler, codec, packets[-4:], 0.3)] == frames[3:]


@CODECS
def test_a_gap_too_long_to_repair_is_skipped_at_once(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0)])
    assembler = VideoAssembler()
    push_all(assembler, codec, packets)
    frames, packets = packets_of(codec, [(False, 10, 0), (True, 10, 0)], START + 500)
    assert [frame.data for frame in push_all(assembler, codec, packets)] == frames[1:]
    assert assembler.poll(0.1, 0.1).nack == []
