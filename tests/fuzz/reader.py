"""A fuzz input as a row of decisions: what a target needs is read off its front, an empty rest ends the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mixdown.mcu import clock


class Reader:
    """Reads past the end give zeros, so that every input is a valid one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return max(0, len(self._data) - self._at)

    def take(self, count: int) -> bytes:
        """At most `count` bytes: fewer at the end."""
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def number(self, size: int) -> int:
        """Of `size` bytes, unsigned, big endian."""
        return int.from_bytes(self.take(size).ljust(size, b"\0"), "big")

    def signed(self, size: int) -> int:
        return self.number(size) - (1 << (8 * size - 1))

    def sized(self) -> bytes:
        """Two bytes of length, then as many bytes."""
        return self.take(self.number(2))


def sized(data: bytes) -> bytes:
    """What `Reader.sized` reads: for making seeds."""
    return len(data).to_bytes(2, "big") + data


class SimulatedClock:
    """now: seconds, moved by the target."""

    def __init__(self) -> None:
        self.now = 1000.0


@contextmanager
def simulated_clock() -> Iterator[SimulatedClock]:
    """The edge's clock stands still but for what the target adds to it: runs are the same each time."""
    simulated, real = SimulatedClock(), clock.now
    clock.now = lambda: simulated.now  # type: ignore[assignment]
    try:
        yield simulated
    finally:
        clock.now = real  # type: ignore[assignment]
