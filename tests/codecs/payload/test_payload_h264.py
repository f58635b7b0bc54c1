from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.codecs.payload.h264 import (
    FU_A,
    PPS,
    SPS,
    STAP_A,
    H264Depacketiser,
    annexb,
    contained,
    join,
    nal_units,
    split,
    unit_type,
)

SETS = [b"\x67\x42\xc0\x1f\x01", b"\x68\xce\x01"]
IDR_UNIT = b"\x65" + bytes([0x88, 7, 9]) * 1500


def units() -> st.SearchStrategy[bytes]:
    """NAL units of types 1..8, without start codes inside and trailing zeros."""
    kinds = st.integers(1, 8).map(lambda kind: bytes((0x60 | kind,)))
    body = st.binary(max_size=3000).map(lambda data: data.replace(b"\0", b"\1") + b"\x80")
    return st.tuples(kinds, body).map(b"".join)


@given(st.lists(units(), min_size=1, max_size=6), st.integers(3, 1300))
def test_split_and_join_give_the_same_units(stream: list[bytes], max_size: int) -> None:
    payloads = split(annexb(stream), max_size)
    assert all(0 < len(payload) <= max_size for payload in payloads)
    assert join(payloads) == annexb(stream)


def test_parameter_sets_in_one_packet_and_the_rest_in_equal_ones() -> None:
    payloads = split(annexb([*SETS, IDR_UNIT]), 1200)
    assert [unit_type(payload) for payload in payloads] == [STAP_A, FU_A, FU_A, FU_A, FU_A]
    assert contained(payloads[0]) == [SPS, PPS]
    assert contained(payloads[1]) == [5]
    assert contained(payloads[2]) == []
    assert {len(payload) for payload in payloads[1:-1]} == {len(payloads[1])}
    assert len(payloads[-1]) <= len(payloads[1])


def test_short_units_go_alone_and_delimiters_not_at_all() -> None:
    assert split(b"\0\0\1\x09\xf0" + annexb([b"\x41\x9a\x01"]), 1200) == [b"\x41\x9a\x01"]
    with pytest.raises(ValueError, match="max_size"):
        split(b"", 2)


def test_reads_start_codes_of_three_and_four_bytes() -> None:
    assert nal_units(b"\0\0\1\x41\x01\0\0\0\1\x41\x02\0\0") == [b"\x41\x01", b"\x41\x02"]
    assert nal_units(b"no start code") == []


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        [b""],
        [b"\x78"],
        [b"\x78\x00\x00"],
        [b"\x78\x00\x05\x67"],
        [b"\x7c\x85"],
        [b"\x7c\x05\x01"],
        [b"\x7c\x85\x01"],
        [b"\x7c\x85\x01", b"\x7c\x85\x01"],
        [b"\x7c\x85\x01", b"\x7c\x41\x01"],
        [b"\x7c\x85\x01", b"\x41\x01"],
        [b"\x7d\x85\x01\x01"],
        [b"\x60\x01"],
    ],
)
def test_broken_packets_are_value_errors(payloads: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"H\.264|STAP-A|FU-A|NAL"):
        join(payloads)


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_anything_joins_or_is_a_value_error(payloads: list[bytes]) -> None:
    depacketiser = H264Depacketiser()
    try:
        for payload in payloads:
            contained(payload)
            depacketiser.push(payload)
        found = depacketiser.finish()
    except ValueError:
        return
    assert all(found)
