"""The kernel's filter on a real socket: what strangers send does not arrive, what a peer sends does."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import pytest
from aioice import stun
from support import hostile

from mixdown.mcu.edge.source_filter import MAX_ATTRIBUTES, MAX_STUN, attach, program

USER, TAG = b"abcdWXYZ", b"tag!"
SRTP = b"\x80\x60" + bytes(100)


@pytest.fixture(params=["127.0.0.1", "::1"])
def sockets(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    """(filtered, its peer, a stranger)"""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    made = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(3)]
    try:
        for one in made:
            one.bind((request.param, 0))
    except OSError:
        pytest.skip("no IPv6 here")
    made[0].setblocking(False)
    yield made[0], made[1], made[2]
    for one in made:
        one.close()


def request(user: str, *before: tuple[str, object]) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    for name, value in before:
        message.attributes[name] = value
    message.attributes["USERNAME"] = user
    message.attributes["PRIORITY"] = 1
    message.add_message_integrity(b"k" * 22)
    return bytes(message)


def response(transaction: bytes, kind: stun.Class = stun.Class.RESPONSE) -> bytes:
    return bytes(stun.Message(stun.Method.BINDING, kind, transaction))


def arrived(filtered: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(filtered.recv(2048))
        except BlockingIOError:
            return found


def test_media_comes_from_verified_addresses_only(sockets) -> None:
    filtered, peer, stranger = sockets
    others = [("192.0.2.7", 7), ("2001:db8::7", 7)] * 10
    assert attach(filtered, program(USER, TAG, [*others, peer.getsockname()[:2], *others]))
    for sender in (stranger, peer):
        for datagram in (SRTP, b"\x16" * 60, b"\x80\xc8" + bytes(30)):
            sender.sendto(datagram, filtered.getsockname())
    assert arrived(filtered) == [SRTP, b"\x16" * 60, b"\x80\xc8" + bytes(30)]


def test_a_stranger_gets_nothing_through(sockets) -> None:
    filtered, peer, stranger = sockets
    assert attach(filtered, program(USER, TAG, [peer.getsockname()[:2]]))
    junk = [
        *hostile.datagrams(),
        request("someOnes:else"),
        request("abcdWXYz:peer"),
        response(os.urandom(12)),
        response(os.urandom(12), stun.Class.ERROR),
        struct.pack("!HHI12s", 1, MAX_STUN, 0x2112A442, os.urandom(12)) + bytes(MAX_STUN),
        struct.pack("!HHI12s", 1, 8, 0x2112A442, os.urandom(12)) + struct.pack("!HHHH", 6, 60000, 6, 65535),
        struct.pack("!HHI12s", 1, 400, 0x2112A442, os.urandom(12)) + b"\x80\x22\x00\x00" * 100,
    ]
    for datagram in junk:
        stranger.sendto(datagram, filtered.getsockname())
    assert arrived(filtered) == []


def test_checks_for_this_user_and_answers_to_its_own_come_from_anywhere(sockets) -> None:
    filtered, _, stranger = sockets
    assert attach(filtered, program(USER, TAG, []))
    good = [
        request("abcdWXYZ:peer"),
        request("abcdWXYZ:peer", ("PRIORITY", 5), ("ICE-CONTROLLING", 77), ("SOFTWARE", "a browser")),
        response(TAG + os.urandom(8)),
        response(TAG + os.urandom(8), stun.Class.ERROR),
    ]
    for datagram in good:
        stranger.sendto(datagram, filtered.getsockname())
    assert arrived(filtered) == good


def test_attributes_of_any_length_are_stepped_over(sockets) -> None:
    filtered, _, stranger = sockets
    assert attach(filtered, program(USER, TAG, []))
    for count in (1, 2, 3, MAX_ATTRIBUTES - 1, MAX_ATTRIBUTES):
        odd = b"".join(struct.pack("!HH", 0x8022, n) + bytes(n + -n % 4) for n in range(count))
        body = odd + struct.pack("!HH", 6, 13) + b"abcdWXYZ:peer" + bytes(3)
        stranger.sendto(struct.pack("!HHI12s", 1, len(body), 0x2112A442, bytes(12)) + body, filtered.getsockname())
    assert len(arrived(filtered)) == 4


def test_the_newest_program_holds(sockets) -> None:
    filtered, peer, stranger = sockets
    assert attach(filtered, program(USER, TAG, [peer.getsockname()[:2]]))
    assert attach(filtered, program(USER, TAG, [stranger.getsockname()[:2]]))
    peer.sendto(SRTP, filtered.getsockname())
    stranger.sendto(SRTP + b"2", filtered.getsockname())
    assert arrived(filtered) == [SRTP + b"2"]
