from __future__ import annotations

import os
import struct
from random import Random

import pytest

from mixdown.mcu.edge.arrival_log import ArrivalLog
from mixdown.mcu.edge.path import Path
from mixdown.mcu.edge.rtp import HeaderTemplate, parse_rtp
from mixdown.mcu.edge.transport_cc import Arrivals, parse_arrivals, take_out


def body(base: int, count: int, reference: int, chunks: list[int], deltas: bytes) -> bytes:
    head = struct.pack("!IIHHI", 1, 2, base, count, (reference & 0xFFFFFF) << 8 | 7)
    return head + b"".join(chunk.to_bytes(2, "big") for chunk in chunks) + deltas


def test_a_run_and_both_vectors() -> None:
    run = 0x2000 | 3  # three small deltas
    one_bit = 0x8000 | 0b10100000000000  # received, missing, received, then missing
    two_bit = 0xC000 | 0b10_00_01_00_00_00_00  # a large delta, missing, a small one
    deltas = bytes([4, 8, 12]) + bytes([1, 2]) + (-40).to_bytes(2, "big", signed=True) + bytes([8])
    report = parse_arrivals(body(65_530, 20, 100, [run, one_bit, two_bit], deltas))
    assert report.base == 65_530 and len(report.times) == 20
    seen = {n: round(at - 6.4, 6) for n, at in enumerate(report.times) if at is not None}
    assert seen == {0: 0.001, 1: 0.003, 2: 0.006, 3: 0.00625, 5: 0.00675, 17: -0.00325, 19: -0.00125}


def test_reference_time_is_signed() -> None:
    report = parse_arrivals(body(0, 1, -1, [0x2001], b"\x00"))
    assert report.times == (-0.064,)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        body(0, 0, 0, [], b""),
        body(0, 60_000, 0, [0x2000 | 0x1FFF], b""),
        body(0, 5, 0, [], b""),
        body(0, 5, 0, [0x2005], b"\x00" * 4),
        body(0, 5, 0, [0x0000, 0x2005], b"\x00" * 5),
        body(0, 2, 0, [0x4002], b"\x00" * 3),
    ],
)
def test_nonsense_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError):
        parse_arrivals(broken)


def test_noise_raises_nothing_else() -> None:
    for size in range(16, 80):
        for _ in range(50):
            try:
                parse_arrivals(bytes(8) + os.urandom(size))
            except ValueError:
                continue


def test_feedback_is_taken_out_of_a_compound() -> None:
    report = bytes([0x80, 201, 0, 1]) + bytes(4)
    feedback = bytes([0x8F, 205, 0, 4]) + bytes(16)
    nack = bytes([0x81, 205, 0, 3]) + bytes(12)
    assert take_out(report + feedback + nack) == ([bytes(16)], report + nack)
    cut = feedback[:-4]
    assert take_out(cut) == ([], cut)
    assert take_out(b"\x80") == ([], b"\x80")


def test_a_mark_has_its_room_in_every_packet() -> None:
    template = HeaderTemplate(7, "0", mid_id=1, send_time_id=3, level_id=None, mark_id=5)
    block = template.extensions(1.0, None)
    marked = template.marked(block, 0xABCD)
    assert len(block) == len(marked)
    header = template.header(96, 1, 2, marker=False)
    plain, other = (parse_rtp(header + one + b"x", with_extensions=True) for one in (block, marked))
    assert set(plain.extensions) == {1, 3} and plain.payload == other.payload == b"x"
    assert other.extensions == plain.extensions | {5: b"\xab\xcd"}


def test_path_finds_queue_rate_and_loss() -> None:
    path, octets = Path(), 0
    for n in range(100):  # 1 Mb/s offered; from the 50th on 0.5 Mb/s get through
        at, octets = n * 0.01, octets + 1250
        path.sent(n, at, octets)
    waiting = [max(0, n - 50) * 0.01 for n in range(100)]
    times = tuple(5 + n * 0.01 + waiting[n] if n % 10 else None for n in range(100))
    path.feedback(Arrivals(0, times), 1.2)
    assert path.queue == pytest.approx(0.45, abs=0.08) and path.growth > 0.03
    assert path.delivered == pytest.approx(500_000 * 0.9, rel=0.1)
    assert path.loss(1.2) == pytest.approx(0.1, abs=0.02)
    path.feedback(Arrivals(0, times), 1.3)
    assert path.loss(1.3) == pytest.approx(0.1, abs=0.02), "told twice, counted once"


def test_a_stall_that_is_over_is_no_queue() -> None:
    path = Path()
    for n in range(60):
        path.sent(n, n * 0.01, n * 1000)
    times = tuple(1 + (max(n * 0.01, 0.5) if 20 < n < 50 else n * 0.01) for n in range(60))
    path.feedback(Arrivals(0, times), 0.7)
    assert path.queue == pytest.approx(0.0, abs=0.001)


def test_bursts_tell_the_narrowest_link() -> None:
    path, octets = Path(), 0
    marks = []
    for frame in range(10):
        for packet in range(2):
            path.sent(len(marks), frame * 0.066, octets := octets + 1200)
            marks.append(3 + frame * 0.066 + (packet + 1) * 0.0274)
    path.feedback(Arrivals(0, tuple(marks)), 0.7)
    assert path.narrowest(0.7) == pytest.approx(350_000, rel=0.02)
    assert path.narrowest(10.0) is None


def test_what_came_is_told_as_a_browser_reads_it() -> None:
    log = ArrivalLog()
    came = {65_530: 10.0, 65_531: 10.001, 65_533: 10.3, 65_534: 10.299, 3: 12.0}
    for number, at in came.items():
        log.packet(number, at)
    log.packet(65_531, 11.0)  # a copy
    (feedback,), rest = take_out(log.report(1, 2, 12.0))
    assert rest == b"" and log.report(1, 2, 12.05) == b""
    report = parse_arrivals(feedback)
    assert report.base == 65_530 and len(report.times) == 10
    seen = {(report.base + n) & 0xFFFF: at for n, at in enumerate(report.times) if at is not None}
    assert seen == pytest.approx(came, abs=0.0003)
    log.packet(5, 12.2)
    log.packet(2, 12.2)  # late: it was told as missing
    (feedback,), _ = take_out(log.report(1, 2, 12.2))
    report = parse_arrivals(feedback)
    assert report.base == 4 and [at is not None for at in report.times] == [False, True]


def test_reports_of_any_pattern_are_read_back() -> None:
    for seed in range(200):
        random, log = Random(seed), ArrivalLog()
        came, number, at = {}, random.randrange(1 << 16), 5.0
        for _ in range(random.randrange(1, 120)):
            number += random.choice((1, 1, 1, 1, 2, 9, 40))
            at += random.choice((0.0, 0.0004, 0.02, 0.07))
            came[number] = at
            log.packet(number & 0xFFFF, at)
        packet = log.report(1, 2, 1000.0)
        assert len(packet) % 4 == 0 and int.from_bytes(packet[2:4], "big") == len(packet) // 4 - 1
        (feedback,), _ = take_out(packet)
        report = parse_arrivals(feedback)
        first = max(min(came), max(came) - 1023)
        expected = [came.get(n) for n in range(first, max(came) + 1)]
        assert [at is None for at in report.times] == [at is None for at in expected]
        got = [at for at in report.times if at is not None]
        assert got == pytest.approx([at for at in expected if at is not None], abs=0.0003)


def test_a_flood_of_numbers_is_bounded() -> None:
    log = ArrivalLog()
    for number in range(0, 1 << 16, 3):
        log.packet(number, 1.0)
    assert len(log.report(1, 2, 2.0)) < 4096


def test_the_mark_of_a_packet() -> None:
    template = HeaderTemplate(7, "mid", mid_id=4, send_time_id=2, level_id=None, mark_id=3)
    header = template.header(96, 1, 2, marker=False)

    def marks(packet: bytes) -> dict[int, bytes]:
        return parse_rtp(packet, with_extensions=False, only=3).extensions

    assert marks(header + template.marked(template.extensions(1.0, None), 0xBEEF) + b"x") == {3: b"\xbe\xef"}
    assert marks(header + template.extensions(1.0, None) + b"x") == {}
    assert marks(b"\x80" + bytes(11)) == {}


def test_what_was_overtaken_is_not_lost() -> None:
    path = Path()
    path.sent(2, 0.00, 1000)
    path.sent(3, 0.01, 2000)
    path.sent(1, 0.02, 3000)  # numbered first, but it waited
    path.feedback(Arrivals(1, (None, 1.0, 1.01)), 0.1)
    path.feedback(Arrivals(1, (1.02,)), 0.2)
    assert path.loss(0.2) == 0
    for n in range(4, 12):
        path.sent(n, n / 100, 1000 * n)
    path.feedback(Arrivals(4, tuple(1 + n / 100 if n % 4 else None for n in range(4, 12))), 0.3)
    assert 0 < path.loss(0.3) < 0.25
