"""The filter on a media socket, in the kernel itself: no stranger's media gets through, no check of the peer's is lost.

Steps: kind, then with its length a raw datagram, or the attributes that stand before USERNAME in a check.
"""

from __future__ import annotations

import socket
import struct

from fuzz.reader import Reader

from mixdown.mcu.edge.source_filter import MAX_ATTRIBUTES, MAX_STUN, attach, program

USER, TAG = b"abcdWXYZ", b"tag!"
SHORTEST = 12
MTU = 1500


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


_filtered, _peer, _stranger = _socket(), _socket(), _socket()
_works = attach(_filtered, program(USER, TAG, [("192.0.2.7", 7), _peer.getsockname(), ("2001:db8::7", 7)]))


def run(data: bytes) -> None:
    reader = Reader(data)
    while reader.left and _works:
        kind = reader.number(1)
        payload = reader.sized()[:MTU]
        if kind & 1:
            check = _check(reader, payload[: kind >> 3])
            if check is not None:
                assert _arrives(_stranger, check), "a check of the peer's was lost"
            continue
        media = bool(payload) and payload[0] > 3
        if media:
            assert not _arrives(_stranger, payload), "a stranger's datagram got through"
            assert _arrives(_peer, payload) == (len(payload) >= SHORTEST), "the peer's datagram was lost"
        elif _arrives(_stranger, payload):
            assert len(payload) <= MAX_STUN and payload[4:8] == b"\x21\x12\xa4\x42"
            assert USER + b":" in payload or payload[8:12] == TAG


def _check(reader: Reader, lengths: bytes) -> bytes | None:
    """A binding request; lengths: of the attributes before USERNAME. None if it is longer than any may be."""
    before = b"".join(
        _attribute(0x8000 + n, reader.take(length)) for n, length in enumerate(lengths[: MAX_ATTRIBUTES - 1])
    )
    body = before + _attribute(0x0006, USER + b":peer") + _attribute(0x0024, bytes(4))
    request = struct.pack("!HHI12s", 1, len(body), 0x2112A442, b"transaction!") + body
    return request if len(request) <= MAX_STUN else None


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _arrives(sender: socket.socket, datagram: bytes) -> bool:
    """Loopback delivers within the call."""
    sender.sendto(datagram, _filtered.getsockname())
    try:
        return _filtered.recv(2 * MTU) == datagram
    except BlockingIOError:
        return False
