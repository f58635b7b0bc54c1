"""libwebrtc (Chrome's engine) in Python as a participant: sends a test source, samples what it receives.

Its own H.264 needs a library that is not part of it; without, it speaks VP8.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import webrtc
from support.http import Api
from support.measure import SAMPLE_RATE, FrameTimes, colour_error, frame_times, rgb_of, tone_levels
from support.media import Pattern, tone
from support.sources import Source

BLOCK = SAMPLE_RATE // 100
HEARD_SECONDS = 1.5

webrtc.allow_loopback()


class WrtcClient:
    """send: False joins without camera and microphone, as a pure receiver. screen: what it shares as well."""

    def __init__(self, source: Source, *, send: bool = True, screen: Source | None = None) -> None:
        self.source = source
        self.screen = screen
        self.send = send
        self.times: deque[float] = deque(maxlen=20_000)
        self.joined: dict[str, Any] = {}
        self._api: Api | None = None
        self._room = ""
        self._picture: tuple[bytes, int, int] | None = None
        self._sample = asyncio.Event()
        self._wanted = False
        self._heard: deque[np.ndarray] = deque(maxlen=int(HEARD_SECONDS * 100))
        self._tasks: list[asyncio.Task[None]] = []
        self.pc = webrtc.RTCPeerConnection(webrtc.RTCConfiguration(bundle_policy="max-bundle"))
        self.pc.on("track", self._track)

    async def join(self, url: str, room: str, **more: Any) -> None:
        self._api, self._room = Api(url), room
        await self.connect(room, self._api, **more)

    async def connect(self, room: str, api: Api, **more: Any) -> None:
        if self.send:
            self.pc.add_transceiver(self._microphone())
            self.pc.add_transceiver(self._camera(self.source))
            if self.screen is not None:
                self.pc.add_transceiver(self._camera(self.screen))
        else:
            for kind in ("audio", "video"):
                self.pc.add_transceiver(kind, webrtc.RTCRtpTransceiverInit(direction="recvonly"))
        await self.pc.set_local_description(await self.pc.create_offer())
        self.joined = await api.join(room, self.source.name, self.pc.local_description.sdp, **more)
        answer = webrtc.RTCSessionDescriptionInit(type="answer", sdp=self.joined["sdp"])
        await self.pc.set_remote_description(answer)

    # ---- what is sent

    def _camera(self, source: Source) -> webrtc.MediaStreamTrack:
        generator = webrtc.MediaStreamTrackGenerator("video")
        self._tasks.append(asyncio.create_task(self._draw(generator.writable.get_writer(), source)))
        return generator

    def _microphone(self) -> webrtc.MediaStreamTrack:
        generator = webrtc.MediaStreamTrackGenerator("audio")
        self._tasks.append(asyncio.create_task(self._sing(generator.writable.get_writer())))
        return generator

    async def _draw(self, writer: Any, source: Source) -> None:
        pattern, start = Pattern(source), time.monotonic()
        for n in range(1 << 30):
            init = webrtc.VideoFrameBufferInit(
                format="I420",
                coded_width=source.width,
                coded_height=source.height,
                timestamp=n * 1_000_000 // source.fps,
            )
            await writer.write(webrtc.VideoFrame(pattern.frame(n).tobytes(), init))
            await asyncio.sleep(max(0.0, start + (n + 1) / source.fps - time.monotonic()))

    async def _sing(self, writer: Any) -> None:
        start = time.monotonic()
        for n in range(1 << 30):
            init = webrtc.AudioDataInit(
                format="s16",
                sample_rate=SAMPLE_RATE,
                number_of_frames=BLOCK,
                number_of_channels=1,
                timestamp=n * 10_000,
                data=tone(self.source, n * BLOCK, BLOCK).tobytes(),
            )
            await writer.write(webrtc.AudioData(init))
            await asyncio.sleep(max(0.0, start + (n + 1) / 100 - time.monotonic()))

    # ---- what is received

    def _track(self, event: Any) -> None:
        take = self._see if event.track.kind == "video" else self._hear
        self._tasks.append(asyncio.create_task(take(event.track)))

    async def _see(self, track: webrtc.MediaStreamTrack) -> None:
        init = webrtc.MediaStreamTrackProcessorInit(track=track, max_buffer_size=4)
        async for frame in webrtc.MediaStreamTrackProcessor(init).readable:
            self.times.append(time.monotonic())
            with frame:
                if self._wanted:
                    data = bytearray(frame.allocation_size())
                    await frame.copy_to(data)
                    self._picture = (bytes(data), frame.coded_width, frame.coded_height)
                    self._wanted = False
                    self._sample.set()

    async def _hear(self, track: webrtc.MediaStreamTrack) -> None:
        init = webrtc.MediaStreamTrackProcessorInit(track=track, max_buffer_size=20)
        async for data in webrtc.MediaStreamTrackProcessor(init).readable:
            with data:
                options = webrtc.AudioDataCopyToOptions(plane_index=0)
                block = bytearray(data.allocation_size(options))
                data.copy_to(block, options)
                samples = np.frombuffer(bytes(block), np.int16)[:: data.number_of_channels]
                self._heard.append(samples.astype(np.float32) / 32768)

    async def wait_live(self, timeout: float = 20.0) -> None:
        async with asyncio.timeout(timeout):
            while not self.times:
                await asyncio.sleep(0.02)

    async def participant(self) -> str:
        return str(self.joined["id"])

    async def tiles(self) -> Mapping[str, Any]:
        assert self._api is not None
        return await self._api.tiles(self._room)

    async def picture(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The next frame's planes."""
        self._sample.clear()
        self._wanted = True
        async with asyncio.timeout(5):
            await self._sample.wait()
        assert self._picture is not None
        data, width, height = self._picture
        planes = np.frombuffer(data, np.uint8)
        y = planes[: width * height].reshape(height, width)
        u, v = planes[width * height : width * height * 3 // 2].reshape(2, height // 2, width // 2)
        return y, u, v

    async def colours(self, points: Sequence[tuple[float, float]]) -> list[list[float]]:
        y, u, v = await self.picture()
        return [list(_patch(y, u, v, x, at)) for x, at in points]

    async def error(self, points: Sequence[tuple[float, float]], source: Source) -> float:
        return colour_error(await self.colours(points), source)

    async def levels(self, tones: Sequence[int], seconds: float = HEARD_SECONDS) -> list[float]:
        self._heard.clear()
        async with asyncio.timeout(seconds + 5):
            while len(self._heard) < int(seconds * 100):
                await asyncio.sleep(0.05)
        return tone_levels(np.concatenate(self._heard), SAMPLE_RATE, tones)

    async def start_watch(self) -> None:
        self.times.clear()

    async def end_watch(self) -> FrameTimes:
        return frame_times(list(self.times))

    async def watch(self, seconds: float) -> FrameTimes:
        await self.start_watch()
        await asyncio.sleep(seconds)
        return await self.end_watch()

    async def leave(self) -> None:
        assert self._api is not None
        await self._api.leave(self._room, self.joined["id"])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.pc.close()
        if self._api is not None:
            await self._api.close()


def _patch(y: np.ndarray, u: np.ndarray, v: np.ndarray, x: float, at: float) -> tuple[int, int, int]:
    row, column = int(at * y.shape[0]) // 2, int(x * y.shape[1]) // 2
    area = slice(row - 1, row + 2), slice(column - 1, column + 2)
    luma = y[2 * row - 2 : 2 * row + 4, 2 * column - 2 : 2 * column + 4]
    return rgb_of(luma, u[area], v[area])
