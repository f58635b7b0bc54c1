"""The jitter buffer and the whole audio source, fed any sequence numbers, times and packets: bounded, in order, finite.

First byte: the codec, and whether decoders are in. Then steps: a packet, or ticks that pull.
"""

from __future__ import annotations

import numpy as np
from fuzz.reader import Reader

from mixdown.codecs.audio_source import AudioSource
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.errors import CodecError
from mixdown.codecs.jitter import MAX_PACKETS, Gap, JitterBuffer, Lost
from mixdown.codecs.opus import packet_samples

CODECS = (CodecId.OPUS, CodecId.PCMU, CodecId.G722, CodecId.PCMA)
MTU = 1500
MOST_CONCEALED = 2.0
"Seconds that one loss may be made up for, at most: a packet's own length is 120 ms."


def run(data: bytes) -> None:
    reader = Reader(data)
    mode = reader.number(1)
    codec = CODECS[mode & 3]
    if mode & 4:
        _source(reader, codec)
    else:
        _buffer(reader, codec)


def _packet(reader: Reader, codec: CodecId, now: float, last: tuple[int, int, int]) -> EncodedFrame:
    kind = reader.number(1)
    sequence, time, epoch = last
    sequence += 1 if kind & 1 else reader.signed(2)
    time += codec.clock_rate // 50 if kind & 2 else reader.signed(4)
    epoch += reader.number(1) & 1 if kind & 4 else 0
    return EncodedFrame("x", epoch, codec, sequence, sequence, time, reader.sized()[:MTU], arrival=now)


def _buffer(reader: Reader, codec: CodecId) -> None:
    span = packet_samples if codec is CodecId.OPUS else lambda data: max(1, len(data))
    buffer = JitterBuffer(codec.clock_rate, span)
    now, last = 0.0, (1000, 0, 0)
    played: tuple[int, int] | None = None
    while reader.left:
        step = reader.number(1)
        if step & 1:
            frame = _packet(reader, codec, now, last)
            last = (frame.sequence, frame.rtp_time, frame.epoch)
            try:
                span(frame.data)
            except CodecError:
                continue  # the source refuses it before the buffer sees it
            anchors = buffer.counters.anchors
            buffer.push(frame, now)
            played = None if buffer.counters.anchors != anchors else played
            assert len(buffer) <= MAX_PACKETS
            continue
        now += step / 1000
        anchors = buffer.counters.anchors
        taken = buffer.pull(now)
        played = None if buffer.counters.anchors != anchors else played
        if isinstance(taken, Lost):
            assert 0 < taken.duration <= MOST_CONCEALED * codec.clock_rate, taken.duration
        elif not isinstance(taken, Gap):
            assert played is None or (taken.epoch, taken.sequence) > played, "played out of order"
            played = (taken.epoch, taken.sequence)
    assert np.isfinite([buffer.target, buffer.asked, buffer.slack(now)]).all()


def _source(reader: Reader, codec: CodecId) -> None:
    source = AudioSource(codec)
    now, last = 0.0, (1000, 0, 0)
    try:
        while reader.left:
            step = reader.number(1)
            if step & 1:
                frame = _packet(reader, CODECS[(step >> 1) & 3] if step & 128 else codec, now, last)
                last = (frame.sequence, frame.rtp_time, frame.epoch)
                source.push(frame, now)
                continue
            now += step / 1000
            block = source.pull(now)
            if block is not None:
                assert block.shape == (960, 2) and np.isfinite(block).all()
    finally:
        source.close()
