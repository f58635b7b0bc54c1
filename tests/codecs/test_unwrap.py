from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.unwrap import Unwrapper


def test_passes_over_the_wrap_and_back() -> None:
    unwrapper = Unwrapper(16)
    assert [unwrapper.unwrap(value) for value in (65534, 65535, 0, 65535, 1)] == [65534, 65535, 65536, 65535, 65537]
    assert unwrapper.last == 65537


def test_older_than_the_first_is_negative() -> None:
    unwrapper = Unwrapper(16)
    unwrapper.unwrap(2)
    assert unwrapper.unwrap(65534) == -2


@given(st.sampled_from([7, 15, 16, 32]), st.lists(st.floats(-0.49, 0.49), max_size=50), st.integers(0, 1 << 40))
def test_follows_any_walk_of_less_than_half_the_range(bits: int, steps: list[float], start: int) -> None:
    size = 1 << bits
    unwrapper = Unwrapper(bits)
    base = start - unwrapper.unwrap(start % size)
    value = start
    for step in steps:
        value += int(step * size)
        assert unwrapper.unwrap(value % size) + base == value


@pytest.mark.parametrize("value", [-1, 1 << 16])
def test_refuses_what_is_no_counter_value(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Unwrapper(16).unwrap(value)
