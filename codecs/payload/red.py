"""RTP payload format for redundant audio data (RFC 2198): copies of earlier packets in front of the packet itself.

block header, 4 bytes:  1 | payload type (7) | timestamp offset (14) | block length (10)
last header, 1 byte:    0 | payload type (7)
blocks in the order of their headers; the last one, the packet itself, takes what is left
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MAX_BLOCKS = 9
"The packet itself and eight copies, 160 ms of 20 ms packets: more than anybody sends."
MAX_OFFSET = (1 << 14) - 1
"RTP clock units that a copy can be older than its packet: 341 ms at 48 kHz."
MAX_LENGTH = (1 << 10) - 1
"Bytes that a copy can have."


class RedBlock(NamedTuple):
    """offset: RTP clock units that the block is older than its packet; 0 for the packet itself."""

    payload_type: int
    offset: int
    data: bytes


def parse(payload: bytes) -> tuple[RedBlock, ...]:
    """The copies, as they come, and last the packet itself. Raises ValueError if malformed."""
    headers: list[tuple[int, int, int]] = []
    at = 0
    while True:
        if at >= len(payload):
            raise ValueError("RED payload ends in its headers")
        first = payload[at]
        if first < 0x80:
            break
        if len(headers) == MAX_BLOCKS - 1:
            raise ValueError(f"RED payload has more than {MAX_BLOCKS} blocks")
        word = int.from_bytes(payload[at : at + 4], "big")
        headers.append((first & 0x7F, word >> 10 & MAX_OFFSET, word & MAX_LENGTH))
        at += 4
    blocks = []
    end = at + 1
    for payload_type, offset, length in headers:
        begin, end = end, end + length
        blocks.append(RedBlock(payload_type, offset, payload[begin:end]))
    if end > len(payload):
        raise ValueError("RED blocks are longer than the payload")
    blocks.append(RedBlock(first, 0, payload[end:]))
    return tuple(blocks)


def build(payload_type: int, packet: bytes, copies: Sequence[tuple[int, bytes]]) -> bytes:
    """copies: (offset, data), oldest first. Raises ValueError for what the format has no room for."""
    if len(copies) >= MAX_BLOCKS:
        raise ValueError(f"a RED payload of more than {MAX_BLOCKS} blocks")
    parts = []
    for offset, data in copies:
        if not 0 < offset <= MAX_OFFSET or len(data) > MAX_LENGTH:
            raise ValueError(f"a copy of {len(data)} bytes, {offset} earlier, does not fit into RED")
        parts.append(((0x80 | payload_type) << 24 | offset << 10 | len(data)).to_bytes(4, "big"))
    parts.append(bytes((payload_type,)))
    parts += [data for _, data in copies]
    parts.append(packet)
    return b"".join(parts)
