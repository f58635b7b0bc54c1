"""What the emulator reads from an IP packet."""

from __future__ import annotations

from support.network.conditions import Match

UDP = 17


def destination(packet: bytes) -> bytes:
    """The IPv4 address, 4 bytes; empty for what is not IPv4."""
    return packet[16:20] if packet and packet[0] >> 4 == 4 else b""


def source(packet: bytes) -> bytes:
    return packet[12:16]


def matches(packet: bytes, match: Match) -> bool:
    if match is Match.ALL:
        return True
    if packet[9] != UDP:
        return False
    if match is Match.UDP:
        return True
    payload = (packet[0] & 15) * 4 + 8
    return len(packet) > payload and 128 <= packet[payload] <= 191
