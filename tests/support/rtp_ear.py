"""A client that takes notes: every RTP packet and sender report that comes, and when; nothing waits in a buffer.

What a receiver's own jitter buffer and clock would add is left out: times are those of packets as they arrive, and
sound and picture are put on one clock by the sender reports, as a browser does for its lips.
"""

from __future__ import annotations

import asyncio
import re
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

from mixdown.codecs.payload.red import parse

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
        self._red: int | None = None
        "Payload type of sound that comes doubled."

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
        """Of a call without a server. Sound comes doubled (RFC 2198) if that was offered, as the server takes it: it
        changes what a browser's sender reports say, by some 17 ms."""
        red = re.search(r"a=rtpmap:(\d+) red/48000/2\r\na=fmtp:\1 (\d+)/\2\r\n", offer)
        self._red = None if red is None else int(red[1])
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._listen()
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        answer = str(self.pc.localDescription.sdp)
        return answer if red is None else _with_red(answer, red)

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
            if self._red is not None and receiver._track is not None and receiver._track.kind == "audio":
                receiver.transport._rtp_router.payload_type_table.setdefault(self._red, set()).add(receiver)

        async def packet(packet: RtpPacket, arrival_time_ms: int) -> None:
            at = time.monotonic()
            codec = codecs.get(packet.payload_type)
            if packet.payload_type == self._red and packet.payload:
                data = parse(packet.payload)[-1].data
                notes.packets.append(Packet(at, packet.timestamp, bool(packet.marker), data))
            elif codec is not None and codec.name.lower() != "rtx" and packet.payload:
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


def _with_red(answer: str, red: re.Match[str]) -> str:
    line = re.search(r"m=audio \d+ \S+ ", answer)
    assert line is not None
    answer = answer.replace(line[0], f"{line[0]}{red[1]} ", 1)
    return answer.replace(f"a=rtpmap:{red[2]} ", f"{red[0]}a=rtpmap:{red[2]} ", 1)
