"""Wrapping counters (RTP sequence numbers, timestamps, picture ids) made into plain growing integers."""

from __future__ import annotations


class Unwrapper:
    """Extends a counter of `bits` bits: each value becomes the integer nearest to the last one.

    The first value is kept as it is, so results may be negative when older values follow it. A value exactly half the
    range away counts as ahead.
    """

    __slots__ = ("_last", "_range")

    def __init__(self, bits: int) -> None:
        self._range = 1 << bits
        self._last: int | None = None

    @property
    def last(self) -> int | None:
        """The last unwrapped value."""
        return self._last

    def unwrap(self, value: int) -> int:
        """value: 0 .. 2**bits - 1. ValueError beyond."""
        whole, last = self._range, self._last
        if not 0 <= value < whole:
            raise ValueError(f"{value} does not fit the counter of {whole} values")
        if last is None:
            self._last = value
            return value
        ahead = (value - last) % whole
        if ahead > whole >> 1:
            ahead -= whole
        self._last = last = last + ahead
        return last
