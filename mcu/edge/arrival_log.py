"""When a peer's packets came, told back to it: its own congestion control then finds its uplink's rate by itself.

draft-holmer-rmcat-transport-wide-cc-extensions-01. Without these reports a browser feels its way up by 8 % a second
after any loss; with them it measures.
"""

from __future__ import annotations

import struct

from mixdown.codecs.unwrap import Unwrapper
from mixdown.mcu.edge.transport_cc import DELTA_UNIT, FORMAT, REFERENCE_UNIT, RTPFB

REPORT_EVERY = 0.1
MAX_PENDING = 512
"Arrivals kept for a report; a flood's others are not told."
MAX_SPAN = 1024
"Numbers that one report covers; behind a larger gap it begins anew."
SYMBOLS = 7
_HEAD = struct.Struct("!BBHIIHHI")


class ArrivalLog:
    """Of one peer. now: seconds on any clock that does not jump."""

    def __init__(self) -> None:
        self._pending: dict[int, float] = {}
        self._numbers = Unwrapper(16)
        self._next: int | None = None
        self._reports = 0
        self._due = 0.0

    def packet(self, number: int, now: float) -> None:
        """number: 16 bit, as the packet carries it. Told twice, the first arrival counts."""
        extended = self._numbers.unwrap(number)
        if len(self._pending) < MAX_PENDING and (self._next is None or extended >= self._next):
            self._pending.setdefault(extended, now)

    def report(self, ssrc: int, media_ssrc: int, now: float) -> bytes:
        """An RTCP packet about what came since the last, empty if that is nothing or was told just now."""
        if not self._pending or now < self._due:
            return b""
        self._due = now + REPORT_EVERY
        pending, self._pending = self._pending, {}
        last = max(pending)
        first = min(pending) if self._next is None else min(self._next, *pending)
        if last - first >= MAX_SPAN:
            first = last - MAX_SPAN + 1
        self._next = last + 1
        packet = self._packet(first, [pending.get(number) for number in range(first, last + 1)], ssrc, media_ssrc)
        self._reports = (self._reports + 1) & 0xFF
        return packet

    def _packet(self, first: int, times: list[float | None], ssrc: int, media_ssrc: int) -> bytes:
        earliest = next(time for time in times if time is not None)
        reference = int(earliest / REFERENCE_UNIT)
        before = round(reference * REFERENCE_UNIT / DELTA_UNIT)
        symbols, deltas = [], b""
        for time in times:
            if time is None:
                symbols.append(0)
                continue
            delta = round(time / DELTA_UNIT) - before
            before += delta
            small = 0 <= delta <= 255
            symbols.append(1 if small else 2)
            clamped = max(-32768, min(32767, delta))
            deltas += bytes((delta,)) if small else clamped.to_bytes(2, "big", signed=True)
        body = _chunks(symbols) + deltas
        padding = -len(body) % 4
        head = _HEAD.pack(
            0xA0 | FORMAT if padding else 0x80 | FORMAT,
            RTPFB,
            (_HEAD.size + len(body) + padding) // 4 - 1,
            ssrc,
            media_ssrc,
            first & 0xFFFF,
            len(times),
            (reference & 0xFFFFFF) << 8 | self._reports,
        )
        return head + body + (bytes(padding - 1) + bytes((padding,)) if padding else b"")


def _chunks(symbols: list[int]) -> bytes:
    """Runs where one symbol comes seven times or more, vectors of seven two-bit symbols else."""
    chunks = bytearray()
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at]:
            run += 1
        if run >= SYMBOLS or at + run == len(symbols):
            chunk = symbols[at] << 13 | run
            at += run
        else:
            chunk = 0xC000
            for n, symbol in enumerate(symbols[at : at + SYMBOLS]):
                chunk |= symbol << 12 - 2 * n
            at += SYMBOLS
        chunks += chunk.to_bytes(2, "big")
    return bytes(chunks)
