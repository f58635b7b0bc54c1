"""A mixer as one writes it on aiortc alone: its connections, receivers and senders as they are, for comparison.

    python -m benchmarks.mixing.plain_mcu PORT

One task a track takes decoded frames; 30 times a second the newest of each are scaled into one I420 canvas with OpenCV,
once for everybody; 50 times a second everybody's sound is summed, less one's own. Each connection then encodes picture
and sound for itself, which is what aiortc's senders do with frames. Encoders start at 1.5 Mb/s in place of 0.5. One
joins as at Mixdown's own API, so that the same crowd can be let in.
"""

from __future__ import annotations

import asyncio
import sys
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import uvicorn
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import h264, vpx
from aiortc.mediastreams import MediaStreamError
from fastapi import Body, FastAPI
from numpy.typing import NDArray

from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import Size

CANVAS, FPS, KBPS = Size(1280, 720), 30, 1500
SAMPLES, RATE = 960, 48_000
Pcm = NDArray[np.int32]


class Out(MediaStreamTrack):
    """What one peer is sent. Holds two frames; of more the oldest is dropped."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__()
        self._queue: asyncio.Queue[Any] = asyncio.Queue(2)

    def put(self, frame: Any) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(frame)

    async def recv(self) -> Any:
        return await self._queue.get()


class Peer:
    """One participant: its newest picture and sound, and what goes back."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.video, self.audio = Out("video"), Out("audio")
        self.picture: av.VideoFrame | None = None
        self.sound: Pcm = np.zeros(0, np.int32)
        self._tasks: list[asyncio.Task[None]] = []
        self.pc.on("track", self._track)

    def _track(self, track: MediaStreamTrack) -> None:
        take = self._pictures(track) if track.kind == "video" else self._sounds(track)
        self._tasks.append(asyncio.create_task(take))

    async def _pictures(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                self.picture = await track.recv()
        except MediaStreamError:
            self.picture = None

    async def _sounds(self, track: MediaStreamTrack) -> None:
        """Keeps at most 100 ms: older sound is dropped."""
        try:
            while True:
                frame = await track.recv()
                block = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, :1].astype(np.int32).ravel()
                self.sound = np.concatenate([self.sound, block])[-5 * SAMPLES :]
        except MediaStreamError:
            self.sound = np.zeros(0, np.int32)

    def block(self) -> Pcm:
        """20 ms, silence if there are none."""
        if self.sound.size < SAMPLES:
            return np.zeros(SAMPLES, np.int32)
        block, self.sound = self.sound[:SAMPLES], self.sound[SAMPLES:]
        return block


peers: list[Peer] = []
app = FastAPI()


@app.post("/v1/rooms/{room}/participants", status_code=201)
async def join(room: str, offer: dict[str, Any] = Body()) -> dict[str, str]:  # noqa: B008 - FastAPI's way
    peer = Peer()
    await peer.pc.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
    peer.pc.addTrack(peer.audio)
    peer.pc.addTrack(peer.video)
    await peer.pc.setLocalDescription(await peer.pc.createAnswer())
    peers.append(peer)
    return {"sdp": peer.pc.localDescription.sdp, "type": "answer"}


def compose() -> av.VideoFrame:
    """The newest pictures in a grid; the frame is everybody's."""
    canvas = np.full((CANVAS.height * 3 // 2, CANVAS.width), 128, np.uint8)
    canvas[: CANVAS.height] = 16
    shown = [peer.picture for peer in peers if peer.picture is not None]
    if shown:
        for cell, picture in zip(arrange(parse_layout_name("grid"), CANVAS, len(shown)), shown, strict=True):
            _lay(canvas, picture.to_ndarray(format="yuv420p"), picture.height, picture.width, cell.rect)
    frame = av.VideoFrame.from_ndarray(canvas, format="yuv420p")
    frame.time_base = Fraction(1, FPS)
    return frame


def _lay(canvas: NDArray[np.uint8], picture: NDArray[np.uint8], height: int, width: int, r: Any) -> None:
    """Plane by plane: the chroma planes lie below the luma, each half as wide and high (I420)."""
    cv2.resize(picture[:height], (r.width, r.height), dst=canvas[r.y : r.y + r.height, r.x : r.x + r.width])
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    below = canvas[CANVAS.height :].reshape(2, CANVAS.height // 2, CANVAS.width // 2)
    rows, columns = slice(r.y // 2, (r.y + r.height) // 2), slice(r.x // 2, (r.x + r.width) // 2)
    for plane in (0, 1):
        cv2.resize(chroma[plane], (r.width // 2, r.height // 2), dst=below[plane, rows, columns])


async def pictures() -> None:
    begun, n = asyncio.get_running_loop().time(), 0
    while True:
        frame = await asyncio.to_thread(compose)
        frame.pts = n
        for peer in peers:
            peer.video.put(frame)
        n = await _next(begun, n, FPS)


async def sounds() -> None:
    begun, n = asyncio.get_running_loop().time(), 0
    while True:
        blocks = [peer.block() for peer in peers]
        everybody = sum(blocks, np.zeros(SAMPLES, np.int32))
        for peer, own in zip(list(peers), blocks, strict=True):
            mix = np.clip(everybody - own, -32768, 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.repeat(mix, 2)[None], format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, n * SAMPLES, Fraction(1, RATE)
            peer.audio.put(frame)
        n = await _next(begun, n, RATE / SAMPLES)


async def _next(begun: float, n: int, rate: float) -> int:
    """Waits for the next tick, leaving out those that are past."""
    now = asyncio.get_running_loop().time()
    n = max(n + 1, int((now - begun) * rate))
    await asyncio.sleep(max(0.0, begun + n / rate - now))
    return n


async def main(port: int) -> None:
    vpx.DEFAULT_BITRATE = h264.DEFAULT_BITRATE = KBPS * 1000
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    ticking = [asyncio.create_task(pictures()), asyncio.create_task(sounds())]
    await server.serve()
    for task in ticking:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
