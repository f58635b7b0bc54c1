"""Which packets of a stream are missing, when to ask for them again, and when to give up (RFC 4585, 6.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

RTT_SHARE, RTT_MORE = 1.05, 0.008
"""A packet is asked for again after 1.05 round trips and 8 ms: libwebrtc ignores a request that comes within a round
trip (as it reckons it) and 5 ms of its last answer, and then a whole turn is lost."""
LEARNS = 1 / 32
"Weight of one gap in what is known of the line's order."
DISORDER = 0.5
"""Of the gaps that turned out to be packets merely overtaken: over it a gap is given the time that such packets take.
Where all were asked for at once, the sender's budget would be gone before a packet really is lost."""
LONGEST_PATIENCE = 0.03
"Seconds."
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
    """Missing sequence numbers (extended), each with its timer. Bounded: more than MAX_MISSING are not taken.
    fresh: something is missing that was never asked for."""

    def __init__(self) -> None:
        self.fresh = False
        self._overtaken = 0.0  # share of the gaps lately
        self._lateness = 0.0  # of overtaken packets, seconds, slowly falling
        self._rtt = 0.0
        self._missing: dict[int, _Missing] = {}

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._missing

    def __len__(self) -> int:
        return len(self._missing)

    def add(self, first: int, last: int, now: float) -> bool:
        """first..last (inclusive) did not come. False, and nothing is added, if that is too much to ask for."""
        if len(self._missing) + last - first + 1 > MAX_MISSING:
            return False
        for sequence in range(first, last + 1):
            self._missing.setdefault(sequence, _Missing(now))
        self.fresh = self.fresh or first <= last
        return True

    def arrived(self, sequence: int, now: float, *, repair: bool) -> None:
        """repair: it came as an answer, by the stream's repair packets."""
        missing = self._missing.pop(sequence, None)
        if missing is None:
            return
        answered = repair or (missing.tries > 0 and now - missing.asked >= self._rtt)
        self._overtaken += LEARNS * ((not answered) - self._overtaken)
        if not answered:
            self._lateness = min(LONGEST_PATIENCE, max(self._lateness * (1 - LEARNS), now - missing.since))

    @property
    def patience(self) -> float:
        """Seconds that a gap is given to close by itself."""
        return self._lateness if self._overtaken > DISORDER else 0.0

    def forget(self, sequence: int) -> None:
        """It was not missing, only not sent yet."""
        self._missing.pop(sequence, None)

    def forget_before(self, sequence: int) -> None:
        """Nobody needs what is older than `sequence`."""
        for old in [number for number in self._missing if number < sequence]:
            del self._missing[old]

    def before(self, sequence: int) -> int:
        """How many are missing that are older than `sequence`."""
        return sum(number < sequence for number in self._missing)

    def clear(self) -> None:
        self._missing.clear()
        self.fresh = False

    def due(self, now: float, rtt: float) -> list[int]:
        """What to ask for now, as 16-bit numbers: a new gap at once (a packet that was merely overtaken costs its
        sender one packet more; where most are, see `patience`), then again after a little over a round trip, MAX_TRIES
        times in all."""
        self._rtt = rtt
        asked: list[int] = []
        patience = self.patience
        for sequence, missing in self._missing.items():
            if missing.tries < MAX_TRIES and now >= _next(missing, rtt, patience):
                if len(asked) == MAX_AT_ONCE:
                    return asked
                missing.asked = now
                missing.tries += 1
                asked.append(sequence & 0xFFFF)
        self.fresh = False
        return asked

    def next_due(self, rtt: float) -> float | None:
        """When `due` has the next one; None if there is nothing more to ask for."""
        patience = self.patience
        return min((_next(one, rtt, patience) for one in self._missing.values() if one.tries < MAX_TRIES), default=None)

    def overdue(self, now: float, patience: float) -> int | None:
        """The newest number that has been missing for `patience` seconds or more."""
        return max(
            (number for number, missing in self._missing.items() if now - missing.since >= patience), default=None
        )


def _next(missing: _Missing, rtt: float, patience: float) -> float:
    return missing.asked + RTT_SHARE * rtt + RTT_MORE if missing.tries else missing.since + patience
