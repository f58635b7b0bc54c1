"""Whether the way to a peer carries less than it is sent, and how much it carries. Pure: `now` is an argument.

Judged by the arrivals that it reports (`path.py`), and where it reports none, by its REMB and its round trip; by its
losses in any case.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.ladder import Ladder, below
from mixdown.mcu.edge.path import Path

QUEUE_GROWS, GROWTH = 0.06, 0.01
"Seconds of queue over which a way is too narrow if the queue still grows; by how much in STANDING_SECONDS."
WIDE, QUEUE_DEEP = 1.3, 0.25
"Of what is sent, the rate of a line that is not too thin, by packets that left together; seconds of queue."
QUEUE_STANDS, STANDS_FOR = 0.15, 1.5
"Seconds of queue that are too many if they stay, and for how long: a line that is too thin by a little."
SHRINKS = 0.9
"Of the queue that was there so long ago: it is emptying, if slowly."
UNHEARD = 0.5
"Seconds without a report after which the last one says nothing of now: the way is dark, or it was for a while."
SPAN = 0.05
"Seconds of sending that a judgement must cover."
MARGIN = 0.97
"Of a measured rate, what the next step may take."
HEAVY_LOSS = 0.15
SICK_REPORTS = 3
"""Share of packets lost, in so many reports in a row: one step down. What is lost by chance, without a queue, is
repaired up to then: a smaller picture loses the same share."""
NARROW_LOSS, OVERFLOW_QUEUE = 0.25, 0.025
"Of marks, together with so many seconds of queue: a short queue that overflows."
LIGHT_LOSS = 0.05
"Share of packets lost that is no reason for anything."
REMB_SHARE = 0.85
"Of what came, what a receiver's REMB falls to when the delay grows (draft-ietf-rmcat-gcc, 5.5)."
REMB_NARROW = 0.75
"""Of what is sent, the REMB that cannot come from a moment's growth alone: that makes it REMB_SHARE of what came, on
whatever line."""
RTT_QUEUE = 0.1
"Seconds over its least at which the round trip says that what is lost is lost for want of room."
RTT_GROWTH, SLOW_REPORTS = 0.2, 3
"Seconds over its least at which the round trip alone says that something is full; in so many reports in a row."
RTT_CREEP = 0.0005
"Seconds by which the least round trip is forgotten with each report: a way may become longer."


@dataclass(slots=True)
class Remb:
    """What a peer's receiver estimates, bit/s. It follows what it gets, so it says `narrow` only if it fell."""

    rate: float | None = None
    at: float = float("-inf")
    fell_at: float = float("-inf")

    def take(self, rate: float, now: float) -> None:
        if self.rate is not None and rate < 0.97 * self.rate:
            self.fell_at = now
        self.rate, self.at = rate, now


class Shortage:
    """Of one peer. loss: 0..1, as it reported last. sent: bit/s of picture, measured. why: for the log, what said last
    that something is wrong; full: whether that was a queue, and not losses alone. room and what it is made of: bit/s
    that the way seems to carry, where that is too little for the step that is sent; None while nothing is wrong."""

    def __init__(self) -> None:
        self.loss = 0.0
        self.sent = float("inf")
        self.why = ""
        self.full = True
        self.remb = Remb()
        self._stood: tuple[float, float] | None = None
        self._sick = 0
        self._rtt_least = float("inf")
        self._rtt: float | None = None
        self._slow = 0

    def on_report(self, loss: float) -> None:
        """loss: 0..1, of the picture's packets since the report before."""
        self.loss = loss
        self._sick = self._sick + 1 if loss > HEAVY_LOSS else 0

    def on_rtt(self, rtt: float) -> None:
        """rtt: seconds, smoothed."""
        before, self._rtt = self._rtt or rtt, rtt
        self._rtt_least = min(rtt, self._rtt_least + RTT_CREEP)
        full = rtt > self._rtt_least + RTT_GROWTH and rtt > SHRINKS * before
        self._slow = self._slow + 1 if full else 0

    def forget(self) -> None:
        """Another step is sent from now on."""
        self._stood = None

    def room(self, path: Path, ladder: Ladder, tier: TierName, now: float) -> float | None:
        """tier: what is sent now."""
        rate = self._by_arrivals(path, ladder, tier, now) if path.speaks else self._by_remb(ladder, tier, now)
        self.full = rate is not None
        if rate is None and self._sick >= SICK_REPORTS:
            rate = self._by_loss(ladder, tier)
        return rate

    def _by_loss(self, ladder: Ladder, tier: TierName) -> float | None:
        """One step less; sound alone only if the way has a queue as well."""
        step = below(tier)
        if step is TierName.AUDIO and (self._rtt is None or self._rtt < self._rtt_least + RTT_QUEUE):
            return None
        self._sick = 0
        self.why = "losses"
        return ladder.total(step)

    def _by_arrivals(self, path: Path, ladder: Ladder, tier: TierName, now: float) -> float | None:
        if path.span < SPAN or now - path.last_report > UNHEARD:
            return None
        overflows = path.loss(now) >= NARROW_LOSS and path.queue > OVERFLOW_QUEUE
        grows = path.queue > QUEUE_GROWS and path.growth > GROWTH
        if overflows or (grows and not self._is_wide(path, ladder, tier, now)):
            self.why = "a short queue overflows" if overflows else "a queue grows"
            return MARGIN * path.delivered
        if self._stands(path.queue, now):
            self.why = "a queue stands"
            return min(MARGIN * path.delivered, ladder.total(below(tier)))
        return None

    def _is_wide(self, path: Path, ladder: Ladder, tier: TierName, now: float) -> bool:
        """Whether what is late is late for another reason than the line's rate; not believed over QUEUE_DEEP."""
        widest = path.widest(now)
        return widest is not None and widest > WIDE * ladder.total(tier) and path.queue < QUEUE_DEEP

    def _stands(self, queue: float, now: float) -> bool:
        """Whether there was a queue for STANDS_FOR that does not get shorter."""
        if queue <= QUEUE_STANDS:
            self._stood = None
        elif self._stood is None or (now - self._stood[0] > STANDS_FOR and queue < SHRINKS * self._stood[1]):
            self._stood = (now, queue)
        return self._stood is not None and now - self._stood[0] > STANDS_FOR

    def _by_remb(self, ladder: Ladder, tier: TierName, now: float) -> float | None:
        remb = self.remb
        narrow = REMB_NARROW * min(ladder.video(tier), self.sent)
        if remb.rate is not None and now - remb.fell_at < 1.0 and remb.rate < narrow:
            room = remb.rate / REMB_SHARE + ladder.sound  # it counts what has a time stamp: the picture
            if self.loss < LIGHT_LOSS:  # jitter alone makes it fall as well: that takes nobody's picture away
                room = max(room, ladder.total(TierName.LOW))
            self.why = "REMB fell"
            return room
        if self._slow >= SLOW_REPORTS and (below(tier) is not TierName.AUDIO or self.loss > LIGHT_LOSS):
            self._slow = 0
            self.why = "the round trip grew"
            return ladder.total(below(tier))
        return None
