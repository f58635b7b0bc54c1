"""A participant that costs next to nothing: it sends pictures and sound that were encoded before, over and over.

Its numbers are known from outside: frame n of the loop shows n in its counter, and left at `sent[n]`.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from aiortc.mediastreams import MediaStreamTrack
from support.aiortc_client import VIDEO_CLOCK, AiortcClient
from support.measure import SAMPLE_RATE
from support.media import Pattern, tone
from support.sources import Source

LOOP_SECONDS = 4
"A key frame each time it begins: who asks for one waits for that."
BITRATE = 900_000
BLOCK = SAMPLE_RATE // 50


@functools.cache
def encoded_pictures(source: Source) -> tuple[bytes, ...]:
    """VP8, a loop of LOOP_SECONDS."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = source.width, source.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, source.fps), Fraction(source.fps)
    encoder.bit_rate = BITRATE
    encoder.thread_count = 1
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "default"}
    encoder.gop_size = LOOP_SECONDS * source.fps
    pattern, packets = Pattern(source), []
    for n in range(LOOP_SECONDS * source.fps):
        planes = pattern.frame(n).reshape(source.height * 3 // 2, source.width)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = n
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    assert len(packets) == LOOP_SECONDS * source.fps
    return tuple(packets)


@functools.cache
def encoded_sound(source: Source) -> tuple[bytes, ...]:
    """Opus, 20 ms each."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", "s16"
    encoder.bit_rate = 32_000
    packets = []
    for n in range(LOOP_SECONDS * 50):
        frame = av.AudioFrame.from_ndarray(tone(source, n * BLOCK, BLOCK)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, n * BLOCK
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(packets)


class Replay(MediaStreamTrack):
    """rate: packets a second; clock: of their timestamps."""

    def __init__(self, kind: str, packets: Sequence[bytes], rate: int, clock: int) -> None:
        self.kind = kind
        super().__init__()
        self.sent = np.zeros(len(packets))
        self._packets, self._rate, self._clock = packets, rate, clock
        self._n = 0
        self._start: float | None = None

    async def recv(self) -> av.Packet:
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._n / self._rate - time.monotonic()))
        index = self._n % len(self._packets)
        packet = av.Packet(self._packets[index])
        packet.pts, packet.time_base = self._n * self._clock // self._rate, Fraction(1, self._clock)
        self._n += 1
        self.sent[index] = time.monotonic()
        return packet


class ReplayClient(AiortcClient):
    """watch: whether what comes is decoded (by aiortc, with no repair to speak of)."""

    def __init__(self, source: Source, *, watch: bool = False) -> None:
        super().__init__(source, video="VP8", watch=watch)
        self.camera = Replay("video", encoded_pictures(source), source.fps, VIDEO_CLOCK)
        self.microphone = Replay("audio", encoded_sound(source), 50, SAMPLE_RATE)

    def tracks(self) -> tuple[MediaStreamTrack, MediaStreamTrack]:
        return self.microphone, self.camera
