"""Which sources are let into the mix: by level, with a hold, and at most the loudest few participants.

`loudest` counts the voices that a listener hears. Who is silent hears the `loudest` participants that are seated; one
of those, who does not hear himself, hears the next loudest in his own place: the reserve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixdown.mixer.levels import SILENCE_DBOV

OPEN_DBOV = -60.0
"Low enough that no onset of speech is lost, above the hiss that a muted or suppressed microphone sends."
CLOSE_DBOV = -66.0
HOLD_TICKS = 25
"0.5 s below CLOSE_DBOV before a source is let go."
FALL_DB = 0.5
"How fast the level that participants are ranked by falls, per tick: a pause between words costs nobody the place."
SEATED_DB = 3.0
"Advantage of who is seated over the reserve, and of the reserve over everybody else."


@dataclass(frozen=True, slots=True)
class Included:
    """Sources. seated: in the full mix. reserve: those of the next loudest participant, for the seated to hear."""

    seated: frozenset[str]
    reserve: frozenset[str]


@dataclass(slots=True)
class _Gate:
    envelope: float = SILENCE_DBOV
    quiet: int = HOLD_TICKS
    "Ticks since the level was last above the threshold; HOLD_TICKS: closed."

    @property
    def open(self) -> bool:
        return self.quiet < HOLD_TICKS

    def listen(self, level: float) -> None:
        self.envelope = max(level, self.envelope - FALL_DB)
        if level >= (CLOSE_DBOV if self.open else OPEN_DBOV):
            self.quiet = 0
        elif self.open:
            self.quiet += 1


class Inclusion:
    """One decision a tick. `loudest`: how many other participants a listener hears at once, 1 or more."""

    def __init__(self, loudest: int) -> None:
        if loudest < 1:
            raise ValueError(f"loudest is {loudest}, but a mix needs at least one participant")
        self._loudest = loudest
        self._gates: dict[str, _Gate] = {}
        self._order: tuple[str, ...] = ()
        "Participants of the last tick: the seated and, behind them, the reserve."

    def update(self, levels: Mapping[str, float], owners: Mapping[str, str]) -> Included:
        """The sources let in. levels: source -> dBov of this tick; a source that is not in it is forgotten.
        owners: source -> participant, for every source in levels."""
        self._gates = {source: self._gates.get(source) or _Gate() for source in levels}
        ranks: dict[str, float] = {}
        for source, gate in self._gates.items():
            gate.listen(levels[source])
            if gate.open:
                owner = owners[source]
                ranks[owner] = max(ranks.get(owner, SILENCE_DBOV), gate.envelope)
        self._order = self._rank(ranks)
        seated, reserve = self._order[: self._loudest], self._order[self._loudest :]
        opened = [source for source, gate in self._gates.items() if gate.open]
        return Included(
            frozenset(source for source in opened if owners[source] in seated),
            frozenset(source for source in opened if owners[source] in reserve),
        )

    def _rank(self, ranks: Mapping[str, float]) -> tuple[str, ...]:
        if len(ranks) <= self._loudest:
            return tuple(ranks)
        seated, reserve = self._order[: self._loudest], self._order[self._loudest :]
        ahead = dict.fromkeys(reserve, SEATED_DB) | dict.fromkeys(seated, 2 * SEATED_DB)
        advanced = {p: rank + ahead.get(p, 0.0) for p, rank in ranks.items()}
        return tuple(sorted(advanced, key=lambda p: (-advanced[p], p))[: self._loudest + 1])
