from __future__ import annotations

import pytest

from mixdown.codecs.nack import MAX_AT_ONCE, MAX_MISSING, MAX_TRIES, NackList


def test_asks_at_once_and_again_after_a_little_over_each_round_trip() -> None:
    nack = NackList()
    assert nack.next_due(0.1) is None
    nack.add(65535, 65537, 1.0)
    assert nack.fresh
    assert nack.next_due(0.1) == 1.0
    assert nack.due(1.0, 0.1) == [65535, 0, 1]
    assert not nack.fresh
    nack.arrived(65536, 1.05, repair=True)
    assert nack.due(1.112, 0.1) == []
    assert nack.next_due(0.1) == pytest.approx(1.113)
    assert nack.due(1.114, 0.1) == [65535, 1]


def test_a_repeat_is_never_within_a_round_trip_and_5_ms_of_the_last_answer() -> None:
    """Which is when libwebrtc leaves it unanswered."""
    for rtt in (0.0, 0.02, 0.05, 0.3):
        nack = NackList()
        nack.add(1, 1, 0.0)
        nack.due(0.0, rtt)
        assert nack.due(rtt + 0.005, rtt) == []


def test_never_asks_more_than_ten_times() -> None:
    nack = NackList()
    nack.add(7, 7, 0.0)
    asked = sum(len(nack.due(tick * 0.005, 0.001)) for tick in range(1000))
    assert asked == MAX_TRIES


def test_bounded_in_number_and_per_decision() -> None:
    nack = NackList()
    assert not nack.add(0, MAX_MISSING, 0.0)
    assert len(nack) == 0
    assert nack.add(1, MAX_MISSING, 0.0)
    assert not nack.add(1000, 1000, 0.0)
    assert len(nack.due(1.0, 0.1)) == MAX_AT_ONCE
    assert nack.fresh
    assert nack.due(1.0, 0.1)[0] == 1 + MAX_AT_ONCE


def test_tells_what_is_overdue_and_forgets() -> None:
    nack = NackList()
    nack.add(1, 2, 0.0)
    nack.add(5, 5, 0.1)
    assert nack.overdue(0.14, 0.15) is None
    assert nack.overdue(0.15, 0.15) == 2
    assert nack.overdue(0.3, 0.15) == 5
    assert nack.before(5) == 2
    nack.forget_before(5)
    assert len(nack) == 1
    nack.clear()
    assert len(nack) == 0


def overtake(nack: NackList, sequence: int, now: float, late: float) -> list[int]:
    """A gap that closes by itself after `late` seconds; what was asked for meanwhile, by a look each millisecond."""
    nack.add(sequence, sequence, now)
    asked = [n for step in range(int(late * 1000)) for n in nack.due(now + step / 1000, 0.1)]
    nack.arrived(sequence, now + late, repair=False)
    return asked


def test_where_most_gaps_close_by_themselves_each_is_given_the_time_for_it() -> None:
    nack = NackList()
    assert overtake(nack, 0, 0.0, 0.01) == [0]
    for n in range(1, 60):
        overtake(nack, n, n, 0.01)
    assert nack.patience == pytest.approx(0.01, abs=0.001)
    assert overtake(nack, 100, 100.0, 0.009) == []
    nack.add(101, 101, 101.0)
    assert nack.next_due(0.1) == pytest.approx(101.01, abs=0.001)
    for n in range(200, 260):
        nack.add(n, n, n)
        nack.due(n + 0.02, 0.1)
        nack.arrived(n, n + 0.12, repair=True)
    assert nack.patience == 0.0, "the packets are lost after all"


def test_an_answer_without_a_repair_stream_does_not_count_as_overtaken() -> None:
    nack = NackList()
    for n in range(60):
        nack.add(n, n, n)
        nack.due(n, 0.05)
        nack.arrived(n, n + 0.06, repair=False)
    assert nack.patience == 0.0
