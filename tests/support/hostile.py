"""Datagrams from a stranger to a call's media port."""

from __future__ import annotations

import os
import re
import socket

MAGIC_COOKIE = bytes.fromhex("2112a442")


def media_addresses(answer_sdp: str) -> list[tuple[str, int]]:
    """Addresses of the server's UDP host candidates, IPv4."""
    found = re.findall(r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host", answer_sdp, re.MULTILINE | re.IGNORECASE)
    return [(host, int(port)) for host, port in found]


def datagrams() -> list[bytes]:
    """Empty; DTLS alert and handshake junk; RTP, a wrong header extension among it; RTCP; STUN; noise."""
    alert = bytes.fromhex("15fefd0000000000000000000202 28".replace(" ", ""))
    handshake = bytes.fromhex("16fefd000000000000000100200100") + os.urandom(30)
    rtp = bytes([0x80, 96]) + os.urandom(1200)
    extension = bytes([0x90, 96]) + os.urandom(10) + bytes.fromhex("bede00ff") + os.urandom(8)
    remb = bytes.fromhex("8fce0005") + os.urandom(8) + b"REMB" + bytes([255, 0, 0, 0])
    binding = bytes.fromhex("00010000") + MAGIC_COOKIE + os.urandom(12)
    indication = bytes.fromhex("00110008") + MAGIC_COOKIE + os.urandom(20)
    channel = bytes.fromhex("40000004") + os.urandom(4)
    return [b"", alert, handshake, rtp, extension, remb, binding, indication, channel, os.urandom(1400), b"\x00"]


def throw(addresses: list[tuple[str, int]], rounds: int) -> int:
    """From a socket that passed no ICE check. How many were sent."""
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(rounds):
            for address in addresses:
                for datagram in datagrams():
                    stranger.sendto(datagram, address)
                    sent += 1
    return sent
