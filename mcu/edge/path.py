"""What the network does to packets on their way to one peer: its queue, its rate, its losses. Pure: `now` is given.

It watches marks: some packets of the picture carry a running number, and the peer reports when each arrived
(`transport_cc.py`). From what was sent in between follows how fast the way really is.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from mixdown.mcu.edge.transport_cc import Arrivals

MAX_MARKS = 1024
"Marks remembered, oldest forgotten first: ten seconds of a picture, thrice a report's delay on the worst of ways."
MAX_SAMPLES = 256
BASE_SECONDS = 15.0
"The least delay of the last one to two such times is taken for that of an empty queue."
STANDING_SECONDS = 0.12
"The least delay among what arrived in such a time: one frame's own length, or a stall that is over, is no queue."
RATE_SECONDS = 0.4
CLEAR = 0.015
"Seconds of delay of the newest mark that cannot be a queue."
BUSY_DELAY, BUSY_SECONDS = 0.02, 0.1
"Seconds in the queue that say the link was busy; for how long it must have been."
LOSS_SECONDS = 1.0
OUTAGE, OUTAGE_FRAMES = 0.25, 3.5
"""Seconds of sending of which nothing arrived, and times between two frames: no queue that overflows does that, of it
something gets through."""
FRAME_GAP, FRAME_GAPS = 0.02, 8
"Seconds from one mark to the next that mean another frame; of how many of late the shortest counts."
BURST_GAP = 0.002
"Seconds between two packets that left together: how far apart they arrive tells the rate of the narrowest link."
BURST_BYTES = 400
MAX_BURSTS = 15
BURST_SECONDS = 3.0
WIDEST_SECONDS = 0.5


class Sample(NamedTuple):
    """A mark that arrived. sent: our clock; arrived: the peer's; octets: all that had been sent up to and with it."""

    sent: float
    arrived: float
    octets: int

    @property
    def delay(self) -> float:
        """One way, on two clocks: only differences mean anything."""
        return self.arrived - self.sent


class Fate(NamedTuple):
    """at: when it was reported; octets: as in Sample."""

    at: float
    octets: int
    lost: bool


def _as_sent(sample: Sample) -> int:
    return sample.octets


class Path:
    """queue: seconds that a packet waits somewhere on the way; growth: how much of it came in the last
    STANDING_SECONDS; delivered: bit/s, as marks arrived; span: seconds of sending that this is about. close: to be
    measured even while the way is clear, when `delivered` would only repeat what is sent and is left out."""

    def __init__(self) -> None:
        self.queue = 0.0
        self.delivered = 0.0
        self.growth = 0.0
        self.span = 0.0
        self.close = False
        self.reports = 0
        self.last_report = float("-inf")
        self._marks: dict[int, tuple[float, int]] = {}
        self._samples: deque[Sample] = deque(maxlen=MAX_SAMPLES)
        self._fates: deque[Fate] = deque(maxlen=MAX_SAMPLES)
        self._bursts: deque[tuple[float, float]] = deque(maxlen=MAX_BURSTS)
        self._base = (float("inf"), float("inf"))
        self._base_since = float("-inf")
        self._after = float("-inf")
        self._octets = 0
        self._newest = Sample(float("inf"), 0.0, 0)
        self._last_sent = float("-inf")
        self._gaps: deque[float] = deque(maxlen=FRAME_GAPS)
        self._last_lost = float("-inf")

    def sent(self, mark: int, now: float, octets: int) -> None:
        """mark: 16 bit. octets: bytes on the wire so far, with IP and UDP, this packet's included."""
        marks = self._marks
        marks.pop(mark, None)
        marks[mark] = (now, octets)
        self._octets = octets
        if now - self._last_sent > FRAME_GAP:
            self._gaps.append(now - self._last_sent)
        self._last_sent = now
        if len(marks) > MAX_MARKS:
            del marks[next(iter(marks))]

    def feedback(self, report: Arrivals, now: float) -> None:
        """Numbers that were never sent, or were reported before, are ignored."""
        self.reports += 1
        self.last_report = now
        last = max((i for i, at in enumerate(report.times) if at is not None), default=-1)
        samples, missing = [], []
        for index, arrived in enumerate(report.times[: last + 1]):
            mark = (report.base + index) & 0xFFFF
            found = self._marks.pop(mark, None)
            if found is None:
                continue
            if arrived is None:
                missing.append((mark, found))
            else:
                samples.append(Sample(found[0], arrived, found[1]))
        if not samples:
            self._marks.update(missing)
            return
        samples.sort(key=_as_sent)  # padding overtakes pictures that are paced
        self._look_for_an_outage(samples)
        for sample in samples:
            self._take(sample, now)
        self._miss(missing, samples[-1].octets, now)
        self._measure(now)

    def _look_for_an_outage(self, samples: list[Sample]) -> None:
        """What was sent until the end of a time of which nothing arrived says nothing of the line's rate."""
        outage = max(OUTAGE, OUTAGE_FRAMES * min(self._gaps, default=0.0))
        for sample in samples:
            if sample.sent - self._newest.sent >= outage:
                self._begin_anew(max(self._after, sample.sent))  # how far apart bursts arrived stays true of the line
            if sample.octets > self._newest.octets:
                self._newest = sample

    def _miss(self, missing: list[tuple[int, tuple[float, int]]], arrived: int, now: float) -> None:
        """Lost is what left before something that arrived; what was only numbered before it may still be on its way."""
        for mark, (sent, octets) in missing:
            if octets > arrived:
                self._marks[mark] = (sent, octets)
            elif sent >= self._after:
                self._fates.append(Fate(now, octets, True))
                self._last_lost = now

    def reset(self, now: float) -> None:
        """What was sent until now says nothing of what is sent from now on."""
        self._begin_anew(now)
        self._bursts.clear()

    def _begin_anew(self, after: float) -> None:
        self._after = after
        self._samples.clear()
        self._fates.clear()
        self.queue = self.growth = self.delivered = self.span = 0.0

    def _take(self, sample: Sample, now: float) -> None:
        if now - self._base_since > BASE_SECONDS:
            self._base = (self._base[1], sample.delay)
            self._base_since = now
        self._base = (self._base[0], min(self._base[1], sample.delay))
        if sample.sent < self._after:
            return
        self._fates.append(Fate(now, sample.octets, False))
        before = self._samples[-1] if self._samples else None
        if before is not None and sample.octets < before.octets:
            return
        if before is not None and sample.sent - before.sent < BURST_GAP:
            self._burst(before, sample, now)
        self._samples.append(sample)

    def _burst(self, first: Sample, last: Sample, now: float) -> None:
        octets, gap = last.octets - first.octets, last.arrived - first.arrived
        if octets >= BURST_BYTES:
            self._bursts.append((now, 8 * octets / max(gap, 0.00025)))

    def _measure(self, now: float) -> None:
        samples = self._samples
        if not samples:
            return
        newest = samples[-1]
        base = min(self._base)
        if not self.close and newest.delay - base < CLEAR:
            self.queue = max(0.0, newest.delay - base)
            self.growth = self.span = self.delivered = 0.0
            return
        turn = newest.arrived - STANDING_SECONDS
        recent = min(s.delay for s in samples if s.arrived >= turn)
        before = min((s.delay for s in samples if turn - STANDING_SECONDS <= s.arrived < turn), default=recent)
        self.queue = max(0.0, recent - base)
        self.growth = recent - before
        first = self._window(newest)
        self.span = newest.sent - first.sent
        octets = newest.octets - first.octets
        self.delivered = 8 * octets / max(newest.arrived - first.arrived, 0.001)
        self.delivered *= 1 - self._loss([fate for fate in self._fates if fate.octets > first.octets])

    def _window(self, newest: Sample) -> Sample:
        """Where the look back begins: at RATE_SECONDS, or later, at what first found the link busy. While it is, the
        rate of what arrives is the link's own."""
        base = min(self._base)
        busy = first = newest
        is_busy = True
        for sample in reversed(self._samples):
            if newest.arrived - sample.arrived > RATE_SECONDS:
                break
            first = sample
            is_busy = is_busy and sample.delay - base > BUSY_DELAY
            if is_busy:
                busy = sample
        return busy if newest.arrived - busy.arrived >= BUSY_SECONDS else first

    def loss(self, now: float, seconds: float = LOSS_SECONDS, least: int = 5) -> float:
        """0 until `least` marks were reported on."""
        if now - self._last_lost > seconds:
            return 0.0
        return self._loss([fate for fate in self._fates if now - fate.at <= seconds], least)

    def _loss(self, fates: list[Fate], least: int = 5) -> float:
        return sum(fate.lost for fate in fates) / len(fates) if len(fates) >= least else 0.0

    def narrowest(self, now: float, least: int = 3) -> float | None:
        """bit/s of the narrowest link by packets that left together lately; None: fewer than `least` did. Links that
        gather packets (Wi-Fi) look wider than they are; the upper quartile, because a late machine makes them look
        narrower."""
        rates = sorted(rate for at, rate in self._bursts if now - at <= BURST_SECONDS)
        return rates[3 * len(rates) // 4] if len(rates) >= least else None

    def widest(self, now: float) -> float | None:
        """bit/s, the best of the three bursts that came last; None: there were none of late. A line that became thin
        shows it in each of them, a machine that is late by turns does not."""
        rates = [rate for at, rate in list(self._bursts)[-3:] if now - at <= WIDEST_SECONDS]
        return max(rates, default=None)

    @property
    def speaks(self) -> bool:
        """Whether the peer reports arrivals at all."""
        return self.reports > 2

    @property
    def backlog(self) -> float:
        """Seconds that what is under way still needs to arrive, at the rate of late; 0 where nothing is known. Of it
        as much is taken for lost already as was lost of late."""
        if not self._samples or not self.delivered:
            return 0.0
        share = 1 - self.loss(self.last_report, RATE_SECONDS)
        return 8 * share * (self._octets - self._samples[-1].octets) / self.delivered
