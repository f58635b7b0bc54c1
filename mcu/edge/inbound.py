"""The way in from one peer: SRTP and SRTCP datagrams, decrypted and handed to receivers and to the control side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pylibsrtp
from aiortc.rtp import RtcpPacket

from mixdown.mcu import clock
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.admission import Admission
from mixdown.mcu.edge.control import Control
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.meter import SAMPLE_EVERY, RoomMeter
from mixdown.mcu.edge.offer import URI_MID
from mixdown.mcu.edge.receiver import SourceReceiver
from mixdown.mcu.edge.rtp import RtpHeader, parse_rtp
from mixdown.mcu.edge.srtp import Unprotector
from mixdown.mcu.edge.transport_cc import take_out


class Inbound:
    """session: the SRTP session of what comes. last_received: when the last packet came that was really the peer's.
    arrival: (now) -> when the datagram that is being taken came."""

    def __init__(
        self,
        session: pylibsrtp.Session,
        lines: Lines,
        control: Control,
        counters: Counter[str],
        meter: RoomMeter,
        arrival: Callable[[float], float] = lambda now: now,
    ) -> None:
        self.packets = self.bytes = 0
        self.last_received = clock.now()
        self._keys = Unprotector(session)
        self.admission = Admission(self._keys.forget, lines, counters, self.last_received)
        self._lines = lines
        self._control = control
        self._counters = counters
        self._meter = meter
        self._arrival = arrival

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
        try:
            now = clock.now()
            if rtcp.is_rtcp(datagram):
                self._on_rtcp(datagram, now)
            else:
                self._on_rtp(datagram, now)
        except pylibsrtp.Error:
            self._counters["srtp_rejected"] += 1
        except ValueError:
            self._counters["malformed_packets"] += 1
        except Exception:  # noqa: BLE001 - no packet may end a transport
            self._counters["packet_exceptions"] += 1

    def _count(self, ssrc: int, datagram: bytes, now: float) -> None:
        self.admission.authentic(ssrc, now)
        self.last_received = now
        self.packets += 1
        self.bytes += len(datagram)

    def _on_rtp(self, datagram: bytes, now: float) -> None:
        ssrc = int.from_bytes(datagram[8:12], "big")
        if not self.admission.packet(ssrc, now):
            return
        plain = self._keys.rtp(datagram)
        self._count(ssrc, datagram, now)
        receiver = self._lines.by_ssrc.get(ssrc)
        if receiver is None:
            packet = parse_rtp(plain, with_extensions=True)
            receiver = self._route(packet)
            if receiver is None:
                self._counters["unroutable_packets"] += 1
                return
        else:
            packet = parse_rtp(plain, with_extensions=False, only=receiver.reads)
        if packet.extensions and receiver.mark_id is not None:
            mark = packet.extensions.get(receiver.mark_id)
            if mark is not None and len(mark) == 2:
                self._control.arrived.packet(mark[0] << 8 | mark[1], self._arrival(now))
        receiver.rtp(packet, now)

    def _on_rtcp(self, datagram: bytes, now: float) -> None:
        ssrc = int.from_bytes(datagram[4:8], "big")
        if not self.admission.control(ssrc, now):
            return
        plain = self._keys.rtcp(datagram)
        self._count(ssrc, datagram, now)
        rtcp.check_count(plain)
        arrivals, plain = take_out(plain)
        for body in arrivals:
            self._control.arrivals(body, now)
        for packet in RtcpPacket.parse(plain):
            self._control.take(packet, now)

    def _route(self, packet: RtpHeader) -> SourceReceiver | None:
        """An SSRC that the offer did not name: by MID (RFC 8843), else by payload type where only one source has it."""
        by_ssrc, receivers = self._lines.by_ssrc, self._lines.receivers
        for receiver in receivers.values():
            mid_id = receiver.media.extensions.get(URI_MID)
            if mid_id is not None and packet.extensions.get(mid_id) == receiver.media.mid.encode():
                by_ssrc[packet.ssrc] = receiver
                return receiver
        takers = [r for r in receivers.values() if r.takes(packet.payload_type)]
        if len(takers) != 1:
            return None
        by_ssrc[packet.ssrc] = takers[0]
        return takers[0]
