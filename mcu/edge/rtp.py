"""RTP packets as the packet path needs them: headers read and written without an object per packet (RFC 3550, 5.1)."""

from __future__ import annotations

import struct
from functools import cache
from typing import NamedTuple

_FIXED = struct.Struct("!BBHII")
_REST = struct.Struct("!II")
_EXTENSION = struct.Struct("!HH")
FIXED_BYTES = _FIXED.size
ONE_BYTE = 0xBEDE
"Profile of one-byte header extensions (RFC 8285, 4.2); two-byte ones are 0x100x."


@cache
def packing(size: int) -> struct.Struct:
    """A packet's first four bytes and so many that follow: few lengths are in use."""
    return struct.Struct(f"!BBH{size}s")


class RtpHeader(NamedTuple):
    """payload excludes padding; extensions: id -> data, empty unless they were asked for."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    extensions: dict[int, bytes]


def parse_rtp(data: bytes, *, with_extensions: bool, only: int | None = None) -> RtpHeader:
    """Raises ValueError for what is not RTP; header extensions of a wrong length are left out. only: the id of the one
    extension that is looked for, if not all are asked for; cheaper."""
    if len(data) < 12:
        raise ValueError("RTP packet is shorter than 12 bytes")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        raise ValueError("RTP version is not 2")
    at = 12 + 4 * (first & 0x0F)
    end = len(data)
    extensions: dict[int, bytes] = {}
    if first & 0x10:
        if end < at + 4:
            raise ValueError("RTP header extension is truncated")
        profile, words = _EXTENSION.unpack_from(data, at)
        block, at = at + 4, at + 4 + 4 * words
        if with_extensions or (only is not None and profile != ONE_BYTE):
            extensions = _parse_extensions(profile, data[block:at])
        elif only is not None and (found := _find(data, block, min(at, end), only)) is not None:
            extensions[only] = found
    if first & 0x20:
        padding = data[-1]
        if not padding or at + padding > end:
            raise ValueError("RTP padding is longer than the packet")
        end -= padding
    if at > end:
        raise ValueError("RTP header is longer than the packet")
    return RtpHeader(second >= 128, second & 0x7F, sequence, timestamp, ssrc, data[at:end], extensions)


def _find(data: bytes, at: int, end: int, wanted: int) -> bytes | None:
    """The element of that id in a block of one-byte extensions, found without a copy of the others."""
    while at < end:
        head = data[at]
        if head >> 4 == wanted:
            length = at + 2 + (head & 0x0F)
            return data[at + 1 : length] if length <= end and 0 < wanted < 15 else None
        if not head:
            at += 1
        elif head < 0x10 or head >= 0xF0:
            return None
        else:
            at += 2 + (head & 0x0F)
    return None


def _parse_extensions(profile: int, block: bytes) -> dict[int, bytes]:
    """Elements until the block ends or one does not fit."""
    found: dict[int, bytes] = {}
    at = 0
    two_bytes = profile >> 4 == 0x100
    if not two_bytes and profile != ONE_BYTE:
        return found
    while at < len(block):
        if block[at] == 0:
            at += 1
            continue
        if two_bytes:
            if at + 2 > len(block):
                break
            id_, length, at = block[at], block[at + 1], at + 2
        else:
            id_, length, at = block[at] >> 4, (block[at] & 0x0F) + 1, at + 1
            if id_ in (0, 15):  # padding has no length, 15 is reserved: RFC 8285, 4.2 has the rest left alone
                break
        if at + length > len(block):
            break
        found[id_] = block[at : at + length]
        at += length
    return found


class HeaderTemplate:
    """What is the same in all packets of one stream to one peer: SSRC, MID, and the place of what changes.

    mid, send_time, level, mark: header extension ids, None where not negotiated. The mark (a transport-wide sequence
    number) has its room in every packet, because packets of one size can leave in one system call.
    """

    def __init__(
        self,
        ssrc: int,
        mid: str,
        *,
        mid_id: int | None,
        send_time_id: int | None,
        level_id: int | None,
        mark_id: int | None = None,
    ) -> None:
        self._ssrc = ssrc
        encoded = mid.encode("ascii")
        prefix = bytes(((mid_id << 4) | (len(encoded) - 1),)) + encoded if mid_id is not None else b""
        changing = 4 if send_time_id is not None else 2 if level_id is not None else 0
        room = 3 if mark_id is not None else 0
        words = -(-(len(prefix) + changing + room) // 4)
        self._padding = b"\0" * (4 * words - len(prefix) - changing)
        self._has_extensions = words > 0
        self._prefix = _EXTENSION.pack(ONE_BYTE, words) + prefix if words else b""
        self._send_time = bytes(((send_time_id << 4) | 2,)) if send_time_id is not None else b""
        self._level = bytes((level_id << 4,)) if level_id is not None and send_time_id is None else b""
        self.first = 0x90 if words else 0x80
        self._mark = bytes(((mark_id << 4) | 1,)) if mark_id is not None else b""
        self._mark_at = len(self._prefix) + changing
        self._mark_from = _FIXED.size + self._mark_at

    def extensions(self, now: float, level: int | None) -> bytes:
        """The extension block of one frame. now: seconds, for abs-send-time (24 bit, 6.18); level: RFC 6464 0..127."""
        if self._send_time:
            stamp = int(now * (1 << 18)) & 0xFFFFFF
            return self._prefix + self._send_time + stamp.to_bytes(3, "big") + self._padding
        if self._level:
            value = 127 if level is None else level
            return self._prefix + self._level + bytes(((0x80 if value < 60 else 0) | value,)) + self._padding
        return self._prefix + self._padding

    def marked(self, block: bytes, mark: int) -> bytes:
        """An extension block with its mark. mark: 16 bit; the template was made with a mark_id."""
        at = self._mark_at
        return block[:at] + self._mark + mark.to_bytes(2, "big") + block[at + 3 :]

    def write_mark(self, buffer: memoryview, at: int, mark: int) -> None:
        """The mark of the packet that begins there."""
        at += self._mark_from
        buffer[at : at + 3] = self._mark + mark.to_bytes(2, "big")

    def header(self, payload_type: int, sequence: int, timestamp: int, *, marker: bool) -> bytes:
        """The twelve fixed bytes; the extension block follows them."""
        second = payload_type | 0x80 if marker else payload_type
        return _FIXED.pack(self.first, second, sequence, timestamp, self._ssrc)

    def fixed(self, timestamp: int) -> bytes:
        """The last eight of these bytes, which are the same in all packets of a frame."""
        return _REST.pack(timestamp, self._ssrc)
