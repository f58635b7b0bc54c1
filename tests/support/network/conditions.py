"""What one direction of a network does to packets, as data: JSON in and out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any


class Match(Enum):
    """Which packets are lost, doubled and reordered. Delay, rate and blackout concern all of them."""

    ALL = "all"
    UDP = "udp"
    "So that signalling, which is TCP, is not hurt."
    MEDIA = "media"
    "RTP and RTCP only (RFC 7983): not STUN, not DTLS."


@dataclass(frozen=True, slots=True)
class Conditions:
    """loss, duplicate, reorder: shares 0..1. burst: mean length of a run of lost packets, None where each is lost by
    itself. delay, jitter, reorder_by, queue: seconds; jitter is uniform and keeps the order, a reordered packet comes
    `reorder_by` later than it would, and is overtaken. rate: bit/s of IP packets, 0 for no limit; what would wait
    longer than `queue` for it is dropped (drop tail). blackout: nothing passes, of any kind."""

    loss: float = 0.0
    burst: float | None = None
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_by: float = 0.02
    delay: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    queue: float = 0.2
    blackout: bool = False
    match: Match = Match.UDP

    def as_json(self) -> dict[str, Any]:
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return found | {"match": self.match.value}


def parse_conditions(given: dict[str, Any]) -> Conditions:
    """Raises TypeError for an unknown field, ValueError for a value out of range."""
    made = Conditions(**{**given, "match": Match(given.get("match", Match.UDP.value))})
    for name in ("loss", "duplicate", "reorder"):
        if not 0 <= getattr(made, name) <= 1:
            raise ValueError(f"{name} is a share, 0..1")
    if min(made.delay, made.jitter, made.reorder_by, made.rate, made.queue) < 0:
        raise ValueError("times and rates are not negative")
    if made.burst is not None and made.burst < 1:
        raise ValueError("burst is a mean length in packets, 1 or more")
    return made


CLEAN = Conditions()
