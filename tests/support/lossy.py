"""Our sender and our receiver, joined by a line that loses, doubles, delays and overtakes, by a seed.

What is between them is what is on the wire: RTP packets one way, RTCP compounds the other. On simulated time, without
sockets and encryption: a minute of media takes some hundred milliseconds.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiortc.rtp import RTCP_PSFB_PLI, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket

from mixdown.codecs.assembler import MAX_BYTES, MAX_PACKETS
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.governor import Governor
from mixdown.codecs.nack import MAX_MISSING
from mixdown.codecs.payload import h264
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.answer import Streams
from mixdown.mcu.edge.fanout import cut
from mixdown.mcu.edge.offer import parse_offer
from mixdown.mcu.edge.receiver import SourceReceiver
from mixdown.mcu.edge.rtp import parse_rtp
from mixdown.mcu.edge.sender import MediaSender
from mixdown.mcu.link.messages import SourceKind

OFFER = parse_offer((Path(__file__).parents[1] / "fuzz" / "seeds" / "sdp" / "chromium").read_text())
STREAMS = Streams(0x5EED, 0x5EEE)
POLL = 0.02
FPS = 30
KEY_FRAME_PAUSE = 0.3
"Seconds between two key frames of a browser's encoder; it knows no other limit."
DELTA_BYTES, KEY_BYTES = 7_000, 40_000
"Of a picture of 1.7 Mb/s."


@dataclass(frozen=True, slots=True)
class Way:
    """One direction. delay: seconds; jitter: up to so many seconds more, behind which what follows queues up; disorder:
    the same, but what follows does not; the rest: shares of packets, of which those overtaken take twice as long.
    blackouts: (begin, end) in which nothing arrives."""

    delay: float = 0.025
    jitter: float = 0.0
    disorder: float = 0.0
    loss: float = 0.0
    doubled: float = 0.0
    overtaken: float = 0.0
    blackouts: tuple[tuple[float, float], ...] = ()


@dataclass(slots=True)
class Seen:
    """What came of a call. frames: (number, key, time it was complete)."""

    frames: list[tuple[int, bool, float]] = field(default_factory=list)
    made: int = 0
    keys_made: int = 0
    sent: int = 0
    lost: int = 0
    asked: int = 0
    plis: list[float] = field(default_factory=list)
    media_bytes: int = 0
    repair_bytes: int = 0
    most_held: int = 0

    def longest(self, begin: float = 0.0) -> float:
        """Seconds between two frames that came after `begin`."""
        times = [time for _, _, time in self.frames if time >= begin]
        return max((b - a for a, b in itertools.pairwise(times)), default=float("inf"))


class LossyCall:
    """One picture from a MediaSender to a SourceReceiver, with the reports that it answers to."""

    def __init__(self, codec: CodecId, out: Way, back: Way, seed: int) -> None:
        self.seen = Seen()
        self.counters: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._out, self._back = out, back
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._governor = Governor(KEY_FRAME_PAUSE, patience=1000)
        media = next(line for line in OFFER.media if line.kind is MediaKind.VIDEO)
        chosen = next(one for one in media.codecs if one.id is codec)
        media = replace(media, codecs=(chosen,), ssrcs=(STREAMS.ssrc, STREAMS.rtx_ssrc))
        self._sender = MediaSender(media, chosen, STREAMS)
        self._receiver = SourceReceiver(
            "x", SourceKind.CAMERA, media, 0, self._took, lambda receiver: None, self.counters, self._poll
        )
        self._now = 0.0
        self._front: dict[Way, float] = {}

    def run(self, seconds: float) -> Seen:
        """That much of media, and a second more for what is under way."""
        for n in range(int(seconds * FPS)):
            self._at(n / FPS, self._frame)
        for n in range(int((seconds + 1) / POLL)):
            self._at(n * POLL, self._poll)
        while self._events:
            self._now, _, event = heapq.heappop(self._events)
            event(self._now)
        return self.seen

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))

    # ---- the sender's side -----------------------------------------------------------------------------------------

    def _frame(self, now: float) -> None:
        n = self.seen.made
        key = n == 0 or self._governor.take(now)
        if n == 0:
            self._governor.made(now)
        self.seen.made += 1
        self.seen.keys_made += key
        frame = EncodedFrame("s", 0, self._sender.codec.id, n, n, n * 3000, self._picture(n, key), key=key, arrival=now)
        packets = self._sender.packetise(frame, cut(frame), now)
        self.seen.media_bytes += sum(map(len, packets))
        for packet in packets:
            self._send(packet, now)

    def _picture(self, n: int, key: bool) -> bytes:
        """Its number where `_took` finds it."""
        size = KEY_BYTES if key else self._chance.randrange(DELTA_BYTES // 2, DELTA_BYTES * 3 // 2)
        number = (n + 0x01010101).to_bytes(4, "big")
        if self._sender.codec.id is CodecId.VP8:
            return bytes((0x10 if key else 0x11,)) + number + bytes(size)
        picture = bytes((0x65 if key else 0x41, 0x88)) + number + b"\x07" * size
        return h264.annexb([b"\x67\x42\xc0\x1f", b"\x68\xce\x01", picture] if key else [picture])

    def _send(self, packet: bytes, now: float) -> None:
        self.seen.sent += 1
        self._carry(self._out, now, lambda later: self._arrived(packet, later))

    def _told(self, compound: bytes, now: float) -> None:
        for packet in RtcpPacket.parse(compound):
            if isinstance(packet, RtcpRtpfbPacket):
                repairs = [self._sender.repair(number & 0xFFFF, now) for number in packet.lost]
                for repair in repairs:
                    if repair is not None:
                        self.seen.repair_bytes += len(repair)
                        self._send(repair, now)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI:
                self._governor.request("x", now)

    # ---- the line --------------------------------------------------------------------------------------------------

    def _carry(self, way: Way, now: float, arrive: Callable[[float], None]) -> None:
        chance = self._chance
        dark = any(begin <= now < end for begin, end in way.blackouts)
        if dark or chance.random() < way.loss:
            self.seen.lost += way is self._out
            return
        for _ in range(2 if chance.random() < way.doubled else 1):
            late = now + way.delay + way.jitter * chance.random()
            if way.disorder or chance.random() < way.overtaken:
                self._at(late + (way.disorder * chance.random() if way.disorder else way.delay), arrive)
                continue
            self._front[way] = max(self._front.get(way, 0.0), late)
            self._at(self._front[way], arrive)

    # ---- the receiver's side ---------------------------------------------------------------------------------------

    def _arrived(self, packet: bytes, now: float) -> None:
        self._receiver.rtp(parse_rtp(packet, with_extensions=False), now)
        packets, size = self._receiver._assembler.held
        assert packets <= MAX_PACKETS and size <= MAX_BYTES
        self.seen.most_held = max(self.seen.most_held, packets)

    def _poll(self, now: float) -> None:
        lost, pli = self._receiver.poll(now, self._out.delay + self._back.delay)
        assert len(self._receiver._assembler._missing) <= MAX_MISSING
        compound = rtcp.nack(1, STREAMS.ssrc, lost) if lost else b""
        self.seen.asked += len(lost)
        if pli:
            self.seen.plis.append(now)
            compound += rtcp.picture_loss(1, STREAMS.ssrc)
        if compound:
            self._carry(self._back, now, lambda later: self._told(compound, later))

    def _took(self, frame: EncodedFrame) -> None:
        at = 1 if frame.codec is CodecId.VP8 else frame.data.index(b"\x88") + 1
        number = int.from_bytes(frame.data[at : at + 4], "big") - 0x01010101
        self.seen.frames.append((number, frame.key, self._now))
