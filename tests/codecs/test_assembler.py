"""Order, frames, bounds and strangers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.video_packets import CODECS, START, Packet, packets_of, push, push_all, vp8_frame

from mixdown.codecs.assembler import MAX_BYTES, MAX_PACKETS, VideoAssembler
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.payload import h264, vp8

PLANS = st.lists(st.tuples(st.just(False), st.integers(0, 600), st.integers(0, 2)), min_size=1, max_size=12)


@CODECS
def test_releases_on_the_marker_with_all_that_is_known(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 250, 0), (False, 250, 1), (False, 10, 0)])
    assembler = VideoAssembler()
    released = []
    for packet in packets:
        found = push(assembler, codec, packet)
        assert len(found) == (1 if packet.marker else 0)
        released += found
    assert [frame.data for frame in released] == frames
    assert [frame.key for frame in released] == [True, False, False]
    assert [frame.timestamp for frame in released] == [0, 3000, 6000]
    assert released[0].first == START
    assert released[-1].last == packets[-1].sequence
    assert assembler.held == (0, 0)
    assert assembler.counters.empty == 1
    assert not assembler.poll(1.0, 0.1).pli


@CODECS
def test_a_stream_without_markers_ends_its_frames_by_their_time(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 250, 0), (False, 250, 0), (False, 10, 0)])
    released = push_all(
        VideoAssembler(),
        codec,
        [Packet(packet.sequence, packet.timestamp, False, packet.payload) for packet in packets],
    )
    assert [frame.data for frame in released] == frames[:2]


@CODECS
@settings(max_examples=60, deadline=None)
@given(plan=PLANS, second=st.integers(3, 12), data=st.data())
def test_any_order_within_the_window_with_doubles_gives_every_frame(codec, plan, second, data) -> None:
    plan = [(number in (0, second), size, empties) for number, (_, size, empties) in enumerate(plan)]
    frames, packets = packets_of(codec, plan)
    delays = data.draw(st.lists(st.integers(0, 12), min_size=len(packets), max_size=len(packets)))
    doubles = data.draw(st.lists(st.sampled_from(packets), max_size=10))
    first_key = sum(1 for packet in packets if packet.timestamp == 0)
    shuffled = [packet for _, packet in sorted(enumerate(packets), key=lambda item: item[0] + delays[item[0]])]
    for packet in doubles:
        shuffled.insert(min(len(shuffled), shuffled.index(packet) + 1 + packet.sequence % 7), packet)
    assembler = VideoAssembler()
    released = push_all(assembler, codec, shuffled)
    if second < len(plan) and packets[first_key - 1].sequence + 14 > _first_of(packets, second):
        assert [frame.data for frame in released] in (frames, frames[second:])
    else:
        assert [frame.data for frame in released] == frames
    not_new = assembler.counters.duplicates + assembler.counters.late
    # Where the second key frame was released first, what comes of those before it is late, and no double.
    assert not_new == len(doubles) if len(released) == len(frames) else not_new >= len(doubles)
    assert assembler.counters.malformed == assembler.counters.lost == 0


def _first_of(packets: list[Packet], frame: int) -> int:
    return next(packet.sequence for packet in packets if packet.timestamp == frame * 3000)


@CODECS
@settings(max_examples=80, deadline=None)
@given(
    keys=st.lists(st.booleans(), min_size=2, max_size=30),
    sizes=st.lists(st.integers(0, 500), min_size=30, max_size=30),
    data=st.data(),
)
def test_with_losses_no_broken_frame_ever_and_on_again_at_the_next_key_frame(codec, keys, sizes, data) -> None:
    keys = [True, *keys, True]
    frames, packets = packets_of(codec, [(key, sizes[at % 30], at % 3 == 2) for at, key in enumerate(keys)])
    lost = set(data.draw(st.lists(st.sampled_from(packets[:-1]), max_size=8)))
    delays = data.draw(st.lists(st.integers(0, 6), min_size=len(packets), max_size=len(packets)))
    shuffled = [packet for _, packet in sorted(enumerate(packets), key=lambda item: item[0] + delays[item[0]])]
    last = [packet for packet in packets if packet.timestamp == packets[-1].timestamp]
    arrivals = [packet for packet in shuffled if packet not in lost and packet not in last] + last
    assembler = VideoAssembler()
    now, released = 0.0, []
    for packet in arrivals:
        now += 0.01
        released += push(assembler, codec, packet, now)
        released += assembler.poll(now, 0.05).frames
        assert assembler.held[0] <= MAX_PACKETS
    for _ in range(30):
        now += 0.01
        released += assembler.poll(now, 0.05).frames
    numbers = [frame.timestamp // 3000 for frame in released]
    assert [frame.data for frame in released] == [frames[number] for number in numbers]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == len(frames) - 1
    for before, number, frame in zip([-1, *numbers], numbers, released, strict=False):
        assert number == before + 1 or frame.key
    assert assembler.held == (0, 0)


@CODECS
@pytest.mark.parametrize("jump", [30_000, -30_000])
def test_a_stream_that_goes_on_elsewhere_is_followed_and_a_lone_stray_is_not(codec: CodecId, jump: int) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0), (False, 10, 0), (False, 10, 0)])
    assembler = VideoAssembler()
    stray = Packet(START + jump, 0, True, packets[-1].payload)
    released = push_all(assembler, codec, [*packets[:-1], stray, packets[-1]])
    assert [frame.data for frame in released] == frames
    frames, packets = packets_of(codec, [(False, 10, 0), (True, 10, 0), (False, 10, 0)], START + jump)
    assert [frame.data for frame in push_all(assembler, codec, packets, 1.0)] == frames[1:]
    assert assembler.counters.restarts == 1


@CODECS
def test_memory_is_bounded_and_the_stream_goes_on_after_a_flood(codec: CodecId) -> None:
    assembler = VideoAssembler()
    payload = (vp8.descriptor(False, 1) if codec is CodecId.VP8 else b"\x7c\x05") + bytes(8000)
    for sequence in range(3 * MAX_PACKETS):
        assert assembler.push(codec, sequence, 0, False, payload, 0.0) == []
        assert assembler.held[0] <= MAX_PACKETS
        assert assembler.held[1] <= MAX_BYTES
    assert assembler.counters.overflows > 0
    frames, packets = packets_of(codec, [(False, 10, 0), (True, 10, 0)], 3 * MAX_PACKETS)
    packets = [Packet(packet.sequence, packet.timestamp + 1, packet.marker, packet.payload) for packet in packets]
    assert [frame.data for frame in push_all(assembler, codec, packets)] == frames[1:]


@CODECS
def test_a_malformed_frame_costs_a_key_frame_request_and_no_exception(codec: CodecId) -> None:
    frames, packets = packets_of(codec, [(True, 10, 0), (False, 10, 0), (False, 10, 0), (True, 10, 0)])
    packets = [
        Packet(packet.sequence, 3000, True, b"\x90" if codec is CodecId.VP8 else b"\x7c")
        if packet.timestamp == 3000
        else packet
        for packet in packets
    ]
    assembler = VideoAssembler()
    delta = [packet for packet in packets if packet.timestamp <= 6000]
    assert [frame.data for frame in push_all(assembler, codec, delta)] == frames[:1]
    assert assembler.counters.malformed == 1
    assert assembler.poll(0.0, 0.1).pli
    assert [frame.data for frame in push_all(assembler, codec, packets[len(delta) :])] == frames[3:]


@CODECS
@settings(max_examples=100, deadline=None)
@given(
    packets=st.lists(
        st.builds(
            Packet,
            st.integers(0, 40) | st.integers(-(1 << 40), 1 << 40),
            st.integers(0, 5),
            st.booleans(),
            st.binary(max_size=12) | st.just(b"\x67\x01") | st.just(b"\x90\x80\x01\x10"),
        ),
        max_size=60,
    )
)
def test_nothing_a_stranger_sends_raises(codec: CodecId, packets: list[Packet]) -> None:
    assembler = VideoAssembler()
    for at, packet in enumerate(packets):
        push(assembler, codec, packet, at / 50)
        assembler.poll(at / 50, 0.05)
    held = list(assembler._packets.values())
    assert assembler.held == (len(held), sum(len(packet.payload) for packet in held))


def test_a_switch_of_codec_waits_for_its_key_frame() -> None:
    frames, packets = packets_of(CodecId.VP8, [(True, 10, 0)])
    assembler = VideoAssembler()
    push_all(assembler, CodecId.VP8, packets)
    frames, packets = packets_of(CodecId.H264, [(False, 10, 0), (True, 10, 0)], START + 1)
    packets = [Packet(packet.sequence, packet.timestamp + 3000, packet.marker, packet.payload) for packet in packets]
    assert [frame.data for frame in push_all(assembler, CodecId.H264, packets)] == frames[1:]


def test_temporal_layers_of_vp8_are_told() -> None:
    assembler = VideoAssembler()
    key = assembler.push(CodecId.VP8, 1, 0, True, vp8.descriptor(True, 1, 1, 0, True) + vp8_frame(0, True, 3), 0.0)
    upper = assembler.push(CodecId.VP8, 2, 1, True, vp8.descriptor(True, 2, 1, 1, True) + vp8_frame(0, False, 3), 0.0)
    plain = assembler.push(CodecId.VP8, 3, 2, True, vp8.descriptor(True, 3, 1, 1, False) + vp8_frame(0, False, 3), 0.0)
    assert [(frame.temporal_layer, frame.layer_sync) for frame in key + upper + plain] == [
        (0, True),
        (1, True),
        (1, False),
    ]


def test_parameter_sets_sent_once_are_put_before_each_idr() -> None:
    sets, idr, delta = [b"\x67\x42\xc0\x1f", b"\x68\xce\x01"], b"\x65\x88\x01", b"\x41\x9a\x01"
    assembler = VideoAssembler()
    released = []
    for sequence, (payload, marker) in enumerate(
        [(sets[0], False), (sets[1], False), (idr, True), (delta, True), (idr, True), (sets[0], True), (delta, True)]
    ):
        released += assembler.push(CodecId.H264, sequence, 3000 * sequence * marker, marker, payload, 0.0)
    whole = h264.annexb([*sets, idr])
    assert [frame.data for frame in released] == [whole, h264.annexb([delta]), whole, h264.annexb([delta])]


def test_an_idr_without_parameter_sets_is_no_key_frame() -> None:
    assembler = VideoAssembler()
    assert assembler.push(CodecId.H264, 1, 0, True, b"\x65\x88\x01", 0.0) == []
    assert assembler.waiting_for_key


def test_the_second_half_of_a_picture_of_two_slices_is_no_picture() -> None:
    sets = [b"\x67\x42\xc0\x1f", b"\x68\xce\x01"]
    assembler = VideoAssembler()
    payloads = [*sets, b"\x65\x88\x01", b"\x65\x48\x01"]
    for sequence, payload in enumerate(payloads):
        released = assembler.push(CodecId.H264, sequence, 0, sequence == 3, payload, 0.0)
    assert [frame.data for frame in released] == [h264.annexb(payloads)]
    for sequence, payload in enumerate(payloads):
        if sequence != 2:
            assembler.push(CodecId.H264, 4 + sequence, 3000, sequence == 3, payload, 1.0)
    assert assembler.poll(2.0, 0.05).frames == []
    assert assembler.waiting_for_key


def test_an_idr_after_a_gap_is_not_shown_with_parameters_that_may_be_old() -> None:
    sets, idr = [b"\x67\x42\xc0\x1f", b"\x68\xce\x01"], b"\x65\x88\x01"
    assembler = VideoAssembler()
    for sequence, payload in enumerate([*sets, idr]):
        assembler.push(CodecId.H264, sequence, 0, sequence == 2, payload, 0.0)
    assembler.push(CodecId.H264, 5, 3000, True, idr, 0.0)
    assert assembler.poll(1.0, 0.05).frames == []
    assert assembler.waiting_for_key
    assert len(assembler.push(CodecId.H264, 6, 6000, True, idr, 1.0)) == 1
