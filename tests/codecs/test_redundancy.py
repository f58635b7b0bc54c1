"""Copies of packets: each lost one is given once, in its place, and nothing that does not fit."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.payload import red
from mixdown.codecs.redundancy import MEMORY, Piece, RedundantStream

OPUS = 111
TOC = 0x78
"Of a packet of one frame of 20 ms."
SPAN = 960


def packet(n: int) -> bytes:
    return bytes((TOC,)) + n.to_bytes(4, "big", signed=True)


def red_packet(n: int, *copies: int, offset: int = SPAN) -> bytes:
    return red.build(OPUS, packet(n), [(k * offset, packet(n - k)) for k in sorted(copies, reverse=True)])


def pieces(stream: RedundantStream, n: int, *copies: int) -> list[tuple[int, bool]]:
    got = stream.red(n, n * SPAN, red_packet(n, *copies))
    assert all(
        piece == Piece(piece.sequence, piece.sequence * SPAN, packet(piece.sequence), piece.copy) for piece in got
    )
    return [(piece.sequence, piece.copy) for piece in got]


def test_without_loss_copies_are_left_out():
    stream = RedundantStream(OPUS)
    for n in range(200):
        assert pieces(stream, n, 1) == [(n, False)]


def test_a_lost_packet_is_given_once_from_its_copy():
    stream = RedundantStream(OPUS)
    assert pieces(stream, 10) == [(10, False)]
    assert pieces(stream, 12, 1, 2) == [(12, False), (11, True)]
    assert pieces(stream, 13, 1, 2) == [(13, False)]
    assert stream.plain(11, 11 * SPAN, packet(11)) == [], "itself, after its copy"
    assert stream.plain(12, 12 * SPAN, packet(12)) == [], "twice"


def test_older_copies_than_one_are_put_in_their_places():
    stream = RedundantStream(OPUS)
    pieces(stream, 10)
    assert pieces(stream, 15, 1, 3, 4) == [(15, False), (11, True), (12, True), (14, True)]
    assert pieces(stream, 16, 1, 3) == [(16, False), (13, True)]


def test_a_copy_whose_age_does_not_fit_is_left_out():
    stream = RedundantStream(OPUS)
    pieces(stream, 10)
    got = stream.red(12, 12 * SPAN, red_packet(12, 1, offset=SPAN - 1))
    assert [piece.sequence for piece in got] == [12]


def test_after_a_pause_of_the_sender_a_copy_is_not_taken_for_another_packet():
    """DTX: 13 was sent right after 12, 200 ms later; its copy of 12 is ten packets older by the clock."""
    stream = RedundantStream(OPUS)
    for n in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12):
        stream.plain(n, n * SPAN, packet(n))
    got = stream.red(13, 22 * SPAN, red.build(OPUS, packet(13), [(10 * SPAN, packet(12))]))
    assert [piece.sequence for piece in got] == [13]


@pytest.mark.parametrize("other", [110, 0, 63])
def test_blocks_of_other_payload_types_are_left_out(other: int):
    stream = RedundantStream(OPUS)
    stream.plain(10, 10 * SPAN, packet(10))
    copy = red.build(OPUS, packet(12), [(SPAN, packet(11))])
    foreign = bytes((0x80 | other,)) + copy[1:]
    assert [p.sequence for p in stream.red(12, 12 * SPAN, foreign)] == [12]
    assert stream.red(13, 13 * SPAN, red.build(other, packet(13), [])) == []


def test_malformed_payloads_raise_and_change_nothing():
    stream = RedundantStream(OPUS)
    pieces(stream, 10)
    with pytest.raises(ValueError, match="RED"):
        stream.red(12, 12 * SPAN, red_packet(12, 1)[:7])
    assert pieces(stream, 12, 1) == [(12, False), (11, True)]


def test_garbage_for_opus_is_passed_on_and_places_no_copy():
    stream = RedundantStream(OPUS)
    pieces(stream, 10)
    got = stream.red(12, 12 * SPAN, red.build(OPUS, b"\xff\xff", [(SPAN, packet(11))]))
    assert [piece.sequence for piece in got] == [12]
    assert stream.red(13, 13 * SPAN, red.build(OPUS, b"", [(SPAN, packet(12))])) == []


@pytest.mark.parametrize("jump", [MEMORY, 5000, 40_000, -MEMORY, -5000])
def test_a_sequence_that_begins_anew_is_followed(jump: int):
    stream = RedundantStream(OPUS)
    for n in range(20):
        pieces(stream, n)
    begin = 20 + jump
    assert pieces(stream, begin) == [(begin, False)]
    assert pieces(stream, begin + 2, 1) == [(begin + 2, False), (begin + 1, True)]


@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3]), st.floats(0, 0.6))
def test_whatever_is_lost_and_overtaken_each_packet_is_given_once(seed: int, levels: int, share: float):
    dice = random.Random(seed)
    stream = RedundantStream(OPUS)
    stream.plain(0, 0, packet(0))
    came = [n for n in range(1, 300) if dice.random() >= share]
    order = sorted(came, key=lambda n: n + dice.choice((0, 0, 0, 2.5)))
    given_: list[int] = []
    for n in order:
        given_ += [number for number, _ in pieces(stream, n, *(k for k in range(1, levels + 1) if k <= n))]
    assert len(given_) == len(set(given_))
    expected = {n - k for n in came for k in range(levels + 1)} - {0}
    assert {n for n in given_ if n > 0} == {n for n in expected if n > 0}


def test_nothing_but_value_errors_for_random_bytes():
    dice = random.Random(3)
    stream = RedundantStream(OPUS)
    for n in range(5000):
        payload = bytes(dice.choice((0xEF, 0x6F, 0x0F, TOC, dice.randrange(256))) for _ in range(dice.randrange(40)))
        try:
            got = stream.red(n + dice.randrange(-3, 4), dice.randrange(1 << 40), payload)
        except ValueError:
            continue
        assert len(got) <= red.MAX_BLOCKS
