"""Which step of quality one peer's line carries. Pure decisions: `now` is an argument, nothing is sent from here.

Down at once, to the step that fits, when the way to the peer carries less than what is sent (`shortage.py`). Up one
step at a time, after a quiet while, once padding has shown that the line carries the next one; a step that failed is
not tried again for longer and longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.ladder import Ladder, above, lower
from mixdown.mcu.edge.path import Path
from mixdown.mcu.edge.shortage import Shortage

SETTLE = 1.0
"Seconds after a step down for which the packets under way are not judged."
DRAIN_MOST = 1.5
"Seconds at most that nothing of the picture is sent, so that what is queued on the way gets through."
QUIET = 3.0
"Seconds of a good way before a step up is tried."
CLEAN_QUEUE = 0.05
STALE = 1.0
"Seconds after the last report for which its queue holds: with sound alone there are no reports."
CLEAN_LOSS = 0.1
"Share of packets lost over which no step up is tried."
PROBE_SECONDS = 2.0
PROBE_LEAST = 0.5
"Seconds of padding, at most; before a success is believed."
PROBE_MORE, PROBE_SHARE = 1.05, 0.97
"Of the next step's rate, what padding fills up to; of that, what must arrive."
PROBE_QUEUE = 0.08
PROBE_LOSS, PROBE_MARKS = 0.15, 30
"Share of marks lost, of at least so many: on a way with a few losses one of the first must not decide."
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


class Adaptation:
    """Of one peer. tier: what it is to be sent now; ceiling: the best it may have, by its own or an admin's choice.
    probe: the padding that is wanted, if any. drain: seconds for which nothing of the picture should be sent after the
    last step down, because that much is still queued on the way. full: whether that step was for want of room, so that
    the old picture has to stop at once. room: bit/s that the line seemed to carry then.
    failure: of the last probe that failed, what was seen; seen: the queue at the last step down. reason: of the last
    step, for the log."""

    def __init__(self, ceiling: TierName, now: float, *, can_probe: bool = True) -> None:
        self.tier = self.ceiling = ceiling
        self.ladder = Ladder()
        self.probe: Probe | None = None
        self.drain = 0.0
        self.full = True
        self.room = float("inf")
        self.failure = self.reason = ""
        self.seen = 0.0
        self.shortage = Shortage()
        self.can_probe = can_probe
        self._changed = now
        self._rose = float("-inf")
        self._trouble = now
        self._judge_from = now
        self._next_probe = now
        self._probe_pause = PROBE_PAUSE
        self._step_pause = STEP_PAUSE
        self._last_probe = float("-inf")

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
        """rate: bit/s."""
        self.shortage.remb.take(rate, now)

    def on_report(self, loss: float, now: float) -> None:
        """loss: 0..1, of the picture's packets since the report before."""
        self.shortage.on_report(loss)
        if loss > CLEAN_LOSS:
            self._trouble = now

    def on_rtt(self, rtt: float) -> None:
        """rtt: seconds, smoothed."""
        self.shortage.on_rtt(rtt)

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
        rate = None if now < self._judge_from else self.shortage.room(path, self.ladder, self.tier, now)
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

    def _step_down(self, tier: TierName, path: Path, now: float) -> None:
        if now - self._rose < FAILED_STEP:
            self._next_probe = now + self._step_pause
            self._step_pause = min(STEP_PAUSE_MOST, 2 * self._step_pause)
        else:
            self._next_probe = now + QUIET
        self.tier = tier
        self.reason = f"{self.shortage.why}, {path.loss(now):.0%} of marks lost"
        self.full = self.shortage.full
        self.drain = min(DRAIN_MOST, path.backlog) if self.full else 0.0
        self.seen = path.queue
        self._changed = now
        self._judge_from = now + SETTLE + self.drain
        self.shortage.forget()
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
        if path.queue > CLEAN_QUEUE and now - path.last_report < STALE:
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
            if too_narrow or path.queue > PROBE_QUEUE or path.loss(now, least=PROBE_MARKS) > PROBE_LOSS:
                self._probe_failed(path, now)
            elif lasted >= PROBE_LEAST and path.span > PROBE_LEAST / 2 and path.delivered >= PROBE_SHARE * probe.rate:
                self._step_up(probe.tier, now)
            elif lasted > PROBE_SECONDS:
                self._probe_failed(path, now)
            return
        if self.shortage.loss > CLEAN_LOSS or self.shortage.remb.fell_at > probe.since:
            self._probe_failed(path, now)
        elif lasted > PROBE_SECONDS or (lasted >= PROBE_LEAST and self._remb_carries(probe, now)):
            self._step_up(probe.tier, now)

    def _remb_carries(self, probe: Probe, now: float) -> bool:
        remb = self.shortage.remb
        return remb.rate is not None and now - remb.at < REMB_FRESH and remb.rate >= probe.rate

    def _probe_failed(self, path: Path, now: float) -> None:
        lasted = now - self.probe.since if self.probe is not None else 0.0
        narrowest = path.narrowest(now, least=2)
        self.failure = f"{lasted:.2f} s, queue {path.queue:.3f} s, loss {path.loss(now):.2f}"
        self.failure += f", {path.delivered / 1000:.0f} kb/s came, narrowest {(narrowest or 0) / 1000:.0f} kb/s"
        self.probe = None
        self._next_probe = now + self._probe_pause
        self._probe_pause = min(PROBE_PAUSE_MOST, 2 * self._probe_pause)
        self._judge_from = now + SETTLE
        path.reset(now)

    def _step_up(self, tier: TierName, now: float) -> None:
        self.tier = tier
        self.reason = "padding got through" if self.can_probe else "a quiet while"
        self.probe = None
        self._probe_pause = PROBE_PAUSE
        self._changed = self._rose = now
