"""Sound and picture of one participant in time: by how much the sooner one has to wait for the other.

Each source's RTP times are mapped to its sender's clock by sender reports (RFC 3550, 6.4.1). Until both have brought
one, sound and picture that arrived together count as captured together.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

SOUND_FIRST = PICTURE_FIRST = 0.015
"""Seconds by which the sound, or the picture, and CHANGE more, may be the sooner one: nobody notices, and waiting costs
delay. Sound that comes after its picture is what distance makes in nature, and is noticed at thrice the time
(ITU-R BT.1359)."""
LONGEST_WAIT = 0.250
CHANGE = 0.010
"Seconds by which a wait must differ from the present one to be changed at once."
EASE = 0.002
"Seconds by which a picture's gets shorter each time it is longer than need be by less than that: nobody sees it."
BELIEVABLE = 5.0
"""Seconds by which sound and picture may be apart by their reports. Where it is more, the sender's clock was set
between two of them: until the next ones, what arrived together counts as captured together."""
REPORTS = 8
"""That count, the half of them in the middle, that is: those of a browser's sound are up to 20 ms apart in what they
say, and one who hung as he sent a report may be off by far more. At one each 5 s, a clock that is 200 ppm off is
followed 4 ms late."""
STEP = 0.5
"Seconds between two reports from which the sender's clock was set, or his RTP time: what was told before is forgotten."
FRACTION = 1 << 32


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one source, in seconds. shown: from an RTP time to when what it stands for is heard or seen. arrived: to when
    its packets come at the soonest. captured: to its capture on the sender's clock, None until a report has told."""

    shown: float
    arrived: float
    captured: float | None


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that sound and picture are held back, 0 .. 0.25; one of them is 0."""

    sound: float = 0.0
    picture: float = 0.0


class CaptureClock:
    """One source's RTP time on its sender's clock: the mean of what the latest reports say, without the outermost."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._told: deque[float] = deque(maxlen=REPORTS)

    def report(self, ntp: int, rtp_time: int) -> None:
        """ntp: 64 bit; rtp_time: unwrapped like the frames'."""
        told = ntp / FRACTION - rtp_time / self._rate
        if self._told and abs(told - self._told[-1]) > STEP:
            self._told.clear()
        self._told.append(told)

    @property
    def captured(self) -> float | None:
        """Seconds from an RTP time (in seconds) to its capture; None before the first report."""
        if not self._told:
            return None
        outer = (len(self._told) + 1) // 4
        middle = sorted(self._told)[outer : len(self._told) - outer]
        return sum(middle) / len(middle)


def waits(sound: Timing, picture: Timing, present: Waits) -> Waits:
    """What sound and picture have to wait from now on. The timings do not hold the present waits."""
    ahead = (picture.shown - picture.arrived) - (sound.shown - sound.arrived)
    if sound.captured is not None and picture.captured is not None:
        told = (picture.shown - picture.captured) - (sound.shown - sound.captured)
        ahead = told if abs(told) <= BELIEVABLE else ahead
    # A picture waits for no more than what is noticed: all of it would be a great step for one that is just over.
    wanted = Waits(_bounded(ahead, SOUND_FIRST), min(LONGEST_WAIT, max(0.0, -ahead - PICTURE_FIRST)))
    moved = max(abs(wanted.sound - present.sound), abs(wanted.picture - present.picture))
    if moved > CHANGE:
        return wanted
    if wanted.picture < present.picture:
        return replace(present, picture=max(wanted.picture, present.picture - EASE))
    return present


def _bounded(seconds: float, tolerance: float) -> float:
    return 0.0 if seconds < tolerance else min(LONGEST_WAIT, seconds)
