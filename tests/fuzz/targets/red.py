"""Redundant sound (RFC 2198): the format, and where in the stream the copies belong.

First byte: 0 for a lone payload. Else a stream: packets, each with kind, sequence step, time step and payload.
"""

from __future__ import annotations

from fuzz.reader import Reader

from mixdown.codecs.payload import red
from mixdown.codecs.redundancy import RedundantStream

OPUS = 111


def run(data: bytes) -> None:
    reader = Reader(data)
    if reader.number(1) == 0:
        _payload(reader.take(reader.left))
    else:
        _stream(reader)


def _payload(payload: bytes) -> None:
    try:
        blocks = red.parse(payload)
    except ValueError:
        return
    assert 1 <= len(blocks) <= red.MAX_BLOCKS and blocks[-1].offset == 0
    assert sum(len(block.data) for block in blocks) + 4 * (len(blocks) - 1) + 1 == len(payload)
    copies = [(block.offset, block.data) for block in blocks[:-1]]
    same = all(block.payload_type == blocks[-1].payload_type and block.offset for block in blocks[:-1])
    if same:
        assert red.build(blocks[-1].payload_type, blocks[-1].data, copies) == payload


def _stream(reader: Reader) -> None:
    stream, sequence, time = RedundantStream(OPUS), 1000, 0
    newest = sequence
    while reader.left:
        kind = reader.number(1)
        sequence += 1 if kind & 1 else reader.signed(2)
        time += 960 if kind & 2 else reader.signed(4)
        payload = reader.sized()[:1500]
        try:
            pieces = stream.plain(sequence, time, payload) if kind & 4 else stream.red(sequence, time, payload)
        except ValueError:
            continue
        newest = max(newest, sequence)
        assert len(pieces) <= red.MAX_BLOCKS
        assert len({piece.sequence for piece in pieces}) == len(pieces), "one packet twice"
        assert all(piece.sequence < sequence for piece in pieces if piece.copy)
        assert sum(len(piece.data) for piece in pieces) <= len(payload)
