"""The steps of quality that a peer's picture can have, and what each takes of its line."""

from __future__ import annotations

from dataclasses import dataclass

from mixdown.codecs.encoded import TierName

STEPS = tuple(TierName)
OVERHEAD = 1.08
"RTP, SRTP, UDP and IP headers on a picture's packets, repairs now and then."
SOUND = 80_000.0
"bit/s of sound with its headers, and of its reports, until it was measured: Opus at 48 kb/s, 50 packets a second."
LEAST_SOUND = 60_000.0
"However little was measured: who is silent now will speak again."
DEFAULT_RATES = (1500, 700, 200)
"kb/s of video, until the mixer said what they are for this view."


@dataclass(frozen=True, slots=True)
class Ladder:
    """rates: kb/s of video at FULL, MEDIUM, LOW. sound: bit/s with its headers."""

    rates: tuple[int, ...] = DEFAULT_RATES
    sound: float = SOUND

    def video(self, tier: TierName) -> float:
        """bit/s on the wire of the picture alone."""
        return 0.0 if tier is TierName.AUDIO else self.rates[STEPS.index(tier)] * 1000 * OVERHEAD

    def total(self, tier: TierName) -> float:
        """bit/s on the wire, sound included."""
        return self.video(tier) + self.sound

    def fitting(self, rate: float, best: TierName) -> TierName:
        """The best step, from `best` down, whose total is within `rate`, bit/s; sound alone under the lowest."""
        candidates = STEPS[STEPS.index(best) :]
        return next((tier for tier in candidates if self.total(tier) <= rate), TierName.AUDIO)


def below(tier: TierName) -> TierName:
    return STEPS[min(STEPS.index(tier) + 1, len(STEPS) - 1)]


def above(tier: TierName) -> TierName:
    return STEPS[max(STEPS.index(tier) - 1, 0)]


def lower(one: TierName, other: TierName) -> TierName:
    """The worse of two."""
    return STEPS[max(STEPS.index(one), STEPS.index(other))]
