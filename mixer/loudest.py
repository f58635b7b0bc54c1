"""Whose sound is worth decoding in a large room: of all who talk at once, only the loudest few are heard.

Goes by what each source says of its own level (RFC 6464), or what was measured where it was decoded. More are decoded
than can be heard, so that who becomes louder is there already, and who says too much of himself displaces nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mixdown.mixer.inclusion import FALL_DB
from mixdown.mixer.levels import SILENCE_DBOV

SPARE = 3
"Participants decoded beside those who are seated and the reserve."
STAYING_DB = 3.0
"Advantage of who is decoded already."


class Loudest:
    """One decision a tick; not thread-safe. loudest: participants that a listener hears at once (see inclusion.py)."""

    def __init__(self, loudest: int) -> None:
        self._count = loudest + 1 + SPARE
        self._envelopes: dict[str, float] = {}
        self._chosen: Collection[str] = frozenset()

    def takes_all(self, participants: int) -> bool:
        """Whether so many need no choosing: it is the same whatever their levels are."""
        return participants <= self._count

    def choose(self, levels: Mapping[str, float]) -> Collection[str]:
        """Participants to decode, all if they are few. levels: participant -> dBov of this tick, with gain and mute
        applied. Who is not in it is forgotten."""
        if self.takes_all(len(levels)):
            self._envelopes.clear()
            self._chosen = levels.keys()
            return self._chosen
        before = self._envelopes
        self._envelopes = {p: max(v, before.get(p, SILENCE_DBOV) - FALL_DB) for p, v in levels.items()}
        ranks = {p: level + STAYING_DB * (p in self._chosen) for p, level in self._envelopes.items()}
        self._chosen = frozenset(sorted(ranks, key=lambda p: (-ranks[p], p))[: self._count])
        return self._chosen
