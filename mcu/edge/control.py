"""What a peer's RTCP asks and reports: sender and receiver reports, NACK, PLI and FIR, REMB, BYE."""

from __future__ import annotations

from collections import Counter

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu.edge.arrival_log import ArrivalLog
from mixdown.mcu.edge.bandwidth import Bandwidth
from mixdown.mcu.edge.budget import Budget
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.edge.reported_loss import ReportedLoss
from mixdown.mcu.edge.rtcp import remb_of
from mixdown.mcu.link.messages import KeyFrameRequest, MixerPort, SenderReport

CONTROL_PAUSE = 0.05
"""Seconds between two key-frame requests of a peer, and between two reports of a source, that reach the mixer: a flood
of them would fill the queue that all rooms share."""
KEY_FRAME_RATE, KEY_FRAME_BURST = 8, 12
"Key-frame requests a second, and at once. Browsers ask every 200 ms at most while they wait for one."
KEY_FRAME_WAIT, KEY_FRAMES_TOGETHER = 0.03, 2
"""Seconds that a request waits before the mixer hears of it; how many may come meanwhile (a packet that the network
doubled is two). More is a flood that begins, whose key frame would be everybody's, or what a stalled line held back."""
KEY_FRAME_DOUBT = 0.5
"Seconds that it waits then: a flood is over KEY_FRAME_BURST until they have passed."
KEY_FRAME_FLOOD = 2.0
"""Seconds from when a peer last asked more often, in which it is not heard: it gets the key frames that others need. No
more, for a line that was down for some seconds gives as many at once."""
MAX_NACKED = 512
"Packets that one NACK may ask for again: more than half of what is remembered."
NACK_RATE, NACK_BURST = 1000, 1024
"Packets asked for again that are looked up, a second and at once."
TWICE_LOSS, THRICE_LOSS = 0.01, 0.03
"Share of a picture's packets lost, over which each repair is sent twice, or three times: unless the line is thin."
REPORTS_REMEMBERED = 16
NTP_MIDDLE = 65536


class Control:
    """Of one peer. loss: 0..1 of what it is sent; rtt: seconds; remb: bit/s; None until it reported."""

    def __init__(self, lines: Lines, bandwidth: Bandwidth, mixer: MixerPort, counters: Counter[str]) -> None:
        self.out: Outgoing | None = None
        self.loss = 0.0
        self.rtt: float | None = None
        self.remb: int | None = None
        self._lines = lines
        self._bandwidth = bandwidth
        self._mixer = mixer
        self._counters = counters
        self.arrived = ArrivalLog()
        self._sent_reports: dict[int, float] = {}
        self._losses = ReportedLoss()
        self._nacks = Budget(NACK_RATE, NACK_BURST)
        self._key_frames = Budget(KEY_FRAME_RATE, KEY_FRAME_BURST)
        self._flooded_until = float("-inf")
        self._key_frame_at: float | None = None  # when the mixer hears of the request that waits
        self._asked = 0  # how many came meanwhile
        self._told: dict[str, float] = {}  # what was asked or reported -> when the mixer heard of it last

    def take(self, packet: AnyRtcpPacket, now: float) -> None:
        """One packet of a compound."""
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            if isinstance(packet, RtcpSrPacket):
                self._on_sender_report(packet, now)
            for report in packet.reports:
                self._on_report(report, now)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            self._on_nack(packet, now)
        elif isinstance(packet, RtcpByePacket):
            for ssrc in packet.sources:
                self._lines.bye(ssrc, now)
        elif isinstance(packet, RtcpPsfbPacket):
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                self._on_key_frame_request(now)
            elif packet.fmt == RTCP_PSFB_APP:
                self._on_remb(remb_of(packet.fci), now)

    def arrivals(self, body: bytes, now: float) -> None:
        """Transport-wide feedback, see `transport_cc.py`. Raises ValueError."""
        self._bandwidth.on_arrivals(body, now)

    def _on_remb(self, rate: int, now: float) -> None:
        self.remb = rate
        self._bandwidth.on_remb(rate, now)

    def report_sent(self, ntp: int, now: float) -> None:
        """Remembers a sender report of ours, for the round trip that an answer to it tells (RFC 3550, 6.4.1)."""
        self._sent_reports[(ntp >> 16) & 0xFFFFFFFF] = now
        while len(self._sent_reports) > REPORTS_REMEMBERED:
            del self._sent_reports[next(iter(self._sent_reports))]

    def poll(self, now: float) -> None:
        """Called every few ms: the request for a key frame that has waited long enough."""
        if self._key_frame_at is not None and now >= self._key_frame_at:
            self._key_frame_at = None
            self._want_key_frame(now)

    def _on_key_frame_request(self, now: float) -> None:
        self._counters["key_frames_asked"] += 1
        if not self._key_frames.spend(1, now):
            self._flooded_until = now + KEY_FRAME_FLOOD
        if now < self._flooded_until:
            self._key_frame_at = None
            self._counters["key_frame_floods"] += 1
            return
        if self._key_frame_at is None:
            self._key_frame_at, self._asked = now + KEY_FRAME_WAIT, 0
        self._asked += 1
        if self._asked == KEY_FRAMES_TOGETHER + 1:
            self._key_frame_at = now + KEY_FRAME_DOUBT

    def _want_key_frame(self, now: float) -> None:
        """Of what it watches: while its line empties that is nothing, and what follows begins with one."""
        if not self._bandwidth.draining and self._may_tell("key frame", now):
            request = self._lines.request
            self._mixer.send(KeyFrameRequest(request.room, request.participant))

    def _on_sender_report(self, packet: RtcpSrPacket, now: float) -> None:
        receiver = self._lines.by_ssrc.get(packet.ssrc)
        if receiver is None or receiver.reception is None or receiver.ssrc != packet.ssrc:
            return
        info = packet.sender_info
        receiver.reception.sender_report(info.ntp_timestamp, now)
        rtp_time = receiver.reception.unwrap_timestamp(info.rtp_timestamp)
        if self._may_tell(receiver.source, now):
            request = self._lines.request
            self._mixer.send(
                SenderReport(request.room, receiver.source, info.ntp_timestamp, rtp_time, request.participant)
            )

    def _may_tell(self, what: str, now: float) -> bool:
        """Whether the mixer may hear of it again; what: one of a few names, so this stays small."""
        if now - self._told.get(what, float("-inf")) < CONTROL_PAUSE:
            self._counters["control_flood"] += 1
            return False
        self._told[what] = now
        return True

    def _on_report(self, report: RtcpReceiverInfo, now: float) -> None:
        video = self._lines.senders.get(MediaKind.VIDEO)
        if video is None or report.ssrc == video.streams.ssrc:
            loss = self._losses.take(report.packets_lost, report.highest_sequence, now)
            if loss is not None:
                self.loss = loss
                self._bandwidth.on_report(loss, now)
        sent = self._sent_reports.get(report.lsr)
        if sent is not None and report.dlsr:
            rtt = now - sent - report.dlsr / NTP_MIDDLE
            if 0 <= rtt < 10:
                self.rtt = rtt if self.rtt is None else 0.8 * self.rtt + 0.2 * rtt
                self._bandwidth.on_rtt(self.rtt)

    def _on_nack(self, packet: RtcpRtpfbPacket, now: float) -> None:
        video = self._lines.senders.get(MediaKind.VIDEO)
        if video is None or packet.media_ssrc != video.streams.ssrc:
            return
        lost = packet.lost[:MAX_NACKED]
        if not self._nacks.spend(len(lost), now):
            self._counters["nack_flood"] += 1
            return
        numbers = [sequence & 0xFFFF for sequence in lost]
        if video.beyond_repair(numbers):
            self._counters["beyond_repair"] += 1
            video.repair_no_more()
            self._want_key_frame(now)
            return
        repairs = [r for sequence in numbers if (r := video.repair(sequence, now)) is not None]
        for least in (TWICE_LOSS, THRICE_LOSS):
            if self.loss > least and not self._bandwidth.thin:
                repairs += video.repair_again(numbers, now)
        self._counters["nacked"] += len(packet.lost)
        self._counters["repairs_sent"] += len(repairs)
        if repairs and self.out is not None:
            self.out.send(repairs, droppable=True)
