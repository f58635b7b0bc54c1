"""RTP payload format for VP8 (RFC 7741): the descriptor, and frames cut to pieces.

The descriptor is not part of the pieces: it holds per-peer numbers, the pieces are shared by all peers.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_DESCRIPTOR = 6
"Bytes of the longest descriptor that `descriptor` writes."


@dataclass(frozen=True, slots=True)
class Vp8Descriptor:
    """RFC 7741, 4.2. Fields that were absent are None.

    first: S bit with partition index 0, the first packet of a frame. picture_id: 7 or 15 bit.
    """

    first: bool
    partition: int
    non_reference: bool = False
    picture_id: int | None = None
    tl0picidx: int | None = None
    tid: int | None = None
    sync: bool = False
    key_index: int | None = None


def split(frame: bytes, max_size: int) -> list[memoryview]:
    """Cuts a frame into the fewest pieces of at most max_size bytes, all of one size but the last, which may be shorter
    (so that UDP segmentation offload can carry them). Views, no copies. max_size excludes the descriptor."""
    if max_size < 1:
        raise ValueError("max_size must be positive")
    count = -(-len(frame) // max_size)
    if not count:
        return []
    size = -(-len(frame) // count)
    view = memoryview(frame)
    return [view[at : at + size] for at in range(0, len(frame), size)]


def descriptor(
    first: bool,
    picture_id: int,
    tl0picidx: int | None = None,
    tid: int = 0,
    sync: bool = False,
    non_reference: bool = False,
) -> bytes:
    """The descriptor of one packet: always with a 15-bit picture id; with TL0PICIDX, TID and Y if tl0picidx is given.

    All packets of a frame have descriptors of one length. Counters are taken modulo their range.
    """
    head = 0x80 | (0x20 if non_reference else 0) | (0x10 if first else 0)
    high, low = 0x80 | ((picture_id >> 8) & 0x7F), picture_id & 0xFF
    if tl0picidx is None:
        return bytes((head, 0x80, high, low))
    return bytes((head, 0xE0, high, low, tl0picidx & 0xFF, (tid & 3) << 6 | (0x20 if sync else 0)))


def descriptors(picture_id: int, tl0picidx: int, tid: int = 0, sync: bool = False) -> tuple[bytes, bytes]:
    """Of a frame's first packet, and of those behind it: only the S bit is another (RFC 7741, 4.2)."""
    first = descriptor(True, picture_id, tl0picidx, tid, sync)
    return first, bytes((first[0] & ~0x10,)) + first[1:]


def parse(payload: bytes | memoryview) -> tuple[Vp8Descriptor, bytes]:
    """Descriptor and piece of a packet's payload. ValueError if it is truncated or has no data."""
    try:
        return _parse(payload)
    except IndexError:
        raise ValueError("VP8 descriptor is truncated") from None


def _parse(payload: bytes | memoryview) -> tuple[Vp8Descriptor, bytes]:
    head = payload[0]
    picture_id = tl0picidx = tid = key_index = None
    sync = False
    at = 1
    if head & 0x80:
        extension = payload[1]
        at = 2
        if extension & 0x80:
            picture_id = payload[at] & 0x7F
            if payload[at] & 0x80:
                at += 1
                picture_id = picture_id << 8 | payload[at]
            at += 1
        if extension & 0x40:
            tl0picidx = payload[at]
            at += 1
        if extension & 0x30:
            last = payload[at]
            at += 1
            if extension & 0x20:
                tid, sync = last >> 6, bool(last & 0x20)
            if extension & 0x10:
                key_index = last & 0x1F
    if at >= len(payload):
        raise ValueError("VP8 payload has no data")
    first = bool(head & 0x10) and not head & 0x07
    found = Vp8Descriptor(first, head & 0x07, bool(head & 0x20), picture_id, tl0picidx, tid, sync, key_index)
    return found, bytes(payload[at:])


def strip(payload: bytes) -> tuple[bool, bytes]:
    """(whether it is the first packet of a frame, its piece), as `parse` has them, for who needs no more. ValueError as
    there."""
    try:
        head, at = payload[0], 1
        if head & 0x80:
            extension, at = payload[1], 2
            if extension & 0x80:
                at += 2 if payload[2] & 0x80 else 1
            at += bool(extension & 0x40) + bool(extension & 0x30)
    except IndexError:
        raise ValueError("VP8 descriptor is truncated") from None
    if at >= len(payload):
        raise ValueError("VP8 payload has no data")
    return head & 0x17 == 0x10, payload[at:]


def is_key(frame: bytes | memoryview) -> bool:
    """Whether a VP8 frame (or its first piece, descriptor removed) is a key frame (RFC 6386, 9.1)."""
    return len(frame) > 0 and not frame[0] & 1
