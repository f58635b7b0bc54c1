"""One peer: its transport, what it sends, what it is sent. Everything of a participant's connection, and nothing else.

datagram -> Transport (STUN, DTLS, verified addresses only) -> on_media -> SRTP -> receivers | RTCP
fan-out -> MediaSender.packetise -> Outgoing (pacing, SRTP, system calls)
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import pylibsrtp
from aiortc import RTCIceCandidate
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, TierName
from mixdown.mcu import clock
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.aiortc_private import Transport
from mixdown.mcu.edge.answer import MediaPlan, Streams
from mixdown.mcu.edge.meter import SAMPLE_EVERY, RoomMeter
from mixdown.mcu.edge.offer import URI_MID, Offer
from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.edge.receiver import SourceReceiver
from mixdown.mcu.edge.rtp import RtpHeader, parse_rtp
from mixdown.mcu.edge.sender import MediaSender
from mixdown.mcu.edge.types import JoinRequest
from mixdown.mcu.link.messages import (
    Feedback,
    KeyFrameRequest,
    MixerPort,
    SenderReport,
    SourceClosed,
    SourceFrame,
    SourceKind,
    SourceOpened,
    Subscribe,
    Unsubscribe,
)

MAX_SSRCS = 31
"Streams that a peer may send, repair streams included."
REPORT_INTERVAL = 1.0
SILENCE_LIMIT = 8.0
"""Seconds without an SRTP packet or a check of consent (RFC 7675) after which a peer is gone. Checks count: who only
listens may say nothing else for 7.5 s, and a lost report makes it 15."""
CONTROL_PAUSE = 0.05
"""Seconds between two key-frame requests of a peer, and between two reports of a source, that reach the mixer: a flood
of them would fill the queue that all rooms share."""
CLOSE_DEADLINE = 1.0
INBOUND_LIMIT = 2_500_000
"bit/s that a peer's pictures may take together, told by REMB."
NTP_MIDDLE = 65536


class Peer:
    """Lives on the edge's loop. `mixer`: where sources, frames and subscriptions go. closed: told once, by itself."""

    def __init__(
        self,
        request: JoinRequest,
        offer: Offer,
        transport: Transport,
        mixer: MixerPort,
        counters: Counter[str],
        meter: RoomMeter,
    ) -> None:
        self.request = request
        self.offer = offer
        self.transport = transport
        self.cname = f"mixdown-{request.participant}"
        self.view, self.tier = request.view, request.tier
        self.senders: dict[MediaKind, MediaSender] = {}
        self.receivers: dict[str, SourceReceiver] = {}
        self.streams: dict[str, Streams] = {}
        self.active = offer.dtls.role != "client"
        self.session_id = random.getrandbits(62)
        self.answers = 0
        self.connected = False
        self.closed = False
        self.loss = 0.0
        self.rtt: float | None = None
        self.remb: int | None = None
        self.packets_received = self.bytes_received = 0
        self.last_received = clock.now()
        self._mixer = mixer
        self._counters = counters
        self._meter = meter
        self._by_ssrc: dict[int, SourceReceiver] = {}
        self._own_ssrc = random.randrange(1, 1 << 32)
        self._rx: pylibsrtp.Session | None = None
        self._out: Outgoing | None = None
        self._next_report = 0.0
        self._sent_reports: dict[int, float] = {}
        self._told: dict[str, float] = {}  # what was asked or reported -> when the mixer heard of it last

    # ---- negotiation -------------------------------------------------------------------------------------------

    def plan(self, plans: Sequence[MediaPlan]) -> list[MediaSender]:
        """Makes the senders and receivers that an offer's m-lines call for; those that stay are kept as they are.
        Returns the senders that are no longer wanted, for the fan-out to forget."""
        wanted_sources = {p.source: p for p in plans if p.source is not None}
        lines = {kind: plan.media.mid for kind, plan in wanted_sources.items()}
        for source in [name for name, r in self.receivers.items() if lines.get(r.kind) != r.media.mid]:
            self._close_source(self.receivers.pop(source))
        for kind, plan in wanted_sources.items():
            name = f"{self.request.participant}-{kind.value}"
            if name not in self.receivers:
                receiver = SourceReceiver(
                    name, kind, plan.media, self.request.epoch, self._frame, self._open_source, self._counters
                )
                self.receivers[name] = receiver
                for ssrc in plan.media.ssrcs:
                    self._by_ssrc[ssrc] = receiver
                if self.connected:
                    self._open_source(receiver)
        unwanted = [sender for sender in self.senders.values() if not any(sender.serves(plan) for plan in plans)]
        for sender in unwanted:
            del self.senders[sender.kind], self.streams[sender.mid]
            if self.connected:
                self._mixer.send(Unsubscribe(self.request.room, self.request.participant, sender.kind))
        for plan in plans:
            if plan.sends and plan.codec is not None and plan.codec.id.kind not in self.senders:
                streams = Streams(random.randrange(1, 1 << 32), random.randrange(1, 1 << 32))
                self.streams[plan.media.mid] = streams
                sender = MediaSender(plan.media, plan.codec, streams)
                self.senders[sender.kind] = sender
                if self.connected:
                    self.subscribe(sender.kind)
        return unwanted

    def wants(self, kind: MediaKind) -> bool:
        """Whether it is to be sent that medium: at the tier of sound alone there is no picture."""
        return kind is MediaKind.AUDIO or self.tier is not TierName.AUDIO

    def sent_codec(self, kind: MediaKind) -> CodecId | None:
        sender = self.senders.get(kind)
        return sender.codec.id if sender else None

    async def connect(self, candidates: Sequence[RTCIceCandidate], *, complete: bool) -> None:
        """ICE, then DTLS. Raises ConnectionError if either fails."""
        for candidate in candidates:
            await self.transport.ice_transport.addRemoteCandidate(candidate)
        if complete and candidates:
            await self.transport.ice_transport.addRemoteCandidate(None)
        await self.transport.ice_transport.start(self.offer.ice)
        if self.transport.ice_transport.state != "completed":
            raise ConnectionError("ICE failed")
        await self.transport.dtls.start(self.offer.dtls)
        if self.closed or self.transport.dtls.state != "connected":
            raise ConnectionError("DTLS failed, or the peer was closed meanwhile")
        self._rx, session = self.transport.srtp_sessions()
        self._out = Outgoing(self.transport.ice, session, self._counters, self._meter)
        self.transport.ice.on_media = self.on_media
        self.connected = True
        self.last_received = clock.now()
        for receiver in self.receivers.values():
            self._open_source(receiver)
        for kind in self.senders:
            self.subscribe(kind)

    def subscribe(self, kind: MediaKind) -> None:
        sender = self.senders[kind]
        participant = self.request.participant
        self._mixer.send(
            Subscribe(self.request.room, participant, participant, kind, sender.codec.id, self.view, self.tier)
        )

    def _open_source(self, receiver: SourceReceiver) -> None:
        request = self.request
        self._mixer.send(
            SourceOpened(request.room, receiver.source, request.participant, receiver.kind, receiver.epoch)
        )

    def _close_source(self, receiver: SourceReceiver) -> None:
        self._by_ssrc = {ssrc: r for ssrc, r in self._by_ssrc.items() if r is not receiver}
        if not receiver.ended:
            self._mixer.send(SourceClosed(self.request.room, receiver.source, receiver.epoch))

    # ---- receiving ---------------------------------------------------------------------------------------------

    def on_media(self, datagram: bytes) -> None:
        """One SRTP or SRTCP datagram from a verified address. Whatever it holds, the call goes on."""
        self._meter.received += 1
        if self._meter.received % SAMPLE_EVERY:
            self._take(datagram)
            return
        began = clock.thread_cpu()
        self._take(datagram)
        self._meter.sampled += 1
        self._meter.sampled_cpu += clock.thread_cpu() - began

    def _take(self, datagram: bytes) -> None:
        assert self._rx is not None
        try:
            now = clock.now()
            if rtcp.is_rtcp(datagram):
                plain = self._rx.unprotect_rtcp(datagram)
                self._count_received(datagram, now)
                for packet in RtcpPacket.parse(plain):
                    self._on_rtcp(packet, now)
            else:
                plain = self._rx.unprotect(datagram)
                self._count_received(datagram, now)
                self._on_rtp(plain, now)
        except pylibsrtp.Error:
            self._counters["srtp_rejected"] += 1
        except ValueError:
            self._counters["malformed_packets"] += 1
        except Exception:  # noqa: BLE001 - no packet may end a transport
            self._counters["packet_exceptions"] += 1

    def _count_received(self, datagram: bytes, now: float) -> None:
        self.last_received = now
        self.packets_received += 1
        self.bytes_received += len(datagram)

    def _on_rtp(self, plain: bytes, now: float) -> None:
        ssrc = int.from_bytes(plain[8:12], "big")
        receiver = self._by_ssrc.get(ssrc)
        packet = parse_rtp(plain, with_extensions=receiver is None or receiver.kind.media is MediaKind.AUDIO)
        if receiver is None:
            receiver = self._route(packet)
            if receiver is None:
                self._counters["unroutable_packets"] += 1
                return
        receiver.rtp(packet, now)

    def _route(self, packet: RtpHeader) -> SourceReceiver | None:
        """An SSRC that the offer did not name: by MID (RFC 8843), else by payload type where only one source has it."""
        if len(self._by_ssrc) >= MAX_SSRCS:
            self._counters["too_many_ssrcs"] += 1
            return None
        for receiver in self.receivers.values():
            mid_id = receiver.media.extensions.get(URI_MID)
            if mid_id is not None and packet.extensions.get(mid_id) == receiver.media.mid.encode():
                self._by_ssrc[packet.ssrc] = receiver
                return receiver
        takers = [r for r in self.receivers.values() if r.takes(packet.payload_type)]
        if len(takers) != 1:
            return None
        self._by_ssrc[packet.ssrc] = takers[0]
        return takers[0]

    def _frame(self, frame: EncodedFrame) -> None:
        self._mixer.send(SourceFrame(self.request.room, frame))

    def _on_rtcp(self, packet: AnyRtcpPacket, now: float) -> None:
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            if isinstance(packet, RtcpSrPacket):
                self._on_sender_report(packet, now)
            for report in packet.reports:
                self._on_report(report, now)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            self._on_nack(packet, now)
        elif isinstance(packet, RtcpByePacket):
            for ssrc in packet.sources:
                receiver = self._by_ssrc.get(ssrc)
                if receiver is not None and receiver.ssrc == ssrc and not receiver.ended:
                    self._mixer.send(SourceClosed(self.request.room, receiver.source, receiver.epoch))
                    receiver.bye(now)
        elif isinstance(packet, RtcpPsfbPacket):
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                self._counters["key_frames_asked"] += 1
                if self._may_tell("key frame", now):
                    self._mixer.send(KeyFrameRequest(self.request.room, self.request.participant))
            elif packet.fmt == RTCP_PSFB_APP:
                self.remb, _ = unpack_remb_fci(packet.fci)

    def _on_sender_report(self, packet: RtcpSrPacket, now: float) -> None:
        receiver = self._by_ssrc.get(packet.ssrc)
        if receiver is None or receiver.reception is None or receiver.ssrc != packet.ssrc:
            return
        info = packet.sender_info
        receiver.reception.sender_report(info.ntp_timestamp, now)
        rtp_time = receiver.reception.unwrap_timestamp(info.rtp_timestamp)
        if self._may_tell(receiver.source, now):
            self._mixer.send(
                SenderReport(self.request.room, receiver.source, info.ntp_timestamp, rtp_time, self.request.participant)
            )

    def _may_tell(self, what: str, now: float) -> bool:
        """Whether the mixer may hear of it again; what: one of a few names, so this stays small."""
        if now - self._told.get(what, float("-inf")) < CONTROL_PAUSE:
            self._counters["control_flood"] += 1
            return False
        self._told[what] = now
        return True

    def _on_report(self, report: RtcpReceiverInfo, now: float) -> None:
        video = self.senders.get(MediaKind.VIDEO)
        if video is None or report.ssrc == video.streams.ssrc:
            self.loss = report.fraction_lost / 256
        sent = self._sent_reports.get(report.lsr)
        if sent is not None and report.dlsr:
            rtt = now - sent - report.dlsr / NTP_MIDDLE
            if 0 <= rtt < 10:
                self.rtt = rtt if self.rtt is None else 0.8 * self.rtt + 0.2 * rtt

    def _on_nack(self, packet: RtcpRtpfbPacket, now: float) -> None:
        video = self.senders.get(MediaKind.VIDEO)
        if video is None or packet.media_ssrc != video.streams.ssrc:
            return
        repairs = [r for sequence in packet.lost if (r := video.repair(sequence & 0xFFFF, now)) is not None]
        self._counters["nacked"] += len(packet.lost)
        self._counters["repairs_sent"] += len(repairs)
        if repairs and self._out is not None:
            self._out.send(repairs, droppable=True)

    # ---- sending -----------------------------------------------------------------------------------------------

    def send_frame(self, sender: MediaSender, frame: EncodedFrame, payloads: Sequence[bytes | memoryview]) -> int:
        """One frame of the fan-out; returns how many packets it made."""
        if self._out is None:
            return 0
        if sender.kind is MediaKind.AUDIO:
            packets = sender.packetise(frame, payloads, clock.now())
            self._out.send(packets, droppable=False)
            return len(packets)
        if self._out.overrun():
            sender.current = None
            self._mixer.send(KeyFrameRequest(self.request.room, self.request.participant))
            return 0
        packets = sender.packetise(frame, payloads, clock.now())
        self._out.send_paced(packets)
        return len(packets)

    def _send_rtcp(self, compound: bytes) -> None:
        if self._out is not None:
            self._out.send_rtcp(compound)

    # ---- housekeeping ------------------------------------------------------------------------------------------

    def want_key_frame(self, source: str) -> None:
        """The mixer's decoder needs one: a PLI, at most two a second."""
        receiver = self.receivers.get(source)
        if receiver is not None and receiver.ssrc is not None and receiver.wants_key_frame(clock.now()):
            self._send_rtcp(rtcp.picture_loss(self._own_ssrc, receiver.ssrc))

    def end_source(self, kind: SourceKind) -> bool:
        """Takes a source out of the room although its packets may still come. Whether it was there."""
        receiver = self.receivers.get(f"{self.request.participant}-{kind.value}")
        if receiver is None or receiver.ended or not self.connected:
            return False
        self._mixer.send(SourceClosed(self.request.room, receiver.source, receiver.epoch))
        receiver.stop(clock.now())
        return True

    def poll(self, now: float) -> None:
        """Called every few ms while connected: repairs to ask for, reports that are due."""
        feedback = b""
        for receiver in self.receivers.values():
            lost, pli = receiver.poll(now, self.rtt if self.rtt is not None else 0.1)
            if receiver.ssrc is not None and lost:
                feedback += rtcp.nack(self._own_ssrc, receiver.ssrc, lost)
            if receiver.ssrc is not None and pli:
                feedback += rtcp.picture_loss(self._own_ssrc, receiver.ssrc)
        if now >= self._next_report:
            self._next_report = now + REPORT_INTERVAL
            feedback = self._reports(now) + feedback
        if feedback:
            self._send_rtcp(feedback)

    def _reports(self, now: float) -> bytes:
        ntp = clock.ntp_time()
        self._sent_reports[(ntp >> 16) & 0xFFFFFFFF] = now
        while len(self._sent_reports) > 16:
            del self._sent_reports[next(iter(self._sent_reports))]
        live = [r for r in self.receivers.values() if not r.ended]
        receptions = [(r.ssrc, r.reception) for r in live if r.ssrc and r.reception]
        compound = rtcp.reports(self._own_ssrc, self.senders.values(), receptions, cname=self.cname, now=now, ntp=ntp)
        pictures = [r.ssrc for r in live if r.ssrc and r.kind.media is MediaKind.VIDEO]
        if pictures:
            compound += rtcp.remb(self._own_ssrc, INBOUND_LIMIT, pictures)
        self._mixer.send(Feedback(self.request.room, self.request.participant, self.remb, self.loss, self.rtt))
        return compound

    @property
    def sent(self) -> tuple[int, int]:
        """Packets and bytes of RTP."""
        return (self._out.packets, self._out.bytes) if self._out is not None else (0, 0)

    def silent(self, now: float) -> bool:
        heard = max(self.last_received, self.transport.ice.last_check)
        return self.connected and now - heard > SILENCE_LIMIT

    @property
    def ended(self) -> bool:
        """The other side closed DTLS, or ICE consent expired."""
        return self.connected and self.transport.dtls.state != "connected"

    @property
    def level(self) -> int:
        return min((r.level for r in self.receivers.values() if r.kind.media is MediaKind.AUDIO), default=127)

    async def close(self) -> None:
        """Within CLOSE_DEADLINE, whatever state the transports are in."""
        if self.closed:
            return
        self.closed = True
        if self._out is not None:
            self._out.close()
        if self.connected:
            for kind in self.senders:
                self._mixer.send(Unsubscribe(self.request.room, self.request.participant, kind))
            for receiver in self.receivers.values():
                self._close_source(receiver)
        self.connected = False
        self.transport.ice.on_media = lambda datagram: None
        for stop in (self.transport.dtls.stop, self.transport.ice_transport.stop):
            try:
                await asyncio.wait_for(stop(), CLOSE_DEADLINE)
            except Exception:  # noqa: BLE001 - whatever a transport is in the middle of, the peer is freed
                self._counters["close_errors"] += 1
