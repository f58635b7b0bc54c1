"""Reports of arrival times (transport-wide congestion control), and the header extension that they are about."""

from __future__ import annotations

from mixdown.mcu.edge.rtp import parse_rtp
from mixdown.mcu.edge.transport_cc import MAX_STATUSES, parse_arrivals, take_out

MARK = 3


def run(data: bytes) -> None:
    _mark(data)
    bodies, rest = take_out(data)
    assert sum(len(body) + 4 for body in bodies) + len(rest) == len(data)
    for body in (*bodies, data):
        try:
            arrivals = parse_arrivals(body)
        except ValueError:
            continue
        assert 0 < len(arrivals.times) <= MAX_STATUSES and 0 <= arrivals.base < 1 << 16


def _mark(packet: bytes) -> None:
    """The look for one extension, as each packet is read, and the whole parser agree."""
    try:
        every = parse_rtp(packet, with_extensions=True)
    except ValueError:
        return
    one = parse_rtp(packet, with_extensions=False, only=MARK)
    assert one.payload == every.payload
    if MARK in one.extensions:
        assert MARK in every.extensions, "a mark that the whole parser does not see"
