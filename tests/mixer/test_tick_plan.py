from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.mixer.clock import TickPlan

rates = st.integers(5, 60)


shares = st.floats(0, 0.999)


@given(rates, st.integers(0, 10**7), shares)
def test_times_come_from_counts(fps, n, share):
    plan = TickPlan(fps, share / fps)
    assert plan.pts(n) == n * 90000 // fps
    assert plan.due(plan.start(n), 0.0) == n, "a tick is due at the very moment of its start"
    assert plan.due(plan.start(n + 1) - 1e-6, 0.0) == n


@given(rates, st.floats(0, 1e5), st.floats(0, 1e6), shares)
def test_due_is_the_newest_that_has_begun(fps, now, start, share):
    plan = TickPlan(fps, share / fps)
    n = plan.due(now, start)
    assert n >= -1
    if n >= 0:
        assert plan.start(n) <= now - start
    assert plan.start(n + 1) > now - start


@pytest.mark.parametrize("fps", [0, -1, 121])
def test_rates_out_of_range(fps):
    with pytest.raises(ValueError, match="ticks a second"):
        TickPlan(fps)
