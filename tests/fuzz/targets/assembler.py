"""The video assembler fed any packets in any order: frames in order and decodable, memory and requests bounded.

Steps of: kind; a packet (sequence step, time step, marker and codec, payload) or a pause (milliseconds) and a poll.
"""

from __future__ import annotations

from fuzz.reader import Reader

from mixdown.codecs.assembled import AssembledFrame
from mixdown.codecs.assembler import MAX_BYTES, MAX_PACKETS, VideoAssembler
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.nack import MAX_AT_ONCE

MTU = 1500


class Watch:
    """Checks what the assembler lets out against what went in."""

    def __init__(self) -> None:
        self.assembler = VideoAssembler()
        self.pushed: dict[int, int] = {}
        self.last: int | None = None

    def push(self, codec: CodecId, sequence: int, timestamp: int, marker: bool, payload: bytes, now: float) -> None:
        self.pushed[sequence] = max(len(payload), self.pushed.get(sequence, 0))
        self.took(self.assembler.push(codec, sequence, timestamp, marker, payload, now))
        packets, size = self.assembler.held
        assert packets <= MAX_PACKETS and size <= MAX_BYTES, (packets, size)

    def poll(self, now: float, rtt: float) -> None:
        decision = self.assembler.poll(now, rtt)
        assert len(decision.nack) <= MAX_AT_ONCE and all(0 <= number < 1 << 16 for number in decision.nack)
        self.took(decision.frames)

    def took(self, frames: list[AssembledFrame]) -> None:
        for frame in frames:
            assert frame.first <= frame.last and frame.last - frame.first < MAX_PACKETS
            if self.last is not None and not frame.key:
                assert frame.first > self.last, "a frame that goes on from another came before it"
                missing = [n for n in range(self.last + 1, frame.first) if n not in self.pushed]
                assert not missing, f"goes on over packets that never came: {missing[:5]}"
            assert self.last is not None or frame.key, "began without a key frame"
            self.last = frame.last


def run(data: bytes) -> None:
    reader, watch = Reader(data), Watch()
    now, sequence, timestamp = 0.0, 1000, 0
    while reader.left:
        kind = reader.number(1)
        if kind < 32:
            now += reader.number(1) / 1000
            watch.poll(now, (kind + 1) / 100)
            continue
        sequence += _step(kind, reader)
        if kind & 2:
            timestamp += 3000 if kind & 4 else reader.signed(4)
        codec = CodecId.H264 if kind & 8 else CodecId.VP8
        payload = reader.sized()[:MTU]
        watch.push(codec, sequence, timestamp, bool(kind & 16), payload, now)


def _step(kind: int, reader: Reader) -> int:
    """The next number as a rule; else near, far, or anywhere."""
    if kind >= 128:
        return 1
    if kind & 64:
        return reader.signed(1)
    return reader.signed(2 if kind & 1 else 4)
