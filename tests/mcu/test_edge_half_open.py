from __future__ import annotations

from collections import Counter

import pytest

from mixdown.mcu.edge.budget import Budget
from mixdown.mcu.edge.half_open import HalfOpen
from mixdown.mcu.errors import TooMany


def test_one_caller_leaves_room_for_others() -> None:
    counters: Counter[str] = Counter()
    half_open = HalfOpen(10, 2, counters)
    for address in ("2001:db8::1", "2001:db8::2"):
        half_open.enter(address)
    with pytest.raises(TooMany) as refused:
        half_open.enter("2001:db8::3")
    assert refused.value.retry_after and counters["joins_refused"] == 1
    half_open.enter("192.0.2.1")
    half_open.leave("2001:db8::2")
    half_open.enter("2001:db8::3")
    assert half_open.total == 3


def test_this_machine_and_those_behind_a_proxy_share_the_whole() -> None:
    half_open = HalfOpen(6, 1, Counter())
    for caller in ("127.0.0.1", "", "::1") * 2:
        half_open.enter(caller)
    with pytest.raises(TooMany):
        half_open.enter("")
    for caller in ("127.0.0.1", "", "::1") * 2:
        half_open.leave(caller)
    assert half_open.total == 0 and not half_open._callers


def test_a_budget_fills_with_time_up_to_its_burst() -> None:
    budget = Budget(10, 3)
    assert [budget.spend(1, 100.0) for _ in range(4)] == [True, True, True, False]
    assert not budget.spend(1, 100.05) and budget.spend(1, 100.11)
    assert [budget.spend(1, 200.0) for _ in range(4)] == [True, True, True, False]
    assert not Budget(10, 3).spend(4, 5.0)
