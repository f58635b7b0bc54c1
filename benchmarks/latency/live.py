"""A camera and a microphone whose every frame is known: when it was made, and a mark in it that survives the mixer.

Each picture carries its number as black and white cells; the sound carries a chirp twice a second. Both are encoded
live, as a client does. Their clocks run a little off the server's, as those of devices do.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import sys
import time
from fractions import Fraction

import av
import cv2
import numpy as np
from aiortc.mediastreams import MediaStreamTrack
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from benchmarks.mixing.content import pictures, voice
from benchmarks.record import ROOT
from mixdown.codecs.opus import OpusEncoder
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE, Size

sys.path.insert(0, str(ROOT / "tests"))

from support.sources import COUNTER_BAND, COUNTER_BITS

SIZE = Size(640, 360)
KBPS = 600
CAMERAS = (30.003, 29.97)
"""Pictures a second: a camera whose clock is 0.1 thousandths off, as most are, and one of the 29.97 family. Where in a
tick's time they begin is chance, in each round anew."""
OFF_RATE = (29.7, 29.7)
"Cameras that the ticks cannot follow: all phases are met in 3.4 s."
SOUND_STEP = 0.02 * 1.0005
"Seconds between two blocks: half a thousandth slow, as no device should be, and the server takes twice that."
CHIRP_EVERY = 25
"Blocks."
NUMBERS = 1 << COUNTER_BITS
LOOP_SECONDS = 2.0
BLACK, WHITE = 20, 230

Samples = NDArray[np.float32]


@functools.cache
def raw_pictures(seed: int) -> list[NDArray[np.uint8]]:
    """I420, (height * 3 / 2, width) each, for a loop; without marks."""
    return [cv2.cvtColor(one, cv2.COLOR_BGR2YUV_I420) for one in pictures(SIZE, LOOP_SECONDS, seed)]


def marked(planes: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """A copy with the number's bits from left to right, the lowest first, across the middle."""
    made = planes.copy()
    top, bottom = (round(part * SIZE.height) for part in COUNTER_BAND)
    for bit in range(COUNTER_BITS):
        left, right = bit * SIZE.width // COUNTER_BITS, (bit + 1) * SIZE.width // COUNTER_BITS
        made[top:bottom, left:right] = WHITE if number >> bit & 1 else BLACK
    return made


def chirp(n: int) -> Samples:
    """One block between 1 and 5 kHz, soft at both ends: upwards for even n, downwards for odd n."""
    t = np.arange(BLOCK_SAMPLES) / SAMPLE_RATE
    span = BLOCK_SAMPLES / SAMPLE_RATE
    sound = np.sin(2 * np.pi * (1000 * t + 2000 * t**2 / span)) * np.hanning(BLOCK_SAMPLES)
    return (0.5 * (sound[::-1] if n % 2 else sound)).astype(np.float32)


class LiveCamera(MediaStreamTrack):
    """made: number -> when its picture was handed to the encoder. encode_seconds: of each."""

    kind = "video"

    def __init__(self, seed: int, phase: float, rate: float) -> None:
        super().__init__()
        self._step = 1 / rate
        self.made: dict[int, float] = {}
        self.encode_seconds: list[float] = []
        self._pictures = raw_pictures(seed)
        self._numbers = itertools.count()
        self._start = time.monotonic() + phase
        self._encoder = _video_encoder()

    async def recv(self) -> av.Packet:
        n = next(self._numbers)
        due = self._start + n * self._step
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        picture = marked(self._pictures[n % len(self._pictures)], n % NUMBERS)
        begun = self.made[n % NUMBERS] = time.monotonic()
        data = await asyncio.to_thread(self._encode, picture, n)
        self.encode_seconds.append(time.monotonic() - begun)
        packet = av.Packet(data)
        packet.pts, packet.time_base = round(n * self._step * 90_000), Fraction(1, 90_000)
        return packet

    def _encode(self, picture: NDArray[np.uint8], n: int) -> bytes:
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = n, Fraction(1, 30)
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


def _video_encoder() -> VideoCodecContext:
    context = av.CodecContext.create("libvpx", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = SIZE.width, SIZE.height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.bit_rate, context.thread_count, context.gop_size = KBPS * 1000, 1, 60
    context.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "max-intra-rate": "450"}
    return context


class LiveMicrophone(MediaStreamTrack):
    """n: of its chirps. chirps: when the blocks with one were handed to the encoder. talks: there is a voice between
    them, else a hum, which keeps it in the mix."""

    kind = "audio"

    def __init__(self, n: int, phase: float, talks: bool) -> None:
        super().__init__()
        self.n = n
        self.chirps: list[float] = []
        self._numbers = itertools.count()
        self._start = time.monotonic() + phase
        self._encoder = OpusEncoder(32_000, 5)
        self._chirp = np.repeat(chirp(n)[:, None], 2, axis=1)
        self._between = [np.repeat(block[:, None], 2, axis=1) for block in (_talk() if talks else [_hum()])]

    async def recv(self) -> av.Packet:
        n = next(self._numbers)
        await asyncio.sleep(max(0.0, self._start + n * SOUND_STEP - time.monotonic()))
        chirps = n % CHIRP_EVERY == CHIRP_EVERY - 1
        begun = time.monotonic()
        packet = av.Packet(self._encoder.encode(self._chirp if chirps else self._between[n % len(self._between)]))
        if chirps:
            self.chirps.append(begun)
        packet.pts, packet.time_base = n * BLOCK_SAMPLES, Fraction(1, SAMPLE_RATE)
        return packet


def _talk() -> list[Samples]:
    """In blocks."""
    return list(0.5 * voice(LOOP_SECONDS, seed=1).astype(np.float32).reshape(-1, BLOCK_SAMPLES))


def _hum() -> Samples:
    """200 Hz, whose periods fill a block."""
    return (0.01 * np.sin(2 * np.pi * 200 * np.arange(BLOCK_SAMPLES) / SAMPLE_RATE)).astype(np.float32)


class Nothing(MediaStreamTrack):
    """A device that never gives anything."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__()

    async def recv(self) -> av.Packet:
        await asyncio.Event().wait()
        raise AssertionError
