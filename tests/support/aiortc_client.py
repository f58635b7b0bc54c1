"""Plain aiortc as a participant: the cheap client, for many of them, and the one that decodes H.264 from a package."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any
from unittest import mock

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from support.http import Api
from support.measure import FrameTimes, colour_error, frame_times, rgb_of
from support.media import Pattern, tone
from support.sources import Source

VIDEO_CLOCK = 90_000


class Camera(MediaStreamTrack):
    kind = "video"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.pattern = Pattern(source)
        self.n = 0
        self.start: float | None = None

    async def recv(self) -> av.VideoFrame:
        self.start = self.start or time.monotonic()
        await asyncio.sleep(max(0.0, self.start + self.n / self.source.fps - time.monotonic()))
        width, height = self.source.width, self.source.height
        frame = av.VideoFrame.from_ndarray(self.pattern.frame(self.n).reshape(height * 3 // 2, width), format="yuv420p")
        frame.pts, frame.time_base = self.n * VIDEO_CLOCK // self.source.fps, Fraction(1, VIDEO_CLOCK)
        self.n += 1
        return frame


class Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.n = 0
        self.start: float | None = None

    async def recv(self) -> av.AudioFrame:
        self.start = self.start or time.monotonic()
        await asyncio.sleep(max(0.0, self.start + self.n / 50 - time.monotonic()))
        frame = av.AudioFrame.from_ndarray(tone(self.source, self.n * 960, 960)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self.n * 960, Fraction(1, 48_000)
        self.n += 1
        return frame


class _Blind:
    def decode(self, frame: object) -> list[object]:
        return []


@contextmanager
def no_decoding() -> Iterator[None]:
    """Streams that begin meanwhile are received but not decoded: for crowds."""
    with mock.patch("aiortc.rtcrtpreceiver.get_decoder", lambda codec: _Blind()):
        yield


class AiortcClient:
    """video: "VP8" or "H264", the only one it offers, None for both. send: whether it has camera and microphone.
    watch: whether what comes is decoded."""

    def __init__(self, source: Source, *, video: str | None = None, send: bool = True, watch: bool = True) -> None:
        self.source = source
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.times: deque[float] = deque(maxlen=20_000)
        self.joined: dict[str, Any] = {}
        self._send, self._watch, self._video = send, watch, video
        self._latest: av.VideoFrame | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._api: Api | None = None
        self._room = ""
        self.pc.on("track", self._track)

    async def join(self, url: str, room: str, **more: Any) -> None:
        self._api, self._room = Api(url), room
        self.joined = await self._api.join(room, self.source.name, await self.offer(), **more)
        await self.answer(self.joined["sdp"])

    async def answer(self, sdp: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def offer(self) -> str:
        if self._send:
            microphone, camera = self.tracks()
            self.pc.addTransceiver(microphone)
            transceiver = self.pc.addTransceiver(camera)
        else:
            self.pc.addTransceiver("audio", direction="recvonly")
            transceiver = self.pc.addTransceiver("video", direction="recvonly")
        if self._video is not None:
            capabilities = (RTCRtpSender if self._send else RTCRtpReceiver).getCapabilities("video")
            wanted = (f"video/{self._video}".lower(), "video/rtx")
            transceiver.setCodecPreferences([c for c in capabilities.codecs if c.mimeType.lower() in wanted])
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    def tracks(self) -> tuple[MediaStreamTrack, MediaStreamTrack]:
        """What is sent: sound, picture."""
        return Microphone(self.source), Camera(self.source)

    def _track(self, track: MediaStreamTrack) -> None:
        if self._watch:
            self._tasks.append(asyncio.create_task(self._drain(track)))

    def attend(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs until the client is closed."""
        self._tasks.append(asyncio.create_task(work))

    async def _drain(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    self.times.append(time.monotonic())
                    self._latest = frame
        except MediaStreamError:
            return

    async def participant(self) -> str:
        return str(self.joined["id"])

    async def wait_live(self, timeout: float = 20.0) -> None:
        async with asyncio.timeout(timeout):
            while not self.times:
                await asyncio.sleep(0.02)

    async def wait_connected(self, timeout: float = 20.0) -> None:
        async with asyncio.timeout(timeout):
            while self.pc.connectionState != "connected":
                await asyncio.sleep(0.01)

    @property
    def latest(self) -> av.VideoFrame | None:
        """The newest picture that was decoded."""
        return self._latest

    async def error(self, points: Sequence[tuple[float, float]], source: Source) -> float:
        assert self._latest is not None
        width, height = self._latest.width, self._latest.height
        planes = self._latest.to_ndarray(format="yuv420p").reshape(-1)
        y = planes[: width * height].reshape(height, width)
        u, v = planes[width * height :].reshape(2, height // 2, width // 2)
        seen = []
        for x, at in points:
            row, column = int(at * height) // 2, int(x * width) // 2
            area = slice(row - 1, row + 2), slice(column - 1, column + 2)
            luma = y[2 * row - 2 : 2 * row + 4, 2 * column - 2 : 2 * column + 4]
            seen.append(rgb_of(np.ascontiguousarray(luma), u[area], v[area]))
        return colour_error(seen, source)

    async def start_watch(self) -> None:
        self.times.clear()

    async def end_watch(self) -> FrameTimes:
        return frame_times(list(self.times))

    async def leave(self) -> None:
        assert self._api is not None
        await self._api.leave(self._room, self.joined["id"])

    async def close(self) -> None:
        await self.pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._api is not None:
            await self._api.close()
