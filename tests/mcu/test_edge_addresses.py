from __future__ import annotations

import pytest

from mixdown.mcu.edge.addresses import bind_addresses, is_local, may_be_peer, network_of
from mixdown.mcu.edge.types import EdgeConfig


@pytest.mark.parametrize("address", ["198.51.100.7", "10.1.2.3", "192.168.0.9", "2001:db8::1", "fd12::5"])
def test_where_peers_may_be(address: str) -> None:
    assert may_be_peer(address, loopback=False)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "224.0.0.251",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
        "a6f2.local",
        "example.org",
        "",
        "1.2.3",
    ],
)
def test_where_no_peer_is(address: str) -> None:
    assert not may_be_peer(address, loopback=True)


def test_loopback_is_for_this_machines_callers() -> None:
    for address in ("127.0.0.1", "127.9.9.9", "::1"):
        assert may_be_peer(address, loopback=True) and not may_be_peer(address, loopback=False) and is_local(address)
    assert not is_local("") and not is_local("192.168.1.2")
    assert "127.0.0.1" in bind_addresses(EdgeConfig(), loopback=True)
    assert bind_addresses(EdgeConfig(media_address="192.0.2.1"), loopback=True) == ["192.0.2.1"]


def test_what_counts_as_one_caller() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") != network_of("2001:db8:1:3::9")
    assert network_of("192.0.2.1") == "192.0.2.1" and network_of("") == network_of("nonsense") == ""
