"""What a peer is told by RTCP: reports once a second, repairs and key frames asked for, REMB (RFC 3550, RFC 4585)."""

from __future__ import annotations

import random

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu import clock
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.control import Control
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.link.messages import Feedback, MixerPort

REPORT_INTERVAL = 1.0
INBOUND_LIMIT = 2_500_000
"bit/s that a peer's pictures may take together, told by REMB."
DEFAULT_RTT = 0.1


class Reporter:
    """Of one peer, from its connection on."""

    def __init__(self, lines: Lines, control: Control, out: Outgoing, mixer: MixerPort) -> None:
        self._lines = lines
        self._control = control
        self._out = out
        self._mixer = mixer
        self._own_ssrc = random.randrange(1, 1 << 32)
        self._next_report = 0.0

    def poll(self, now: float) -> None:
        """Called every few ms: repairs to ask for, reports that are due."""
        feedback = b""
        rtt = self._control.rtt
        for receiver in self._lines.receivers.values():
            lost, pli = receiver.poll(now, rtt if rtt is not None else DEFAULT_RTT)
            if receiver.ssrc is not None and lost:
                feedback += rtcp.nack(self._own_ssrc, receiver.ssrc, lost)
            if receiver.ssrc is not None and pli:
                feedback += rtcp.picture_loss(self._own_ssrc, receiver.ssrc)
        if now >= self._next_report:
            self._next_report = now + REPORT_INTERVAL
            feedback = self._reports(now) + feedback
        feedback += self._control.arrived.report(self._own_ssrc, self._pictured(), now)
        if feedback:
            self._out.send_rtcp(feedback)

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
        pictures = [r.ssrc for r in live if r.ssrc and r.kind.media is MediaKind.VIDEO]
        if pictures:
            compound += rtcp.remb(self._own_ssrc, INBOUND_LIMIT, pictures)
        self._mixer.send(Feedback(request.room, request.participant, control.remb, control.loss, control.rtt))
        return compound
