"""Where a frame is made ready for one peer after another: its packets side by side, each with room for SRTP's trailer.

Payloads are copied in at once, headers written before them (`frame_packets.py`), each packet is encrypted where it lies
(`srtp.py`) and the whole sent by one system call (`udp.py`): no packet becomes an object of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pylibsrtp._binding import ffi

from mixdown.mcu.edge.srtp import MAX_PACKET, TRAILER
from mixdown.mcu.edge.udp import Run, runs

CAPACITY = 32_768
"Bytes: over the longest frame that leaves at once."


class Layout(NamedTuple):
    """The places of a frame's packets, the same for all peers whose headers and trailers have one length.

    slots: of each packet, where it begins, a pointer to that, and how long it is before it is encrypted; runs: what one
    system call carries; size: bytes of all packets, encrypted."""

    buffer: memoryview
    image: bytes
    slots: list[tuple[int, Any, int]]
    runs: list[Run]
    size: int


class FrameBuffer:
    """One for all peers of an edge: what is in it leaves before the next peer's turn."""

    def __init__(self) -> None:
        self._data = ffi.new("char[]", CAPACITY)
        self._buffer = memoryview(ffi.buffer(self._data)).cast("B")
        self._payloads: Sequence[bytes | memoryview] = ()
        self._layouts: dict[tuple[int, int], Layout | None] = {}

    def filled(self, payloads: Sequence[bytes | memoryview], head: int, trailer: int) -> Layout | None:
        """The payloads laid out, each with so many bytes before and behind it; None if they are too long."""
        if payloads is not self._payloads:
            self._payloads, self._layouts = payloads, {}
        try:
            layout = self._layouts[head, trailer]
        except KeyError:
            layout = self._layouts[head, trailer] = self._lay_out(payloads, head, trailer)
        if layout is not None:
            self._buffer[: layout.size] = layout.image
        return layout

    def _lay_out(self, payloads: Sequence[bytes | memoryview], head: int, trailer: int) -> Layout | None:
        sizes = [head + len(payload) for payload in payloads]
        total = sum(sizes) + trailer * len(sizes)
        if total > CAPACITY or max(sizes, default=0) > MAX_PACKET - TRAILER:
            return None
        before, behind = bytes(head), bytes(trailer)
        image = b"".join(part for payload in payloads for part in (before, payload, behind))
        slots: list[tuple[int, Any, int]] = []
        packets: list[memoryview] = []
        at = 0
        for size in sizes:
            slots.append((at, self._data + at, size))
            packets.append(self._buffer[at : at + size + trailer])
            at += size + trailer
        return Layout(self._buffer, image, slots, runs(self._buffer, packets), total)
