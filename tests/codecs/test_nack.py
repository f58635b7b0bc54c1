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
    nack.arrived(65536)
    assert nack.due(1.119, 0.1) == []
    assert nack.next_due(0.1) == pytest.approx(1.12)
    assert nack.due(1.121, 0.1) == [65535, 1]


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
