"""A thin link and the two ends of it, in simulated time: what the adaptation of one peer is tested on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.adaptation import Adaptation
from mixdown.mcu.edge.path import Path
from mixdown.mcu.edge.transport_cc import Arrivals

STEP = 0.001
FRAME = 1 / 30
PACKET = 1200
SOUND_PACKET = 190
FEEDBACK = 0.06
WAKING, FADING = 0.2, 0.1


@dataclass
class Link:
    """One direction. rate: bit/s; delay, queue: seconds; what would wait longer than `queue` is lost."""

    rate: float
    delay: float = 0.025
    queue: float = 0.3
    free_at: float = 0.0

    def send(self, octets: int, now: float) -> float | None:
        wait = max(0.0, self.free_at - now)
        if wait > self.queue:
            return None
        self.free_at = now + wait + 8 * octets / self.rate
        return self.free_at + self.delay


@dataclass
class Air(Link):
    """As Wi-Fi has it: every packet is up to `jitter` late, and once in `every` seconds all wait for `stall`."""

    jitter: float = 0.0
    stall: float = 0.0
    every: float = 1.0
    last: float = 0.0
    dice: Random = field(default_factory=lambda: Random(1))

    def send(self, octets: int, now: float) -> float | None:
        arrived = super().send(octets, now)
        if arrived is None:
            return None
        arrived += self.dice.random() * self.jitter
        begun = arrived // self.every * self.every
        self.last = max(self.last, begun + self.stall, arrived)
        return self.last


@dataclass
class Outage(Link):
    """Nothing gets through from `begin` to `end`; for WAKING seconds after it all is `late`, as from an access point or
    a machine that has much to do just then, and for FADING seconds before it all is `fading` late."""

    begin: float = 0.0
    end: float = 0.0
    late: float = 0.0
    fading: float = 0.0

    def send(self, octets: int, now: float) -> float | None:
        if self.begin <= now < self.end:
            return None
        arrived = super().send(octets, now)
        if arrived is None:
            return None
        if self.begin - FADING <= now < self.begin:
            arrived += self.fading
        return arrived + self.late if self.end <= now < self.end + WAKING else arrived


@dataclass
class RembReceiver:
    """As Chromium computes it: up by 8 % a second, at most 1.5 times of what comes; 0.85 of it when the delay grows."""

    rate: float = 2_000_000.0
    got: deque[tuple[float, int]] = field(default_factory=deque)
    delays: deque[tuple[float, float]] = field(default_factory=deque)
    fell: float = -1.0

    def take(self, arrived: float, octets: int, delay: float) -> None:
        self.got.append((arrived, octets))
        self.delays.append((arrived, delay))

    def estimate(self, now: float, interval: float) -> float:
        while self.got and now - self.got[0][0] > 0.5:
            self.got.popleft()
        while self.delays and now - self.delays[0][0] > 0.3:
            self.delays.popleft()
        seen = [(at, size) for at, size in self.got if at <= now]
        incoming = sum(size for _, size in seen) * 8 / 0.5
        early = [delay for at, delay in self.delays if at <= now - 0.15]
        late = [delay for at, delay in self.delays if now - 0.15 < at <= now]
        growing = bool(early and late) and min(late) - min(early) > 0.012 and now - self.fell > 0.3
        if growing:
            self.rate, self.fell = min(self.rate, 0.85 * incoming), now
        elif now - self.fell > 0.5:
            self.rate = min(self.rate * 1.08**interval, max(1.5 * incoming + 10_000, min(self.rate, 2_500_000)))
        return self.rate


@dataclass
class Call:
    """A server that sends one picture and sound, and a browser that reports: marks if `reports`, else REMB."""

    link: Link
    reports: bool = True
    now: float = 0.0
    path: Path = field(default_factory=Path)
    octets: int = 0
    queue: float = 0.0
    history: list[tuple[float, TierName]] = field(default_factory=list)
    offered: deque[tuple[float, int]] = field(default_factory=deque)
    sound_delays: list[tuple[float, float | None]] = field(default_factory=list)
    probed: float = 0.0
    random_loss: float = 0.0

    def __post_init__(self) -> None:
        self.adaptation = Adaptation(TierName.FULL, self.now)
        self.tier = TierName.FULL
        self.remb = RembReceiver()
        self._mark = 65_000
        self._arrived: dict[int, float | None] = {}
        self._first_open = self._mark
        self._on_the_way: deque[tuple[float, Arrivals]] = deque()
        self._clocks = {"frame": 0.0, "sound": 0.0, "feedback": 0.0, "poll": 0.0, "remb": 0.0, "report": 0.0}
        self._key_at: float | None = None
        self._lost = self._counted = 0
        self._odd = False
        self._owed = 0.0

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP
            self._tick()

    def _due(self, what: str, interval: float) -> bool:
        if self.now < self._clocks[what]:
            return False
        self._clocks[what] = self.now + interval
        return True

    def _tick(self) -> None:
        if self._due("sound", 0.02):
            self.sound_delays.append((self.now, self._send(SOUND_PACKET, None)))
        if self._due("frame", FRAME):
            self._frame()
        self._pad()
        if self._due("feedback", FEEDBACK):
            self._report()
        while self._on_the_way and self._on_the_way[0][0] <= self.now:
            self.path.feedback(self._on_the_way.popleft()[1], self.now)
            self._decide()
        if not self.reports and self._due("remb", 0.2):
            self.adaptation.on_remb(self.remb.estimate(self.now, 0.2), self.now)
        if self._lost < self._counted and self._due("report", 1.0):  # it knows of no loss before something comes
            self.adaptation.on_report(self._lost / max(1, self._counted), self.now)
            self.adaptation.on_rtt(2 * self.link.delay + max(0.0, self.link.free_at - self.now))
            self._lost = self._counted = 0
        if self._due("poll", 0.1):
            self._decide()

    def _decide(self) -> None:
        before = self.adaptation.tier
        if not self.adaptation.decide(self.path, self.now):
            return
        self.history.append((self.now, self.adaptation.tier))
        down = list(TierName).index(self.adaptation.tier) > list(TierName).index(before)
        self._key_at = self.now + 0.2 + (self.adaptation.drain if down else 0.0)
        if down:
            self.tier = TierName.AUDIO

    def _frame(self) -> None:
        share = 1.0
        if self.tier is TierName.LOW:  # half the frames
            self._odd = not self._odd
            if self._odd:
                return
            share = 2.0
        if self._key_at is not None and self.now >= self._key_at:
            self._key_at, self.tier, share = None, self.adaptation.tier, 4.5 * share
        rate = self.adaptation.ladder.video(self.tier)
        size = int(share * rate / 8 * FRAME)
        count = -(-size // PACKET)
        for n in range(count):
            octets = min(PACKET, size - n * PACKET)
            self._send(octets, self._next_mark() if n % 3 == 0 or n == count - 1 else None)

    def _pad(self) -> None:
        probe = self.adaptation.probe
        if probe is None:
            self._owed = 0.0
            return
        self.probed += STEP
        before = self.adaptation.ladder.total(self.tier)
        self._owed += (probe.rate - before) / 8 * STEP
        if self._owed > 2 * PACKET:
            for _ in range(2):
                self._owed -= PACKET
                self._send(PACKET, self._next_mark())

    def _next_mark(self) -> int:
        self._mark = (self._mark + 1) & 0xFFFF
        return self._mark

    def _send(self, octets: int, mark: int | None) -> float | None:
        self.octets += octets
        self.offered.append((self.now, octets))
        arrived = self.link.send(octets, self.now)
        self._counted += 1
        if self.random_loss and hash((self._counted, round(self.now, 3))) % 1000 < 1000 * self.random_loss:
            arrived = None
        self._lost += arrived is None
        if arrived is not None and octets != SOUND_PACKET:
            self.remb.take(arrived, octets, arrived - self.now)
        if mark is not None and self.reports:
            self.path.sent(mark, self.now, self.octets)
            self._arrived[mark] = arrived
        return None if arrived is None else arrived - self.now

    def _report(self) -> None:
        """All marks up to the last that has arrived by now."""
        order = list(self._arrived)
        have = [n for n, mark in enumerate(order) if (at := self._arrived[mark]) is not None and at <= self.now]
        if not have:
            return
        covered = order[: have[-1] + 1]
        times = tuple(self._arrived.pop(mark) for mark in covered)
        self._on_the_way.append((self.now + self.link.delay, Arrivals(covered[0], times)))

    def rate(self, seconds: float = 1.0) -> float:
        """bit/s sent lately."""
        return 8 * sum(octets for at, octets in self.offered if self.now - at <= seconds) / seconds
