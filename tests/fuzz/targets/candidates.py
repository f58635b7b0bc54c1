"""Trickled ICE candidates (RFC 8839, 5.1): BadRequest, None, or one that may be tried."""

from __future__ import annotations

import ipaddress

from mixdown.mcu.edge.offer import parse_candidate
from mixdown.mcu.errors import BadRequest


def run(data: bytes) -> None:
    try:
        candidate = parse_candidate(data.decode("utf-8", "surrogateescape"))
    except BadRequest:
        return
    if candidate is None:
        return
    address = ipaddress.ip_address(candidate.ip)
    assert not (address.is_multicast or address.is_link_local or address.is_unspecified)
    assert 0 < candidate.port < 65536 and candidate.component == 1 and candidate.protocol.lower() == "udp"
