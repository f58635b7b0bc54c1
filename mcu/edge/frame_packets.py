"""The packets of one frame to one peer: numbers and headers of its own, payloads that are shared by all peers.

They become bytes where they are needed: in the frame buffer when they leave together, on their own when they are paced,
and once more, byte for byte, when one is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from mixdown.mcu.edge.frame_buffer import Layout
from mixdown.mcu.edge.rtp import FIXED_BYTES, HeaderTemplate, packing

MARK_EVERY = 3
"""A picture's first packet, its last and every third in between carry a number whose arrival the peer reports: enough
to see a queue grow within a frame, at a third of the price of all."""
MARKER = 0x80


class FramePackets(Sequence[bytes]):
    """sequence: of the first. extensions: their block, without a mark.
    prefixes: what the first payload and the others have in front. mark: number of the first marked packet; None: none
    is. given_up: not to be repaired any more; repaired: index -> when."""

    __slots__ = (
        "extensions",
        "given_up",
        "mark",
        "marker",
        "payload_type",
        "payloads",
        "prefixes",
        "repaired",
        "sequence",
        "template",
        "timestamp",
    )

    def __init__(
        self,
        template: HeaderTemplate,
        payload_type: int,
        sequence: int,
        timestamp: int,
        extensions: bytes,
        prefixes: tuple[bytes, bytes],
        payloads: Sequence[bytes | memoryview],
        mark: int | None,
        marker: bool,
    ) -> None:
        self.template = template
        self.payload_type = payload_type
        self.sequence = sequence
        self.timestamp = timestamp
        self.extensions = extensions
        self.prefixes = prefixes
        self.payloads = payloads
        self.mark = mark
        self.marker = marker
        self.given_up = False
        self.repaired: dict[int, float] | None = None

    @property
    def head(self) -> int:
        """Bytes before each payload."""
        return FIXED_BYTES + len(self.extensions) + len(self.prefixes[0])

    @property
    def marks(self) -> list[tuple[int, int]]:
        """(index, number) of the marked packets."""
        if self.mark is None or not self.payloads:
            return []
        last = len(self.payloads) - 1
        indexes = range(0, last + 1, MARK_EVERY)
        marks = [(index, (self.mark + number) & 0xFFFF) for number, index in enumerate(indexes)]
        if last % MARK_EVERY:
            marks.append((last, (self.mark + len(indexes)) & 0xFFFF))
        return marks

    def write(self, layout: Layout, marks: Sequence[tuple[int, int]]) -> None:
        """Its headers into a frame buffer that has its payloads. marks: as above."""
        buffer, slots, template = layout.buffer, layout.slots, self.template
        same = template.fixed(self.timestamp) + self.extensions
        rest, further = same + self.prefixes[0], same + self.prefixes[1]
        pack_into = packing(len(rest)).pack_into
        first, payload_type, sequence = template.first, self.payload_type, self.sequence
        at = 0
        for at, _, _ in slots:
            pack_into(buffer, at, first, payload_type, sequence, rest)
            sequence = (sequence + 1) & 0xFFFF
            rest = further
        if self.marker:
            buffer[at + 1] = payload_type | MARKER
        for index, mark in marks:
            template.write_mark(buffer, slots[index][0], mark)

    def __len__(self) -> int:
        return len(self.payloads)

    def __iter__(self) -> Iterator[bytes]:
        return map(self.packet, range(len(self.payloads)))

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        chosen = range(len(self.payloads))[index]
        return self.packet(chosen) if isinstance(chosen, int) else [self.packet(one) for one in chosen]

    def packet(self, index: int) -> bytes:
        """One of them, not yet encrypted."""
        last = index == len(self.payloads) - 1
        sequence = (self.sequence + index) & 0xFFFF
        header = self.template.header(self.payload_type, sequence, self.timestamp, marker=self.marker and last)
        extensions = self.extensions
        if self.mark is not None and (last or not index % MARK_EVERY):
            extensions = self.template.marked(extensions, (self.mark - (-index // MARK_EVERY)) & 0xFFFF)
        return b"".join((header, extensions, self.prefix(index), self.payloads[index]))

    def prefix(self, index: int) -> bytes:
        return self.prefixes[1 if index else 0]

    def repeated(self, index: int, template: HeaderTemplate, rtx: int, sequence: int, extensions: bytes) -> bytes:
        """One of them once more, on the repair stream (RFC 4588) and in its numbers."""
        marker = self.marker and index == len(self.payloads) - 1
        header = template.header(rtx, sequence, self.timestamp, marker=marker)
        original = ((self.sequence + index) & 0xFFFF).to_bytes(2, "big")
        return b"".join((header, extensions, original, self.prefix(index), self.payloads[index]))

    def repair(self, index: int, now: float) -> None:
        """Says when that packet was repaired last."""
        if self.repaired is None:
            self.repaired = {}
        self.repaired[index] = now

    def repaired_at(self, index: int) -> float:
        return self.repaired.get(index, 0.0) if self.repaired is not None else 0.0
