"""Which packets of a stream are missing, when to ask for them again, and when to give up (RFC 4585, 6.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_AFTER = 0.005
"Seconds a gap may be mere reordering before it is asked for."
SHORTEST_REPEAT = 0.02
MAX_TRIES = 10
MAX_MISSING = 300
"Packets; a longer gap is not repaired but skipped."
MAX_AT_ONCE = 128
"Sequence numbers in one decision; the rest comes with the next."


@dataclass(slots=True)
class _Missing:
    since: float
    asked: float = 0.0
    tries: int = 0


class NackList:
    """Missing sequence numbers (extended), each with its timer. Bounded: more than MAX_MISSING are not taken."""

    def __init__(self) -> None:
        self._missing: dict[int, _Missing] = {}

    def __len__(self) -> int:
        return len(self._missing)

    def add(self, first: int, last: int, now: float) -> bool:
        """first..last (inclusive) did not come. False, and nothing is added, if that is too much to ask for."""
        if len(self._missing) + last - first + 1 > MAX_MISSING:
            return False
        for sequence in range(first, last + 1):
            self._missing[sequence] = _Missing(now)
        return True

    def arrived(self, sequence: int) -> None:
        self._missing.pop(sequence, None)

    def forget_before(self, sequence: int) -> None:
        """Nobody needs what is older than `sequence`."""
        for old in [number for number in self._missing if number < sequence]:
            del self._missing[old]

    def clear(self) -> None:
        self._missing.clear()

    def due(self, now: float, rtt: float) -> list[int]:
        """What to ask for now, as 16-bit numbers: new gaps after FIRST_AFTER, then again each round trip."""
        repeat = max(rtt, SHORTEST_REPEAT)
        asked: list[int] = []
        for sequence, missing in self._missing.items():
            due = missing.asked + repeat if missing.tries else missing.since + FIRST_AFTER
            if now >= due and missing.tries < MAX_TRIES and len(asked) < MAX_AT_ONCE:
                missing.asked = now
                missing.tries += 1
                asked.append(sequence & 0xFFFF)
        return asked

    def overdue(self, now: float, patience: float) -> int | None:
        """The newest number that has been missing for `patience` seconds or more."""
        return max(
            (number for number, missing in self._missing.items() if now - missing.since >= patience), default=None
        )
