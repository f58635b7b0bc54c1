"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): bytes only.

A packet that carries the header extension with a running number is reported by the browser with its time of arrival,
some 10 to 20 times a second. Only some packets of a picture carry it (see `sender.py`), so this costs little.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

URI_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
RTPFB, FORMAT = 205, 15
REFERENCE_UNIT = 0.064
DELTA_UNIT = 0.00025
MAX_STATUSES = 2048
"Numbers that one report may cover: ours run at some 100 a second, so a browser's cover about ten."
_HEAD = struct.Struct("!IIHHI")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """times[i]: when number base + i arrived, seconds on the receiver's clock; None: not yet, or lost."""

    base: int
    times: tuple[float | None, ...]


def take_out(compound: bytes) -> tuple[list[bytes], bytes]:
    """(the bodies of the feedback packets of an RTCP compound, what else is in it). Never raises: what makes no sense
    is left in, for the parser of the rest to refuse."""
    found: list[bytes] = []
    rest = b""
    at = 0
    while at + 4 <= len(compound):
        end = at + 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
        if compound[at + 1] == RTPFB and compound[at] & 0x1F == FORMAT and end <= len(compound):
            found.append(compound[at + 4 : end])
        else:
            rest += compound[at:end]
        at = end
    return found, rest + compound[at:]


def parse_arrivals(body: bytes) -> Arrivals:
    """body: after the RTCP header. Raises ValueError."""
    if len(body) < _HEAD.size:
        raise ValueError("transport feedback is truncated")
    _, _, base, count, reference = _HEAD.unpack_from(body)
    if not 0 < count <= MAX_STATUSES:
        raise ValueError("transport feedback covers no packet, or too many")
    symbols, at = _symbols(body, count)
    seconds = _signed24(reference >> 8) * REFERENCE_UNIT
    times: list[float | None] = []
    for symbol in symbols:
        if symbol in (0, 3):
            times.append(None)
            continue
        size = symbol
        if at + size > len(body):
            raise ValueError("transport feedback ends within its times")
        seconds += int.from_bytes(body[at : at + size], "big", signed=size == 2) * DELTA_UNIT
        at += size
        times.append(seconds)
    return Arrivals(base, tuple(times))


def _symbols(body: bytes, count: int) -> tuple[list[int], int]:
    """Status of each packet (0 missing, 1 and 2: bytes of its time) and where the times begin."""
    symbols: list[int] = []
    at = _HEAD.size
    while len(symbols) < count:
        if at + 2 > len(body):
            raise ValueError("transport feedback ends within its chunks")
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13 & 3] * min(chunk & 0x1FFF, count - len(symbols))
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
        if not chunk & 0x9FFF:
            raise ValueError("transport feedback has an empty run")
    return symbols[:count], at


def _signed24(value: int) -> int:
    return value - (1 << 24) if value & 0x800000 else value
