from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.mixer.clock import TickPlan

rates = st.integers(5, 60)


@given(rates, st.integers(0, 10**7))
def test_times_come_from_counts(fps, n):
    plan = TickPlan(fps)
    assert plan.pts(n) == n * 90000 // fps
    assert plan.due(plan.start(n), 0.0) == n, "a tick is due at the very moment of its start"
    assert plan.due(plan.start(n + 1) - 1e-6, 0.0) == n


@given(rates, st.floats(0, 1e5), st.floats(0, 1e6))
def test_due_is_the_newest_that_has_begun(fps, now, start):
    plan = TickPlan(fps)
    n = plan.due(now, start)
    assert n >= -1
    if n >= 0:
        assert plan.start(n) <= now - start
    assert plan.start(n + 1) > now - start


def test_late_ticks_are_skipped_and_counted_never_replayed():
    plan = TickPlan(30)
    assert plan.take(-0.1, 0.0) is None
    assert plan.take(0.0, 0.0) == 0
    assert plan.take(0.01, 0.0) is None
    assert plan.take(0.034, 0.0) == 1
    assert plan.take(0.5, 0.0) == 15
    assert plan.take(0.5, 0.0) is None
    assert plan.take(0.1, 0.0) is None, "a clock that steps back repeats nothing"
    assert plan.skipped == 13


def test_a_view_that_starts_late_has_skipped_nothing():
    plan = TickPlan(30)
    assert plan.take(100.0, 0.0) == 3000
    assert plan.skipped == 0


@pytest.mark.parametrize("fps", [0, -1, 121])
def test_rates_out_of_range(fps):
    with pytest.raises(ValueError, match="ticks a second"):
        TickPlan(fps)
