"""An old client: one codec of sound and nothing else, by plain aiortc. Sends its tone and measures what it hears."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from support.aiortc_client import Microphone
from support.http import Api
from support.measure import SAMPLE_RATE, tone_levels
from support.sources import Source

HEARD_SECONDS = 1.5


class PhoneClient:
    """codec: as in SDP: "opus", "G722", "PCMU", "PCMA"."""

    def __init__(self, source: Source, codec: str) -> None:
        self.source = source
        self.codec = codec
        self.joined: dict[str, Any] = {}
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._api: Api | None = None
        self._room = ""
        self._heard: deque[np.ndarray] = deque(maxlen=int(HEARD_SECONDS * 50))
        self._task: asyncio.Task[None] | None = None
        self.pc.on("track", self._track)

    async def join(self, url: str, room: str) -> None:
        self._api, self._room = Api(url), room
        transceiver = self.pc.addTransceiver(Microphone(self.source))
        wanted = f"audio/{self.codec}".lower()
        codecs = [c for c in RTCRtpSender.getCapabilities("audio").codecs if c.mimeType.lower() == wanted]
        transceiver.setCodecPreferences(codecs)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.joined = await self._api.join(room, self.source.name, self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(self.joined["sdp"], "answer"))

    def _track(self, track: MediaStreamTrack) -> None:
        self._task = asyncio.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        try:
            while True:
                for frame in resampler.resample(await track.recv()):
                    self._heard.append(frame.to_ndarray().reshape(-1))
        except MediaStreamError:
            return

    async def levels(self, tones: Sequence[float], timeout: float = 20.0) -> list[float]:
        """dB of each tone in the next 1.5 s heard."""
        self._heard.clear()
        async with asyncio.timeout(timeout):
            while len(self._heard) < int(HEARD_SECONDS * 50):
                await asyncio.sleep(0.05)
        return tone_levels(np.concatenate(self._heard), SAMPLE_RATE, tones)

    async def close(self) -> None:
        await self.pc.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._api is not None:
            await self._api.close()
