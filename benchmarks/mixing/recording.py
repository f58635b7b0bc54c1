"""What the server sent to one client, from its RTP packets back to frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiortc.rtp import RtpPacket

from mixdown.codecs.depacketise import BareFrame, Depacketiser
from mixdown.codecs.encoded import CodecId


@dataclass(frozen=True, slots=True)
class Recording:
    """frames: in their order, each decodable after the one before, the first a key frame. lost: packets that did not
    come (then the frames begin after the last loss)."""

    frames: tuple[BareFrame, ...]
    lost: int


def pack(packets: Sequence[bytes]) -> bytes:
    """Each with its length before it."""
    return b"".join(struct.pack("!H", len(packet)) + packet for packet in packets)


def unpack(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("!H", data, at)
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


def frames_of(packets: Sequence[bytes], codec: CodecId) -> Recording:
    """packets: RTP of one stream, in their order. ValueError if one is malformed."""
    builder, payloads, frames = Depacketiser(), list[bytes](), list[BareFrame]()
    last: int | None = None
    lost = 0
    for data in packets:
        packet = RtpPacket.parse(data)
        missing = 0 if last is None else (packet.sequence_number - last - 1) % 65536
        last = packet.sequence_number
        if missing:
            lost, payloads = lost + missing, []
            frames.clear()
        payloads.append(packet.payload)
        if packet.marker:
            _add(frames, builder, codec, payloads)
            payloads = []
    return Recording(tuple(frames), lost)


def _add(frames: list[BareFrame], builder: Depacketiser, codec: CodecId, payloads: Sequence[bytes]) -> None:
    try:
        frame = builder.build(codec, payloads, True)
    except ValueError:
        if frames:
            raise
        return  # the rest of a frame whose beginning was missed
    if frame.picture and (frames or frame.key):
        frames.append(frame)
