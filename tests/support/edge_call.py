"""An edge with one real peer (aiortc) and a mixer that only notes what it is told."""

from __future__ import annotations

import asyncio
import contextlib

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack

from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.edge.types import EdgeConfig, JoinRequest, PeerState, PeerStateChanged
from mixdown.mcu.link.messages import Subscribe, ToMixer


class MixerEnd:
    """The other end of the link: keeps what the edge says."""

    def __init__(self) -> None:
        self.messages: list[ToMixer] = []
        self.arrived = asyncio.Event()

    def send(self, message: ToMixer) -> None:
        self.messages.append(message)
        self.arrived.set()

    def of(self, kind: type) -> list:
        return [message for message in self.messages if isinstance(message, kind)]

    async def until(self, condition, deadline: float = 10.0) -> None:
        async with asyncio.timeout(deadline):
            while not condition():
                self.arrived.clear()
                await self.arrived.wait()


class Client:
    """A browser's stand-in with a camera and a microphone."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTrack(AudioStreamTrack())
        self.pc.addTrack(VideoStreamTrack())
        self.frames: list = []
        self.tasks: list[asyncio.Task] = []
        self.pc.on("track", self._on_track)

    def _on_track(self, track) -> None:
        self.tasks.append(asyncio.create_task(self._drain(track)))

    async def _drain(self, track) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                item = await track.recv()
                if track.kind == "video":
                    self.frames.append(item)

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def take(self, answer: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        await self.pc.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Call:
    """An edge with one connected peer."""

    def __init__(self, config: EdgeConfig | None = None) -> None:
        self.mixer = MixerEnd()
        self.states: list[PeerStateChanged] = []
        self.edge = Edge(self.mixer, config or EdgeConfig(join_deadline=8), self.states.append)
        self.client = Client()

    async def connect(self, epoch: int = 0) -> None:
        answer = await self.edge.join(JoinRequest("room", "ann", await self.client.offer(), epoch))
        await self.client.take(answer.sdp)
        await self.mixer.until(lambda: len(self.mixer.of(Subscribe)) >= 2)

    def media_port(self) -> int:
        peer = self.edge._peers["ann"]
        return peer.transport.ice.selected.protocol.local_candidate.port

    async def close(self) -> None:
        await self.client.close()
        await self.edge.close()


async def told(call: Call, state: PeerState) -> None:
    async with asyncio.timeout(10):
        while not call.states or call.states[-1].state is not state:
            await asyncio.sleep(0.02)
