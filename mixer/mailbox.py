"""One slot between a producer and a consumer that never wait for each other."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds the newest item. Bound: one; drop policy: the newest wins, `replaced` counts what nobody took.

    Safe for one producer and one consumer on different threads without a lock: each step is one swap of a reference.
    """

    __slots__ = ("_item", "_taken", "replaced")

    def __init__(self) -> None:
        self._item: tuple[int, T] | None = None
        self._taken = 0
        self.replaced = 0

    def put(self, item: T) -> None:
        """Producer: replaces whatever is there."""
        last = self._item
        number = last[0] + 1 if last else 1
        if last and self._taken < last[0]:
            self.replaced += 1
        self._item = (number, item)

    def take(self) -> T | None:
        """Consumer: the newest item if it was not taken yet, else None."""
        last = self._item
        if last is None or last[0] == self._taken:
            return None
        self._taken = last[0]
        return last[1]

    @property
    def latest(self) -> T | None:
        """The newest item, taken or not; None before the first and after `clear`."""
        last = self._item
        return last[1] if last else None

    def clear(self) -> None:
        """Producer: forgets the item, so that its memory can go."""
        self._item = None
        self._taken = 0
