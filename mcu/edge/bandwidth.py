"""One peer's bandwidth: what its reports say goes to `adaptation.py`; what that decides becomes pacing and padding."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import structlog

from mixdown.codecs.encoded import MediaKind, TierName
from mixdown.mcu import clock
from mixdown.mcu.edge.adaptation import Adaptation, Limit
from mixdown.mcu.edge.ladder import LEAST_SOUND, Ladder
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.outgoing import HEADERS, Outgoing
from mixdown.mcu.edge.path import Path
from mixdown.mcu.edge.transport_cc import parse_arrivals

log = structlog.get_logger("edge")

DECIDE_EVERY = 0.1
MEASURE_EVERY = 2.0
"Seconds over which it is measured what sound and picture take."
LEAST_PACING, PACING = 1.05, 1.5
"Of a step's rate, what its pictures are paced to on a thin line, by what that leaves to the sound."
PACED_AFTER = 5.0
"Seconds after the line was thin for which pictures are still paced."
STEP_TAKES = 0.1
"Seconds, about, from when a step is asked for to its key frame."
PAD_EVERY = 0.01
PAD_PACKET = 1250
"Bytes, about: what is sent again is mostly full packets."
PAD_TOGETHER = 2
"Packets of padding at once: from how far apart they arrive the peer's narrowest link shows at once."
PAD_MOST = 8


class Bandwidth:
    """Of one peer, on the edge's loop. on_change: told when `tier` is another than before, after pacing was set.
    starved: the old picture does not fit any more, so nothing of it is sent until the new one's key frame. draining:
    that one is not to be asked for yet, because of what is queued on the way; on_drained: told when it is. Asked for
    at once, its pictures would wait here, and then follow late and faster than the line."""

    def __init__(self, lines: Lines, counters: Counter[str]) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.on_drained: Callable[[], None] = lambda: None
        self.path = Path()
        self.adaptation = Adaptation(lines.tier, clock.now())
        self.starved = False
        self._drained_at: float | None = None
        self._lines = lines
        self._counters = counters
        self._out: Outgoing | None = None
        self._next = 0.0
        self._measured = (0.0, 0, 0)
        self._thin_until = 0.0
        self._padding: asyncio.Handle | None = None
        self._padded_at = 0.0
        self._padded_octets = 0
        self._owed = 0.0

    @property
    def limited_by(self) -> Limit:
        return self.adaptation.limit

    @property
    def thin(self) -> bool:
        """Whether the line is what limits the picture: then sound is sent without copies."""
        return self.adaptation.limit is Limit.BANDWIDTH

    @property
    def draining(self) -> bool:
        return self._drained_at is not None

    def open(self, out: Outgoing) -> None:
        """The transport is up."""
        self._out = out
        out.on_mark = self.path.sent
        now = clock.now()
        self._measured = (now, out.sound, out.octets)
        self.adaptation = Adaptation(self.adaptation.ceiling, now, can_probe=True)

    def close(self) -> None:
        self._out = None
        if self._padding is not None:
            self._padding.cancel()
            self._padding = None

    def choose(self, tier: TierName) -> TierName:
        """The best step that is wanted; returns what is to be sent now."""
        self.adaptation.choose(tier, clock.now())
        self.starved = False
        self._drained_at = None
        self._lines.tier = self.adaptation.tier
        return self.adaptation.tier

    def rates(self, kbps: tuple[int, ...]) -> None:
        """What the mixer says that the view's steps take, kb/s of video."""
        if kbps:
            self.adaptation.ladder = Ladder(kbps, self.adaptation.ladder.sound)

    # ---- what the peer reports -----------------------------------------------------------------------------------

    def on_arrivals(self, body: bytes, now: float) -> None:
        """Transport-wide feedback. Raises ValueError for what is none."""
        self._counters["arrival_reports"] += 1
        self.path.feedback(parse_arrivals(body), now)
        self._decide(now)

    def on_remb(self, rate: int, now: float) -> None:
        self.adaptation.on_remb(rate, now)
        self._decide(now)

    def on_report(self, loss: float, now: float) -> None:
        self.adaptation.on_report(loss, now)

    def on_rtt(self, rtt: float) -> None:
        self.adaptation.on_rtt(rtt)

    def poll(self, now: float) -> None:
        """Called every few ms."""
        if self._drained_at is not None and now >= self._drained_at:
            self._drained_at = None
            self.on_drained()
        if now < self._next or self._out is None:
            return
        self._next = now + DECIDE_EVERY
        if now - self._measured[0] >= MEASURE_EVERY:
            self._measure(self._out, now)
        self._decide(now)

    def _measure(self, out: Outgoing, now: float) -> None:
        began, sound, octets = self._measured
        self._measured = (now, out.sound, out.octets)
        sounds, all_ = (
            8 * (here - before) / (now - began) for here, before in ((out.sound, sound), (out.octets, octets))
        )
        self.adaptation.ladder = Ladder(self.adaptation.ladder.rates, max(LEAST_SOUND, sounds))
        self.adaptation.shortage.sent = all_ - sounds

    # ---- what follows --------------------------------------------------------------------------------------------

    def _decide(self, now: float) -> None:
        out, adaptation = self._out, self.adaptation
        video = self._lines.senders.get(MediaKind.VIDEO)
        if out is None or video is None:
            return
        adaptation.can_probe = video.can_pad
        before = adaptation.tier
        probe = adaptation.probe
        changed = adaptation.decide(self.path, now)
        if probe is not None and adaptation.probe is None and not changed:
            self._counters["bandwidth_probes_failed"] += 1
            request = self._lines.request
            log.info("x probe", room=request.room, participant=request.participant, saw=adaptation.failure)
        self._pace(out, now)
        if adaptation.probe is not None and self._padding is None:
            self._counters["bandwidth_probes"] += 1
            self._padded_at, self._padded_octets, self._owed = now, out.octets, 0.0
            self._padding = asyncio.get_running_loop().call_soon(self._pad)
        if not changed:
            return
        self._say(before)
        down = adaptation.ladder.video(adaptation.tier) < adaptation.ladder.video(before)
        self._counters["tiers_down" if down else "tiers_up"] += 1
        self.starved = down and adaptation.full
        self._drained_at = None
        if self.starved:
            if adaptation.drain > STEP_TAKES and adaptation.tier is not TierName.AUDIO:
                self._drained_at = now + adaptation.drain - STEP_TAKES
            out.hold(now + adaptation.drain)
            out.drop_picture()
            video.repair_no_more()
        self._lines.tier = adaptation.tier
        self.on_change()

    def _say(self, before: TierName) -> None:
        request, adaptation, path = self._lines.request, self.adaptation, self.path
        log.info(
            "- tier",
            room=request.room,
            participant=request.participant,
            before=before.value,
            now=adaptation.tier.value,
            because=adaptation.reason,
            queue_ms=round(adaptation.seen * 1000),
            kbps=None if adaptation.room == float("inf") else round(adaptation.room / 1000),
            sound_kbps=round(adaptation.ladder.sound / 1000),
            drain_ms=round(adaptation.drain * 1000),
            remb=adaptation.shortage.remb.rate,
            reports=path.reports,
        )

    def _pace(self, out: Outgoing, now: float) -> None:
        if self.adaptation.limit is Limit.BANDWIDTH:
            self._thin_until = now + PACED_AFTER
        thin = now < self._thin_until and self.adaptation.tier is not TierName.AUDIO
        out.rate = self._pacing() if thin else None

    def _pacing(self) -> float:
        """bit/s for the picture: its own rate and some more, so that key frames get through, but not the sound's."""
        adaptation = self.adaptation
        video = adaptation.ladder.video(adaptation.tier)
        left = adaptation.room - adaptation.ladder.sound if adaptation.limit is Limit.BANDWIDTH else float("inf")
        return max(LEAST_PACING * video, min(PACING * video, left))

    def _pad(self) -> None:
        """Fills up to the probe's rate what sound and picture leave of it."""
        self._padding = None
        probe, out = self.adaptation.probe, self._out
        video = self._lines.senders.get(MediaKind.VIDEO)
        if probe is None or out is None or video is None:
            return
        now = clock.now()
        self._owed += probe.rate / 8 * (now - self._padded_at) - (out.octets - self._padded_octets)
        self._owed = min(self._owed, PAD_MOST * PAD_PACKET)
        self._padded_at, self._padded_octets = now, out.octets
        count = int(self._owed // (PAD_PACKET + HEADERS))
        if count >= PAD_TOGETHER:
            out.send_padding(video.padding(now, count), video.marks)
        self._padding = asyncio.get_running_loop().call_later(PAD_EVERY, self._pad)
