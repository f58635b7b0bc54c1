"""Wrapping counters (RTP sequence numbers, timestamps, picture ids) made into plain growing integers."""

from __future__ import annotations


class Unwrapper:
    """Extends a counter of `bits` bits: each value becomes the integer nearest to the last one.

    The first value is kept as it is, so results may be negative when older values follow it. A value exactly half the
    range away counts as ahead.
    """

    def __init__(self, bits: int) -> None:
        self._range = 1 << bits
        self._last: int | None = None

    @property
    def last(self) -> int | None:
        """The last unwrapped value."""
        return self._last

    def unwrap(self, value: int) -> int:
        """value: 0 .. 2**bits - 1. ValueError beyond."""
        if not 0 <= value < self._range:
            raise ValueError(f"{value} does not fit the counter of {self._range} values")
        if self._last is None:
            self._last = value
            return value
        ahead = (value - self._last) % self._range
        if ahead > self._range // 2:
            ahead -= self._range
        self._last += ahead
        return self._last
