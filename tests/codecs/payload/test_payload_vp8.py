from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.payload.vp8 import MAX_DESCRIPTOR, descriptor, is_key, parse, split, strip


@given(st.binary(min_size=1, max_size=5000), st.integers(1, 1300))
def test_split_gives_equal_pieces_that_join_again(frame: bytes, max_size: int) -> None:
    pieces = split(frame, max_size)
    assert b"".join(pieces) == frame
    assert len(pieces) == -(-len(frame) // max_size)
    assert {len(piece) for piece in pieces[:-1]} <= {len(pieces[0])}
    assert 0 < len(pieces[-1]) <= len(pieces[0]) <= max_size


def test_split_copies_nothing_and_cuts_nothing_from_nothing() -> None:
    frame = bytes(3000)
    assert [len(piece) for piece in split(frame, 1200)] == [1000, 1000, 1000]
    assert all(piece.obj is frame for piece in split(frame, 1200))
    assert split(b"", 1200) == []
    with pytest.raises(ValueError, match="positive"):
        split(frame, 0)


@given(
    st.booleans(),
    st.integers(0, 0x7FFF),
    st.none() | st.integers(0, 255),
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
    st.binary(min_size=1, max_size=20),
)
def test_descriptor_is_parsed_as_written(first, picture_id, tl0picidx, tid, sync, non_reference, data) -> None:
    head = descriptor(first, picture_id, tl0picidx, tid, sync, non_reference)
    assert len(head) <= MAX_DESCRIPTOR
    found, rest = parse(head + data)
    assert rest == data
    assert (found.first, found.picture_id, found.non_reference) == (first, picture_id, non_reference)
    if tl0picidx is None:
        assert (found.tl0picidx, found.tid, found.sync) == (None, None, False)
    else:
        assert (found.tl0picidx, found.tid, found.sync) == (tl0picidx, tid, sync)


def test_reads_the_descriptors_of_others() -> None:
    """RFC 7741, 4.6: the examples, and the short picture id of older senders."""
    assert parse(b"\x10\xaa")[0].picture_id is None
    assert parse(b"\x90\x80\x11\xaa")[0].picture_id == 0x11
    assert parse(b"\x90\x80\x92\x34\xaa")[0].picture_id == 0x1234
    assert parse(b"\x90\x10\x05\xaa")[0].key_index == 5
    assert not parse(b"\x01\xaa")[0].first
    assert parse(b"\x11\xaa")[0].partition == 1
    assert not parse(b"\x11\xaa")[0].first


@pytest.mark.parametrize("payload", [b"", b"\x90", b"\x90\x80", b"\x90\x80\x92", b"\x90\xe0\x92\x34\x01", b"\x10"])
def test_truncated_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match="VP8"):
        parse(payload)


@given(st.binary(max_size=40))
def test_anything_parses_or_is_a_value_error(payload: bytes) -> None:
    try:
        _, data = parse(payload)
    except ValueError:
        return
    assert data
    assert payload.endswith(data)


@given(st.binary(max_size=20))
def test_what_is_stripped_is_what_is_parsed(payload: bytes) -> None:
    try:
        parsed, data = parse(payload)
    except ValueError:
        with pytest.raises(ValueError, match="VP8"):
            strip(payload)
    else:
        assert strip(payload) == (parsed.first, data)


def test_key_frames_have_their_first_bit_clear() -> None:
    assert is_key(b"\x10\x02")
    assert not is_key(b"\x11\x02")
    assert not is_key(b"")
