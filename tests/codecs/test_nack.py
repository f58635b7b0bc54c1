from __future__ import annotations

from mixdown.codecs.nack import MAX_AT_ONCE, MAX_MISSING, MAX_TRIES, NackList


def test_asks_after_a_moment_and_then_each_round_trip() -> None:
    nack = NackList()
    nack.add(65535, 65537, 0.0)
    assert nack.due(0.001, 0.1) == []
    assert nack.due(0.006, 0.1) == [65535, 0, 1]
    nack.arrived(65536)
    assert nack.due(0.1, 0.1) == []
    assert nack.due(0.107, 0.1) == [65535, 1]


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
    assert nack.due(1.0, 0.1)[0] == 1 + MAX_AT_ONCE


def test_tells_what_is_overdue_and_forgets() -> None:
    nack = NackList()
    nack.add(1, 2, 0.0)
    nack.add(5, 5, 0.1)
    assert nack.overdue(0.14, 0.15) is None
    assert nack.overdue(0.15, 0.15) == 2
    assert nack.overdue(0.3, 0.15) == 5
    nack.forget_before(5)
    assert len(nack) == 1
    nack.clear()
    assert len(nack) == 0
