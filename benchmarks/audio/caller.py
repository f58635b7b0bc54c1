"""A WebRTC client that costs next to nothing: real ICE, DTLS and SRTP on the wire, and nothing above them.

aiortc's transports without its senders and receivers, which take some 40 us of CPU a packet: 256 clients would need
more than the server. What comes is dropped by the kernel, or kept by those who are to listen.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
from collections import deque
from typing import Any

import aioice
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
)
from aiortc.sdp import SessionDescription, candidate_to_sdp

from benchmarks.audio.voices import Voice
from benchmarks.mixing.crowd import deafen
from mixdown.mcu.edge.srtp import Protector

PAYLOAD_TYPE = 111
LEVEL_ID = 1
KEPT = 150
"Packets that an ear keeps, the latest: 3 s."
DEADLINE = 20.0
OFFER = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF {type}
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:{user}
a=ice-pwd:{word}
a=fingerprint:sha-256 {print}
a=setup:actpass
a=mid:0
a=extmap:{level} urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=rtcp-mux
a=rtpmap:{type} opus/48000/2
a=fmtp:{type} minptime=10;{stereo}useinbandfec=0
a=ssrc:{ssrc} cname:{user}
{candidates}
a=end-of-candidates
"""


class Caller:
    """One participant. listens: whether what comes is kept; `heard`: the latest packets' payloads, `count`: of all."""

    def __init__(self, certificate: RTCCertificate, *, listens: bool, stereo: bool = True) -> None:
        self.heard: deque[bytes] = deque(maxlen=KEPT)
        self.count = 0
        self.voice: Voice | None = None
        self._certificate = certificate
        self._listens = listens
        self._stereo = stereo
        self._ssrc = random.getrandbits(32)
        gatherer = RTCIceGatherer(iceServers=[])
        gatherer._connection = aioice.Connection(ice_controlling=True, use_ipv6=False)
        self._gatherer = gatherer
        self._ice = RTCIceTransport(gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._sock: socket.socket | None = None
        self._address: tuple[str, int] = ("", 0)
        self._protector: Protector | None = None
        self._number = 0

    async def offer(self) -> str:
        await self._gatherer.gather()
        ice = self._gatherer.getLocalParameters()
        lines = [f"a=candidate:{candidate_to_sdp(one)}" for one in self._gatherer.getLocalCandidates()]
        prints = {one.algorithm: one.value for one in self._certificate.getFingerprints()}
        text = OFFER.format(
            type=PAYLOAD_TYPE,
            user=ice.usernameFragment,
            word=ice.password,
            print=prints["sha-256"],
            level=LEVEL_ID,
            stereo="stereo=1;sprop-stereo=1;" if self._stereo else "",
            ssrc=self._ssrc,
            candidates="\n".join(lines),
        )
        return text.replace("\n", "\r\n")

    async def answer(self, sdp: str) -> None:
        """Connects. Raises TimeoutError, ConnectionError."""
        media = SessionDescription.parse(sdp).media[0]
        for candidate in media.ice_candidates:
            await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        assert media.dtls is not None
        self._dtls._set_role("client" if media.dtls.role == "server" else "server")
        prints = [RTCDtlsFingerprint(one.algorithm, one.value) for one in media.dtls.fingerprints]
        async with asyncio.timeout(DEADLINE):
            await self._ice.start(RTCIceParameters(media.ice.usernameFragment, media.ice.password))
            await self._dtls.start(RTCDtlsParameters(prints))
        if self._dtls.state != "connected":
            raise ConnectionError(f"DTLS is {self._dtls.state}")
        self._open()

    def _open(self) -> None:
        connection: Any = self._gatherer._connection
        pair = connection._nominated[1]
        sock = pair.protocol.transport.get_extra_info("socket")
        # An own descriptor for the thread that sends; asyncio's is not to be used from there.
        self._sock = socket.socket(fileno=os.dup(sock.fileno()))
        self._address = pair.remote_addr
        self._protector = Protector(self._dtls._tx_srtp)
        if self._listens:
            self._dtls._handle_rtp_data = self._hear
        else:
            deafen(sock)

    async def _hear(self, data: bytes, arrival_time_ms: int) -> None:
        start = 12 + 4 * (data[0] & 15)
        if data[0] & 16:
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if len(data) > start:
            self.heard.append(data[start:])
            self.count += 1

    def send(self, tick: int) -> None:
        """Packet `tick` of the voice, if it has one. Any thread, one at a time."""
        voice, sock, protector = self.voice, self._sock, self._protector
        if voice is None or sock is None or protector is None:
            return
        index = tick % len(voice.packets)
        level = voice.levels[index] | (0x80 if voice.levels[index] < 60 else 0)
        header = struct.pack(
            "!BBHIIHHBBH",
            0x90,
            PAYLOAD_TYPE | (0x80 if self._number == 0 else 0),
            self._number & 0xFFFF,
            tick * 960 & 0xFFFFFFFF,
            self._ssrc,
            0xBEDE,
            1,
            LEVEL_ID << 4,
            level,
            0,
        )
        self._number += 1
        sock.sendto(protector.protect((header + voice.packets[index],))[0], self._address)

    async def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        await self._dtls.stop()
        await self._ice.stop()
