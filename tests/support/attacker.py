"""A participant that turns on the server: what it sends is encrypted with its own good key."""

from __future__ import annotations

import asyncio
import os
import random
import struct
from collections.abc import Iterator

import pylibsrtp
from support.replay_client import ReplayClient

HUGE_KEY_FRAME = bytes([0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F]) + bytes(57)
"VP8 that claims 16383x16383 (RFC 6386, 9.1)."


class Attacker(ReplayClient):
    """Joins and sends like any other, until one of its attacks is called."""

    @property
    def _wire(self) -> object:
        return self.pc.getSenders()[0].transport

    async def send(self, packet: bytes) -> None:
        """RTP or RTCP, as it is."""
        await self._wire._send_rtp(packet)  # type: ignore[attr-defined]

    async def misbehave(self, seconds: float, seed: int) -> int:
        """Malformed RTP, RTCP and extensions, 300 streams, corrupt and enormous pictures, over and over."""
        video = next(t for t in self.pc.getTransceivers() if t.kind == "video")
        dice, loop = random.Random(seed), asyncio.get_running_loop()
        until, sent = loop.time() + seconds, 0
        while loop.time() < until:
            for packet in _bad_packets(dice, video._codecs[0].payloadType, video.sender._ssrc, video.mid.encode()):
                try:
                    await self.send(packet)
                except (ValueError, pylibsrtp.Error):
                    continue  # the sender's own libsrtp has limits too
                sent += 1
            await asyncio.sleep(0.1)
        return sent


def _rtp(payload_type: int, sequence: int, ssrc: int, body: bytes, *, first: int = 0x80, marker: bool = True) -> bytes:
    return struct.pack("!BBHII", first, payload_type | 0x80 * marker, sequence & 0xFFFF, sequence * 3000, ssrc) + body


def _bad_packets(dice: random.Random, payload_type: int, own: int, mid: bytes) -> Iterator[bytes]:
    number = dice.randrange(1 << 16)
    extension = b"\xbe\xde\x00\x01" + bytes([0x10]) + mid + bytes(2)
    for ssrc in dice.sample(range(1, 1 << 32), 300):
        yield _rtp(payload_type, number, ssrc, extension + b"\x10" + bytes(30), first=0x90)
    for n in range(20):
        yield _rtp(payload_type, number + n, own, b"\x10" + os.urandom(dice.randrange(1, 1100)))
        yield _rtp(payload_type, number + n, own, HUGE_KEY_FRAME)
    yield _rtp(payload_type, number, own, b"\xbe\xde\xff\xff" + b"\xff" * 20, first=0x90)
    yield _rtp(payload_type, number, own, b"\x10\x00\x01\x7f" * 4, first=0x90)
    yield _rtp(payload_type, number, own, bytes(20) + b"\xff", first=0xA0)
    yield b"\x8f\xce\x00\x05" + bytes(8) + b"REMB\xff\x00\x00\x00" + bytes(8)
    yield b"\x81\xc9\x00\x01" + bytes(4)
    yield b"\x9f\xc8\x00\x06" + os.urandom(24)
    yield b"\x81\xcd\x00\x03" + bytes(4) + own.to_bytes(4, "big") + b"\xff\xff\xff\xff"
    yield (b"\x81\xce\x00\x02" + bytes(8)) * 100
    yield b"\x80\xcb\x00\x00" * 300
    yield b"\x81\xca\x00\x02" + bytes(4) + b"\x01\xff\x00\x00"
