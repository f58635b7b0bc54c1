"""RFC 2198: the bytes of its figure, what goes in comes out, and what nobody should send is a ValueError."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.payload import red
from mixdown.codecs.payload.red import RedBlock

COPIES = st.lists(
    st.tuples(st.integers(1, red.MAX_OFFSET), st.binary(max_size=red.MAX_LENGTH)), max_size=red.MAX_BLOCKS - 1
)


def test_headers_are_laid_out_as_in_the_rfc():
    payload = red.build(111, b"new", [(1920, b"older"), (960, b"old")])
    assert payload[:9].hex() == "ef" + f"{1920 << 10 | 5:06x}" + "ef" + f"{960 << 10 | 3:06x}" + "6f"
    assert payload[9:] == b"olderoldnew"


def test_a_browsers_packet_is_understood():
    """63: one copy, 20 ms older, and the packet; and one that has no copy yet."""
    payload = bytes.fromhex("ef0f0003") + b"\x6f" + b"abc" + b"defg"
    assert red.parse(payload) == (RedBlock(111, 960, b"abc"), RedBlock(111, 0, b"defg"))
    assert red.parse(b"\x6fdefg") == (RedBlock(111, 0, b"defg"),)


@given(st.integers(0, 127), st.binary(max_size=300), COPIES)
def test_what_is_built_is_parsed(payload_type: int, packet: bytes, copies: list[tuple[int, bytes]]):
    *parsed, last = red.parse(red.build(payload_type, packet, copies))
    assert last == RedBlock(payload_type, 0, packet)
    assert parsed == [RedBlock(payload_type, offset, data) for offset, data in copies]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes.fromhex("ef"),
        bytes.fromhex("ef0f00"),
        bytes.fromhex("ef0f0003"),
        bytes.fromhex("ef0f00036f") + b"ab",
        bytes.fromhex("ef0f0000") * red.MAX_BLOCKS + b"\x6f" + b"x",
        b"\xff" * 1200,
    ],
)
def test_what_does_not_add_up_is_refused(payload: bytes):
    with pytest.raises(ValueError, match="RED"):
        red.parse(payload)


def test_what_there_is_no_room_for_is_not_built():
    for copies in ([(red.MAX_OFFSET + 1, b"")], [(0, b"")], [(960, bytes(1024))], [(960, b"")] * red.MAX_BLOCKS):
        with pytest.raises(ValueError):
            red.build(111, b"packet", copies)


def test_mutants_end_in_blocks_of_the_payload_or_in_a_value_error():
    dice = random.Random(5)
    whole = red.build(111, bytes(range(60)), [(1920, bytes(50)), (960, bytes(40))])
    refused = 0
    for _ in range(5000):
        mutant = bytearray(whole)
        for _ in range(dice.randrange(1, 4)):
            mutant[dice.randrange(min(12, len(mutant)))] = dice.randrange(256)
        cut = bytes(mutant[: dice.randrange(len(mutant) + 1)])
        try:
            blocks = red.parse(cut)
        except ValueError:
            refused += 1
            continue
        assert 1 <= len(blocks) <= red.MAX_BLOCKS
        assert sum(len(block.data) for block in blocks) + 4 * len(blocks) - 3 == len(cut)
    assert 1000 < refused < 5000
