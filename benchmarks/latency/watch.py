"""A receiver that decodes what comes at once and notes when: with no buffer of its own, the delay is the call's."""

from __future__ import annotations

import queue
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from aiortc.codecs.vpx import vp8_depayload
from numpy.typing import NDArray

from benchmarks.latency.live import Samples
from benchmarks.record import ROOT
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.opus import OpusDecoder
from mixdown.codecs.video import make_video_decoder
from mixdown.mcu.edge.rtp import RtpHeader, parse_rtp
from mixdown.mixer.media import BLOCK_SAMPLES

sys.path.insert(0, str(ROOT / "tests"))

from support.sources import COUNTER_BITS

HEIGHT = 720
"Of the canvas: pictures of another tier are counted and not read."
CLEAR = 0.35
"Of the strongest correlation: from there on something is a chirp."
LONGEST = 0.45
"Seconds that a chirp is waited for; less than from one to the next."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tile is on the canvas, pixels."""

    x: int
    y: int
    width: int
    height: int

    def number(self, luma: NDArray[np.uint8]) -> int:
        """The counter: the mean of the middle of each cell."""
        middle = luma[self.y + self.height // 2 - 3 : self.y + self.height // 2 + 3]
        number = 0
        for bit in range(COUNTER_BITS):
            centre = self.x + (2 * bit + 1) * self.width // (2 * COUNTER_BITS)
            number |= int(middle[:, centre - 4 : centre + 4].mean() > 125) << bit
        return number


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture of the composite. at: when it was decoded; decode: seconds for that; numbers: by participant."""

    at: float
    decode: float
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet of the mix. at: when it was decoded; rtp_time: of its first sample; sound: the left channel."""

    at: float
    rtp_time: int
    sound: Samples


def payload_types(sdp: str) -> dict[int, str]:
    """By number, of an answer: codec's names in lower case."""
    return {int(number): name.lower() for number, name in re.findall(r"a=rtpmap:(\d+) ([\w-]+)/", sdp)}


class Watch:
    """take: on the event loop, one decrypted RTP packet; the rest is done on a thread of its own. others: pictures of
    another size; broken: pictures with packets missing."""

    def __init__(self, types: Mapping[int, str]) -> None:
        self.seen: list[Seen] = []
        self.heard: list[Heard] = []
        self.places: dict[str, Place] = {}
        self.others = self.broken = 0
        self._types = types
        self._pieces: list[bytes] = []
        self._next: int | None = None
        self._work: queue.SimpleQueue[tuple[int | None, bytes]] = queue.SimpleQueue()
        self._video = make_video_decoder(CodecId.VP8)
        self._audio = OpusDecoder()
        threading.Thread(target=self._run, daemon=True).start()

    async def take(self, data: bytes, arrival_time_ms: int) -> None:
        packet = parse_rtp(data, with_extensions=False)
        name = self._types.get(packet.payload_type)
        if name == "opus" and packet.payload:
            self._work.put((packet.timestamp, packet.payload))
        elif name == "vp8" and packet.payload:
            self._piece(packet)

    def _piece(self, packet: RtpHeader) -> None:
        if self._next not in (None, packet.sequence):
            self.broken += 1
            self._pieces.clear()
        self._next = (packet.sequence + 1) & 0xFFFF
        self._pieces.append(vp8_depayload(packet.payload))
        if packet.marker:
            self._work.put((None, b"".join(self._pieces)))
            self._pieces.clear()

    def _run(self) -> None:
        while True:
            rtp_time, data = self._work.get()
            begun = time.monotonic()
            try:
                if rtp_time is None:
                    self._look(data, begun)
                else:
                    sound = self._audio.decode(data)[:, 0].copy()
                    self.heard.append(Heard(time.monotonic(), rtp_time, sound))
            except CodecError:
                self.broken += 1

    def _look(self, data: bytes, begun: float) -> None:
        for picture in self._video.decode(data):
            at = time.monotonic()
            if picture.y.shape[0] != HEIGHT:
                self.others += 1
                continue
            numbers = {name: place.number(picture.y) for name, place in self.places.items()}
            self.seen.append(Seen(at, at - begun, numbers))


def picture_ages(seen: Sequence[Seen], made: Mapping[str, Mapping[int, float]]) -> dict[str, list[float]]:
    """By participant: seconds from when a picture was made to when it was decoded in the composite, each counted once.
    made: by participant, by number."""
    last: dict[str, int] = {}
    ages: dict[str, list[float]] = {name: [] for name in made}
    for one in seen:
        for name, number in one.numbers.items():
            first = last.get(name)
            last[name] = number
            begun = made[name].get(number)
            if first not in (None, number) and begun is not None and 0 < one.at - begun < 1:
                ages[name].append(one.at - begun)
    return ages


def chirp_ages(heard: Sequence[Heard], chirps: Sequence[float], chirp: Samples) -> list[float]:
    """Seconds from when a block with a chirp was handed to the encoder to when the first sample of it was decoded."""
    if not heard:
        return []
    start, end = heard[0].rtp_time, heard[-1].rtp_time + BLOCK_SAMPLES
    sound = np.zeros(end - start, np.float32)
    times = np.full((end - start) // BLOCK_SAMPLES + 1, np.nan)
    for one in heard:
        at = one.rtp_time - start
        sound[at : at + len(one.sound)] = one.sound[: max(0, len(sound) - at)]
        times[at // BLOCK_SAMPLES] = one.at
    match = _correlation(sound, chirp)
    return [age for begun in chirps if (age := _age(match, times, begun)) is not None]


def _correlation(sound: Samples, wanted: Samples) -> NDArray[np.float64]:
    """How much each sample looks like the beginning of what is wanted."""
    size = 1 << (len(sound) + len(wanted)).bit_length()
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size))
    return np.abs(np.fft.irfft(product, size)[: len(sound)])


def _age(match: NDArray[np.float64], times: NDArray[np.float64], begun: float) -> float | None:
    """None if it did not come in LONGEST seconds."""
    blocks = np.flatnonzero((times > begun) & (times < begun + LONGEST))
    if not len(blocks):
        return None
    first = int(blocks[0]) * BLOCK_SAMPLES
    peak = first + int(np.argmax(match[first : (int(blocks[-1]) + 1) * BLOCK_SAMPLES]))
    at = times[peak // BLOCK_SAMPLES]
    return float(at - begun) if match[peak] > CLEAR * match.max() and np.isfinite(at) else None
