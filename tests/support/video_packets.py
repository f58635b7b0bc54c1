"""Streams of VP8 and H.264 in packets, for what puts them together."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mixdown.codecs.assembled import AssembledFrame
from mixdown.codecs.assembler import VideoAssembler
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.payload import h264, vp8

START = 65_500
"Extended sequence number of the first packet: close to a wrap."


@dataclass(frozen=True)
class Packet:
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


def vp8_frame(number: int, key: bool, size: int) -> bytes:
    return bytes((0x10 if key else 0x11,)) + number.to_bytes(4, "big") + bytes(size)


def h264_frame(number: int, key: bool, size: int) -> bytes:
    body = b"\x88" + number.to_bytes(4, "big").replace(b"\0", b"\x03") + b"\x07" * size
    if key:
        return h264.annexb([b"\x67\x42\xc0\x1f", b"\x68\xce\x01", b"\x65" + body])
    return h264.annexb([b"\x41" + body])


def packets_of(
    codec: CodecId, plan: list[tuple[bool, int, int]], start: int = START
) -> tuple[list[bytes], list[Packet]]:
    """plan: (key, size, empty packets after it) of each frame."""
    frames, packets = [], []
    sequence = start
    for number, (key, size, empties) in enumerate(plan):
        if codec is CodecId.VP8:
            frame = vp8_frame(number, key, size)
            pieces = vp8.split(frame, 100)
            payloads = [vp8.descriptor(at == 0, number) + piece for at, piece in enumerate(pieces)]
        else:
            frame = h264_frame(number, key, size)
            payloads = h264.split(frame, 100)
        frames.append(frame)
        for at, payload in enumerate(payloads):
            packets.append(Packet(sequence, number * 3000, at == len(payloads) - 1, payload))
            sequence += 1
        for _ in range(empties):
            packets.append(Packet(sequence, number * 3000, False, b""))
            sequence += 1
    return frames, packets


def push(assembler: VideoAssembler, codec: CodecId, packet: Packet, now: float = 0.0) -> list[AssembledFrame]:
    return assembler.push(codec, packet.sequence, packet.timestamp, packet.marker, packet.payload, now)


def push_all(
    assembler: VideoAssembler, codec: CodecId, packets: list[Packet], now: float = 0.0
) -> list[AssembledFrame]:
    return [frame for packet in packets for frame in push(assembler, codec, packet, now)]


CODECS = pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.H264])
