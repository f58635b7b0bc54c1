"""A room full of real clients with sound only, which send packets encoded beforehand: cheap enough for 64 of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from fractions import Fraction

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from support.aiortc_client import no_decoding
from support.http import Api

AT_ONCE = 4
"Joins under way."


class Recorded(MediaStreamTrack):
    """Packets of 20 ms, over and over. phase: seconds by which they come later than the others'."""

    kind = "audio"

    def __init__(self, packets: Sequence[bytes], phase: float) -> None:
        super().__init__()
        self._packets = packets
        self._start = time.monotonic() + phase
        self._n = 0

    async def recv(self) -> av.Packet:
        await asyncio.sleep(max(0.0, self._start + self._n / 50 - time.monotonic()))
        packet = av.Packet(self._packets[self._n % len(self._packets)])
        packet.pts, packet.time_base = self._n * 960, Fraction(1, 48_000)
        self._n += 1
        return packet


@asynccontextmanager
async def audience(url: str, room: str, voices: Sequence[Sequence[bytes]]) -> AsyncIterator[None]:
    """voices: what each of them says, Opus. Joined and connected."""
    async with AsyncExitStack() as stack:
        api = Api(url)
        stack.push_async_callback(api.close)
        stack.enter_context(no_decoding())
        places = asyncio.Semaphore(AT_ONCE)

        async def join(n: int, packets: Sequence[bytes]) -> None:
            pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            stack.push_async_callback(pc.close)
            async with places, asyncio.timeout(30):
                await _join(pc, api, room, f"Guest {n}", Recorded(packets, n * 0.02 / len(voices)))

        async with asyncio.TaskGroup() as group:
            for n, packets in enumerate(voices):
                group.create_task(join(n, packets))
        yield


async def _join(pc: RTCPeerConnection, api: Api, room: str, name: str, track: MediaStreamTrack) -> None:
    transceiver = pc.addTransceiver(track)
    opus = [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType == "audio/opus"]
    transceiver.setCodecPreferences(opus)
    await pc.setLocalDescription(await pc.createOffer())
    joined = await api.join(room, name, pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(joined["sdp"], "answer"))
    while pc.connectionState != "connected":
        await asyncio.sleep(0.02)
