"""Joins whose transport is not up yet: each holds sockets and memory that nobody has paid for. Capped, in all and per
caller, so that one who only ever offers keeps nobody else out."""

from __future__ import annotations

from collections import Counter

from mixdown.mcu.edge.addresses import is_local, network_of
from mixdown.mcu.errors import TooMany

RETRY_AFTER = 2
"Seconds; a join takes less than one, a fake one 15."


class HalfOpen:
    """most: in all; each: of one caller (see JoinRequest.caller)."""

    def __init__(self, most: int, each: int, counters: Counter[str]) -> None:
        self._most = most
        self._each = each
        self._counters = counters
        self._callers: Counter[str] = Counter()
        self.total = 0

    def enter(self, caller: str) -> None:
        """Raises TooMany; else `leave` is to follow, once."""
        network = network_of(caller)
        if self.total >= self._most:
            self._refuse("Too many joins are under way at once.")
        if network and not is_local(caller) and self._callers[network] >= self._each:
            self._refuse("Too many joins from this address are under way at once.")
        self.total += 1
        self._callers[network] += 1

    def leave(self, caller: str) -> None:
        network = network_of(caller)
        self.total -= 1
        self._callers[network] -= 1
        if not self._callers[network]:
            del self._callers[network]

    def _refuse(self, why: str) -> None:
        self._counters["joins_refused"] += 1
        raise TooMany(why, retry_after=RETRY_AFTER)
