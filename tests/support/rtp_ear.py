"""A client that takes notes: every RTP packet and sender report that comes, and when; nothing waits in a buffer.

What a receiver's own jitter buffer and clock would add is left out: times are those of packets as they arrive, and
sound and picture are put on one clock by the sender reports, as a browser does for its lips.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.codecs import depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtcpSrPacket, RtpPacket
from support.aiortc_client import no_decoding
from support.http import Api

KEPT = 20_000
"Packets of each kind; the oldest go."


@dataclass(frozen=True, slots=True)
class Packet:
    """at: seconds on time.monotonic(), when it came. rtp_time: as on the wire. data: without the payload's header."""

    at: float
    rtp_time: int
    marker: bool
    data: bytes


@dataclass(slots=True)
class Notes:
    """Of one stream. reports: (NTP time of 64 bit, RTP time)."""

    packets: deque[Packet] = field(default_factory=lambda: deque(maxlen=KEPT))
    reports: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=KEPT))


class RtpEar:
    """Receives only. Within `async with`. token: of its join."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.notes = {"audio": Notes(), "video": Notes()}
        self.token = ""
        self._blind = no_decoding()
        self._api: Api | None = None
        self._came = asyncio.Event()

    async def __aenter__(self) -> RtpEar:
        self._blind.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pc.close()
        if self._api is not None:
            await self._api.close()
        self._blind.__exit__(kind, error, trace)

    async def join(
        self, url: str, room: str, kinds: tuple[str, ...] = ("audio", "video"), role: str = "viewer"
    ) -> None:
        self._api = Api(url)
        for kind in kinds:
            self.pc.addTransceiver(kind, direction="recvonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        joined: dict[str, Any] = await self._api.join(room, "Ear", self.pc.localDescription.sdp, role=role)
        self.token = joined["token"]
        self._listen()
        await self.pc.setRemoteDescription(RTCSessionDescription(joined["sdp"], "answer"))

    async def answer(self, offer: str) -> str:
        """Of a call without a server."""
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._listen()
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return str(self.pc.localDescription.sdp)

    async def wait(self, kind: str, timeout: float = 15.0) -> None:
        """For the first packet."""
        async with asyncio.timeout(timeout):
            while not self.notes[kind].packets:
                await asyncio.sleep(0.02)

    async def next(self, timeout: float = 5.0) -> None:
        """For the next packet of any kind."""
        self._came.clear()
        async with asyncio.timeout(timeout):
            await self._came.wait()

    def taken(self, kind: str) -> Notes:
        """A copy of what there is by now, for another thread."""
        notes = self.notes[kind]
        return Notes(notes.packets.copy(), notes.reports.copy())

    def _listen(self) -> None:
        for transceiver in self.pc.getTransceivers():
            self._tap(transceiver.receiver, self.notes[transceiver.kind])

    def _tap(self, receiver: RTCRtpReceiver, notes: Notes) -> None:
        rtp, rtcp, receive = receiver._handle_rtp_packet, receiver._handle_rtcp_packet, receiver.receive
        codecs: dict[int, RTCRtpCodecParameters] = {}

        async def begin(parameters: Any) -> None:
            codecs.update({codec.payloadType: codec for codec in parameters.codecs})
            await receive(parameters)

        async def packet(packet: RtpPacket, arrival_time_ms: int) -> None:
            at = time.monotonic()
            codec = codecs.get(packet.payload_type)
            if codec is not None and codec.name.lower() != "rtx" and packet.payload:
                data = depayload(codec, packet.payload)
                notes.packets.append(Packet(at, packet.timestamp, bool(packet.marker), data))
                self._came.set()
            await rtp(packet, arrival_time_ms)

        async def report(packet: Any) -> None:
            if isinstance(packet, RtcpSrPacket):
                info = packet.sender_info
                notes.reports.append((info.ntp_timestamp, info.rtp_timestamp))
            await rtcp(packet)

        receiver.receive = begin
        receiver._handle_rtp_packet = packet
        receiver._handle_rtcp_packet = report
