"""Which step of quality one peer's line carries. Pure decisions: `now` is an argument, nothing is sent from here.

Down at once, to the step that fits, when the way to the peer shows less than what is sent: by the arrivals it reports
(`path.py`), else by its REMB, its losses, its round trip. Up one step at a time, after a quiet while, once padding has
shown that the line carries the next one; a step that failed is not tried again for longer and longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.ladder import Ladder, above, below, lower
from mixdown.mcu.edge.path import Path

QUEUE_GROWS, GROWTH = 0.06, 0.01
"Seconds of queue over which a way is too narrow if the queue still grows; by how much in STANDING_SECONDS."
QUEUE_STANDS, STANDS_FOR = 0.15, 1.5
"Seconds of queue that are too many if they stay, and for how long: a line that is too thin by a little."
SHRINKS = 0.9
"Of the queue that was there so long ago: it is emptying, if slowly."
SPAN = 0.05
"Seconds of sending that a judgement must cover."
MARGIN = 0.97
"Of a measured rate, what the next step may take."
HEAVY_LOSS = 0.1
SICK_REPORTS = 3
"Share of packets lost, in so many reports in a row: one step down."
NARROW_LOSS = 0.25
"Of marks, together with some queue: a short queue that overflows."
SETTLE = 1.0
"Seconds after a step down for which the packets under way are not judged."
DRAIN_MOST = 1.5
"Seconds at most that nothing of the picture is sent, so that what is queued on the way gets through."
QUIET = 3.0
"Seconds of a good way before a step up is tried."
CLEAN_QUEUE = 0.05
CLEAN_LOSS = 0.05
PROBE_SECONDS = 2.0
PROBE_LEAST = 0.5
"Seconds of padding, at most; before a success is believed."
PROBE_MORE, PROBE_SHARE = 1.05, 0.97
"Of the next step's rate, what padding fills up to; of that, what must arrive."
PROBE_QUEUE = 0.08
PROBE_NARROW = 0.85
"Of the padded rate, what packets that left together must not fall short of."
PROBE_PAUSE = 4.0
PROBE_PAUSE_MOST = 8.0
"Seconds after a probe that failed; doubled each time, up to the most."
BLIND_PAUSE = 15.0
"Seconds after which a probe is made though packets that left together say that the line is too narrow."
FAILED_STEP = 10.0
"A step up that is taken back so soon was wrong: the next one waits."
STEP_PAUSE, STEP_PAUSE_MOST = 8.0, 64.0
REMB_FRESH = 5.0
REMB_SHARE = 0.85
"Of what came, what a receiver's REMB falls to when the delay grows (draft-ietf-rmcat-gcc, 5.5)."
REMB_NARROW = 0.8
"Of a step's rate, the REMB that cannot come from a moment's growth alone."
RTT_QUEUE = 0.1
"Seconds over its least at which the round trip says that what is lost is lost for want of room."
RTT_GROWTH, SLOW_REPORTS = 0.2, 3
"Seconds over its least at which the round trip alone says that something is full; in so many reports in a row."
RTT_CREEP = 0.0005
"Seconds by which the least round trip is forgotten with each report: a way may become longer."


class Limit(Enum):
    """Why a peer has no better picture."""

    NONE = None
    CHOICE = "choice"
    BANDWIDTH = "bandwidth"


@dataclass(frozen=True, slots=True)
class Probe:
    """Padding is wanted: rate bit/s in all, sound and picture included."""

    since: float
    tier: TierName
    rate: float


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


class Adaptation:
    """Of one peer. tier: what it is to be sent now; ceiling: the best it may have, by its own or an admin's choice.
    probe: the padding that is wanted, if any. drain: seconds for which nothing of the picture should be sent after the
    last step down, because that much is still queued on the way. room: bit/s that the line seemed to carry then."""

    def __init__(self, ceiling: TierName, now: float, *, can_probe: bool = True) -> None:
        self.tier = self.ceiling = ceiling
        self.ladder = Ladder()
        self.probe: Probe | None = None
        self.drain = 0.0
        self.room = float("inf")
        self.remb = Remb()
        self.can_probe = can_probe
        self._changed = now
        self._rose = float("-inf")
        self._trouble = now
        self._judge_from = now
        self._next_probe = now
        self._probe_pause = PROBE_PAUSE
        self._step_pause = STEP_PAUSE
        self._last_probe = float("-inf")
        self._stood: tuple[float, float] | None = None
        self._sick = 0
        self._loss = 0.0
        self._rtt_least = float("inf")
        self._rtt: float | None = None
        self._slow = 0

    @property
    def limit(self) -> Limit:
        if self.tier is not self.ceiling:
            return Limit.BANDWIDTH
        return Limit.NONE if self.ceiling is TierName.FULL else Limit.CHOICE

    def choose(self, ceiling: TierName, now: float) -> None:
        """The best step that is wanted. A better one than before is tried at once, unless the line was the limit."""
        was_free = self.limit is not Limit.BANDWIDTH
        self.ceiling = ceiling
        self.tier = ceiling if was_free else lower(self.tier, ceiling)
        self._changed = now
        self.probe = None

    # ---- what the peer reports -----------------------------------------------------------------------------------

    def on_remb(self, rate: float, now: float) -> None:
        self.remb.take(rate, now)

    def on_report(self, loss: float, now: float) -> None:
        """loss: 0..1, of the picture's packets since the report before."""
        self._loss = loss
        self._sick = self._sick + 1 if loss > HEAVY_LOSS else 0
        if loss > CLEAN_LOSS:
            self._trouble = now

    def on_rtt(self, rtt: float) -> None:
        """rtt: seconds, smoothed."""
        before, self._rtt = self._rtt or rtt, rtt
        self._rtt_least = min(rtt, self._rtt_least + RTT_CREEP)
        full = rtt > self._rtt_least + RTT_GROWTH and rtt > SHRINKS * before
        self._slow = self._slow + 1 if full else 0

    # ---- what follows --------------------------------------------------------------------------------------------

    def decide(self, path: Path, now: float) -> bool:
        """Whether `tier` changed. To be called after each report and some ten times a second."""
        before = self.tier
        path.close = self.probe is not None
        if self.tier is not TierName.AUDIO or self.probe is not None:
            self._look_down(path, now)
        if self.tier is before:
            self._look_up(path, now)
        return self.tier is not before

    def _look_down(self, path: Path, now: float) -> None:
        rate = self._room(path, now)
        if rate is None:
            return
        self._trouble = now
        if self.probe is not None:
            self._probe_failed(path, now)
            return
        target = self.ladder.fitting(rate, self.tier)
        if target is not self.tier:
            self.room = rate
            self._step_down(target, path, now)

    def _room(self, path: Path, now: float) -> float | None:
        """bit/s that the way seems to carry, where that is too little; None while nothing is wrong."""
        if now < self._judge_from:
            return None
        rate = self._by_arrivals(path, now) if path.speaks else self._by_remb(now)
        if rate is None and self._sick >= SICK_REPORTS:
            rate = self._by_loss()
        return rate

    def _by_loss(self) -> float | None:
        """One step less; sound alone only if the way has a queue as well."""
        step = below(self.tier)
        if step is TierName.AUDIO and (self._rtt is None or self._rtt < self._rtt_least + RTT_QUEUE):
            return None
        self._sick = 0
        return self.ladder.total(step)

    def _by_arrivals(self, path: Path, now: float) -> float | None:
        if path.span < SPAN:
            return None
        overflows = path.loss(now) >= NARROW_LOSS and path.queue > CLEAN_QUEUE / 2
        if overflows or (path.queue > QUEUE_GROWS and path.growth > GROWTH):
            return MARGIN * path.delivered
        if self._stands(path.queue, now):
            return min(MARGIN * path.delivered, self.ladder.total(below(self.tier)))
        return None

    def _stands(self, queue: float, now: float) -> bool:
        """Whether there was a queue for STANDS_FOR that does not get shorter."""
        if queue <= QUEUE_STANDS:
            self._stood = None
        elif self._stood is None or (now - self._stood[0] > STANDS_FOR and queue < SHRINKS * self._stood[1]):
            self._stood = (now, queue)
        return self._stood is not None and now - self._stood[0] > STANDS_FOR

    def _by_remb(self, now: float) -> float | None:
        remb = self.remb
        narrow = REMB_NARROW * self.ladder.video(self.tier)
        if remb.rate is not None and now - remb.fell_at < 1.0 and remb.rate < narrow:
            room = remb.rate / REMB_SHARE + self.ladder.sound  # it counts what has a time stamp: the picture
            if self._loss < CLEAN_LOSS:  # jitter alone makes it fall as well: that takes nobody's picture away
                room = max(room, self.ladder.total(TierName.LOW))
            return room
        if self._slow >= SLOW_REPORTS and (below(self.tier) is not TierName.AUDIO or self._loss > CLEAN_LOSS):
            self._slow = 0
            return self.ladder.total(below(self.tier))
        return None

    def _step_down(self, tier: TierName, path: Path, now: float) -> None:
        if now - self._rose < FAILED_STEP:
            self._next_probe = now + self._step_pause
            self._step_pause = min(STEP_PAUSE_MOST, 2 * self._step_pause)
        else:
            self._next_probe = now + QUIET
        self.tier = tier
        self.drain = min(DRAIN_MOST, path.backlog)
        self._changed = now
        self._judge_from, self._stood = now + SETTLE + self.drain, None
        path.reset(now)

    def _look_up(self, path: Path, now: float) -> None:
        if self.tier is self.ceiling:
            if now - self._rose > 6 * FAILED_STEP:
                self._step_pause = STEP_PAUSE
            self.probe = None
        elif self.probe is not None:
            self._look_at_probe(self.probe, path, now)
        elif self._may_probe(path, now):
            step = above(self.tier)
            if not self.can_probe:
                self._step_up(step, now)
                return
            self.probe = Probe(now, step, PROBE_MORE * self.ladder.total(step))
            self._last_probe = now
            path.reset(now)

    def _may_probe(self, path: Path, now: float) -> bool:
        if now < self._next_probe or min(now - self._changed, now - self._trouble) < QUIET:
            return False
        if path.queue > CLEAN_QUEUE:
            return False
        narrowest = path.narrowest(now)
        if narrowest is None or narrowest >= self.ladder.total(above(self.tier)):
            return True
        return now - self._last_probe > BLIND_PAUSE and now - self._changed > BLIND_PAUSE

    def _look_at_probe(self, probe: Probe, path: Path, now: float) -> None:
        lasted = now - probe.since
        if path.speaks:
            narrowest = path.narrowest(now, least=2)
            too_narrow = narrowest is not None and narrowest < PROBE_NARROW * probe.rate
            if too_narrow or path.queue > PROBE_QUEUE or path.loss(now) > CLEAN_LOSS:
                self._probe_failed(path, now)
            elif lasted >= PROBE_LEAST and path.span > PROBE_LEAST / 2 and path.delivered >= PROBE_SHARE * probe.rate:
                self._step_up(probe.tier, now)
            elif lasted > PROBE_SECONDS:
                self._probe_failed(path, now)
            return
        if self._loss > CLEAN_LOSS or self.remb.fell_at > probe.since:
            self._probe_failed(path, now)
        elif lasted > PROBE_SECONDS or (lasted >= PROBE_LEAST and self._remb_carries(probe, now)):
            self._step_up(probe.tier, now)

    def _remb_carries(self, probe: Probe, now: float) -> bool:
        return self.remb.rate is not None and now - self.remb.at < REMB_FRESH and self.remb.rate >= probe.rate

    def _probe_failed(self, path: Path, now: float) -> None:
        self.probe = None
        self._next_probe = now + self._probe_pause
        self._probe_pause = min(PROBE_PAUSE_MOST, 2 * self._probe_pause)
        self._judge_from = now + SETTLE
        path.reset(now)

    def _step_up(self, tier: TierName, now: float) -> None:
        self.tier = tier
        self.probe = None
        self._probe_pause = PROBE_PAUSE
        self._changed = self._rose = now
