"""What comes to a media socket: STUN, DTLS, SRTP or noise, from strangers and from whoever knows the ICE password.

Steps: kind, address, then raw bytes, or the attributes of a STUN message that is signed as the real peer would.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter

from aioice import Candidate, stun
from fuzz.reader import Reader, simulated_clock

from mixdown.mcu.edge.aioice_private import DTLS_QUEUE, IceConnection, MediaProtocol
from mixdown.mcu.edge.types import EdgeConfig

MTU = 1500
MAX_VERIFIED = 65
MAX_REMOTE = 64
STUN_TYPES = (0x0001, 0x0101, 0x0111, 0x0011, 0x0003, 0x0002)
_loop = asyncio.new_event_loop()


class Socket:
    """Counts what is answered: a stranger's datagram must not be worth more than one."""

    def __init__(self) -> None:
        self.answers = 0

    def sendto(self, data: bytes, address: object) -> None:
        self.answers += 1

    def close(self) -> None: ...


def run(data: bytes) -> None:
    with simulated_clock():
        _loop.run_until_complete(_visit(Reader(data)))


async def _visit(reader: Reader) -> None:
    counters: Counter[str] = Counter()
    connection = IceConnection(EdgeConfig(), counters)
    connection.remote_username, connection.remote_password = "peer", "y" * 22
    connection._early_checks_done = True
    socket = Socket()
    protocol = MediaProtocol(connection)
    protocol.connection_made(socket)  # type: ignore[arg-type]
    protocol.local_candidate = Candidate("f", 1, "udp", 1, "192.0.2.9", 5000, "host")
    try:
        datagrams = _throw(reader, connection, protocol)
        assert socket.answers <= datagrams
        assert len(connection.verified) <= MAX_VERIFIED
        assert connection.dtls_pending <= DTLS_QUEUE
        assert len(connection.remote_candidates) <= MAX_REMOTE, "one who knows the password may fill the memory"
    finally:
        tasks = [pair.task for pair in connection._check_list if pair.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        protocol.connection_lost(None)


def _throw(reader: Reader, connection: IceConnection, protocol: MediaProtocol) -> int:
    """How many datagrams came."""
    media: list[bytes] = []
    connection.on_media = media.append
    datagrams = 0
    while reader.left:
        kind, who = reader.number(1), reader.number(1)
        address = ("192.0.2.1", 1 + who + 256 * (kind >> 6))
        payload = reader.sized()[:MTU]
        datagram = _signed(connection, kind, payload) if kind & 1 else payload
        known, before = address in connection.verified, len(media)
        protocol.datagram_received(datagram, address)
        datagrams += 1
        assert len(media) - before <= known, "a stranger's packet was taken for media"
    return datagrams


def _signed(connection: IceConnection, kind: int, attributes: bytes) -> bytes:
    """A STUN message with these attributes, then the integrity that our password gives."""
    username = f"{connection.local_username}:peer".encode()
    named = _attribute(0x0006, username) if kind & 2 else b""
    prioritised = _attribute(0x0024, bytes(4)) if kind & 4 else b""
    body = named + prioritised + attributes
    message_type = STUN_TYPES[(kind >> 3) % len(STUN_TYPES)]
    header = struct.pack("!HHI12s", message_type, len(body) + 24, stun.COOKIE, b"transaction!")
    integrity = stun.message_integrity(header + body, connection.local_password.encode())
    return header + body + _attribute(0x0008, integrity)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
