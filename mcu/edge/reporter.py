"""What a peer is told by RTCP: reports once a second, repairs and key frames asked for, REMB (RFC 3550, RFC 4585)."""

from __future__ import annotations

import random

from aiortc.rtp import RtcpRrPacket

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu import clock
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.control import Control
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.edge.repairs import Repairs
from mixdown.mcu.edge.uplink import MOST, Uplink, worth
from mixdown.mcu.link.messages import Feedback, MixerPort, SourceKind

REPORT_INTERVAL = 1.0


class Reporter:
    """Of one peer, from its connection on."""

    def __init__(self, lines: Lines, control: Control, out: Outgoing, mixer: MixerPort) -> None:
        self._lines = lines
        self._control = control
        self._out = out
        self._mixer = mixer
        self._own_ssrc = random.randrange(1, 1 << 32)
        self._next_report = 0.0
        self._uplink = Uplink()
        if not lines.reduced:
            out.preface = bytes(RtcpRrPacket(self._own_ssrc))
        self._repairs = Repairs(lines, control, out, self._own_ssrc)

    def poll(self, now: float) -> None:
        """Called every few ms: repairs to ask for, reports that are due."""
        feedback = self._repairs.due(now)
        if now >= self._next_report:
            self._next_report = now + REPORT_INTERVAL
            feedback = self._reports(now) + feedback
        feedback += self._control.arrived.report(self._own_ssrc, self._pictured(), now)
        if feedback:
            self._out.send_rtcp(feedback)

    def want(self, source: str, height: int) -> None:
        """The largest tile of a source, canvas pixels; 0: nobody sees it. A larger one may send more at once."""
        receiver = self._lines.receivers.get(source)
        now = clock.now()
        if receiver is not None:
            need = MOST if receiver.kind is SourceKind.SCREEN and height else worth(height)
            if self._uplink.want(source, need, now):
                self._out.send_rtcp(self._remb(now))

    def _remb(self, now: float) -> bytes:
        pictures = [r for r in self._lines.receivers.values() if r.kind.media is MediaKind.VIDEO and not r.ended]
        ssrcs = [r.ssrc for r in pictures if r.ssrc]
        limit = self._uplink.limit([r.source for r in pictures if r.ssrc], now)
        return rtcp.remb(self._own_ssrc, limit, ssrcs) if ssrcs else b""

    def _pictured(self) -> int:
        """The SSRC of some picture that is received, as the draft wants one named; 0 if there is none."""
        receivers = self._lines.receivers.values()
        return next((r.ssrc for r in receivers if r.ssrc is not None and r.kind.media is MediaKind.VIDEO), 0)

    def want_key_frame(self, source: str) -> None:
        """The mixer's decoder needs one: a PLI, at most two a second."""
        receiver = self._lines.receivers.get(source)
        if receiver is not None and receiver.ssrc is not None and receiver.wants_key_frame(clock.now()):
            self._out.send_rtcp(rtcp.picture_loss(self._own_ssrc, receiver.ssrc))

    def _reports(self, now: float) -> bytes:
        ntp = clock.ntp_time()
        self._control.report_sent(ntp, now)
        request, control = self._lines.request, self._control
        live = [r for r in self._lines.receivers.values() if not r.ended]
        receptions = [(r.ssrc, r.reception) for r in live if r.ssrc and r.reception]
        cname = f"mixdown-{request.participant}"
        senders = self._lines.senders.values()
        compound = rtcp.reports(self._own_ssrc, senders, receptions, cname=cname, now=now, ntp=ntp)
        self._uplink.on_loss(max((reception.loss for _, reception in receptions), default=0.0))
        compound += self._remb(now)
        self._mixer.send(Feedback(request.room, request.participant, control.remb, control.loss, control.rtt))
        return compound
