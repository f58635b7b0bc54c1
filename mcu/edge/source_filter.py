"""A filter that the kernel runs on a media socket (classic BPF): what strangers send costs no wake-up.

Let through is what the second filter, in Python, would: DTLS, SRTP and SRTCP from verified addresses, STUN requests to
this socket's own user, STUN responses to this connection's own requests. Everything else the kernel drops unseen.
Linux; needs no privilege. Where the kernel refuses, the filter in Python stands alone.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
from collections.abc import Iterable

SO_ATTACH_FILTER = 26
MAX_STUN = 548
"Bytes of a STUN message (RFC 8489, 6.1: IPv4 where the path's MTU is not known); a browser's check has about 120."
MAX_ATTRIBUTES = 10
"Attributes of a STUN request among which USERNAME must be; browsers send it first."
MAGIC_COOKIE = 0x2112A442

_HEADER = 8
"The filter sees a datagram from its UDP header on."
_NETWORK = 0xFFF00000
"SKF_NET_OFF: from here on the IP header is seen."
_IP_SOURCE = {4: (12,), 6: (8, 12, 16, 20)}
_WORD, _HALF, _BYTE = 0x20, 0x28, 0x30
_AT_X = 0x20
"Added to a load: relative to the index register."
_LENGTH, _ADD, _ADD_X, _AND, _TO_INDEX, _SET_INDEX = 0x80, 0x04, 0x0C, 0x54, 0x07, 0x01
_EQUAL, _ABOVE, _JUMP, _RETURN = 0x15, 0x25, 0x05, 0x06
Instruction = tuple[int, int, int, int]
Address = tuple[str, int]
_DROP: Instruction = (_RETURN, 0, 0, 0)
_PASS: Instruction = (_RETURN, 0, 0, 0xFFFFFFFF)
NOTHING = [_DROP]
"The program that lets nothing through."


def program(user: bytes, tag: bytes, sources: Iterable[Address]) -> list[Instruction]:
    """(code, jump if true, jump if false, operand) each. user: the connection's own ICE user, 8 bytes; tag: the first
    4 of each of its transaction ids; sources: verified addresses."""
    stun = _stun(user, tag)
    code: list[Instruction] = [
        (_LENGTH, 0, 0, 0),
        (_ABOVE, 1, 0, _HEADER + 11),  # nothing that counts is shorter than an RTP header
        _DROP,
        (_BYTE, 0, 0, _HEADER),
        (_ABOVE, 0, 1, 3),  # STUN begins with 0..3 (RFC 7983)
        (_JUMP, 0, 0, len(stun)),
        *stun,
    ]
    for host, port in sources:
        code += _source(host, port)
    return [*code, _DROP]


def _stun(user: bytes, tag: bytes) -> list[Instruction]:
    code: list[Instruction] = [
        (_LENGTH, 0, 0, 0),
        (_ABOVE, 0, 1, _HEADER + MAX_STUN),
        _DROP,
        (_WORD, 0, 0, _HEADER + 4),
        (_EQUAL, 1, 0, MAGIC_COOKIE),
        _DROP,
        (_HALF, 0, 0, _HEADER),
        (_AND, 0, 0, 0x0110),  # the class: request 0, indication 0x10, response 0x100, error 0x110
        (_EQUAL, 0, 1, 0x0010),
        _DROP,
        (_EQUAL, 4, 0, 0),
        (_WORD, 0, 0, _HEADER + 8),
        (_EQUAL, 0, 1, int.from_bytes(tag, "big")),
        _PASS,
        _DROP,
        (_SET_INDEX, 0, 0, _HEADER + 20),
    ]
    first, second = struct.unpack("!II", user)
    name: list[Instruction] = [
        (_WORD + _AT_X, 0, 0, 4),
        (_EQUAL, 0, 5, first),
        (_WORD + _AT_X, 0, 0, 8),
        (_EQUAL, 0, 3, second),
        (_BYTE + _AT_X, 0, 0, 12),
        (_EQUAL, 0, 1, ord(":")),
        _PASS,
        _DROP,
    ]
    step: list[Instruction] = [
        (_HALF + _AT_X, 0, 0, 2),
        (_ADD, 0, 0, 3),
        (_AND, 0, 0, 0xFFFC),  # attributes are padded to 4 bytes
        (_ADD_X, 0, 0, 0),
        (_ADD, 0, 0, 4),
        (_TO_INDEX, 0, 0, 0),
    ]
    for _ in range(MAX_ATTRIBUTES):
        code += [(_HALF + _AT_X, 0, 0, 0), (_EQUAL, 0, len(name), 0x0006), *name, *step]
    return [*code, _DROP]


def _source(host: str, port: int) -> list[Instruction]:
    address = ipaddress.ip_address(host)
    words = struct.unpack(f"!{address.max_prefixlen // 32}I", address.packed)
    tests = [(_HALF, 0, port)]
    tests += [(_WORD, _NETWORK + at, word) for at, word in zip(_IP_SOURCE[address.version], words, strict=True)]
    code: list[Instruction] = []
    left = 2 * len(tests) - 1
    for load, at, value in tests:
        code += [(load, 0, 0, at), (_EQUAL, 0, left, value)]
        left -= 2
    return [*code, _PASS]


def attach(sock: socket.socket, code: list[Instruction]) -> bool:
    """Puts the program in place of the one before. Whether the kernel took it."""
    instructions = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    memory = ctypes.create_string_buffer(instructions, len(instructions))
    try:
        sock.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", len(code), ctypes.addressof(memory))
        )
    except OSError:
        return False
    return True
