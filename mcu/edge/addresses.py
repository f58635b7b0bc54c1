"""Addresses of the media: where it is taken, what is announced, and to whom a server may be made to send.

A peer names the addresses that checks are sent to, and whoever holds its credentials can send checks with a forged
source. Neither may point a server at itself, at its link, or at the cloud that it runs in.
"""

from __future__ import annotations

import ipaddress
import socket
from functools import lru_cache

from aioice.ice import get_host_addresses

from mixdown.mcu.edge.types import EdgeConfig

SOCKET_BUFFER = 1 << 20
"Bytes asked for both ways: a paced key frame of every room at once, or a second of a camera."
METADATA = frozenset(
    ipaddress.ip_address(address) for address in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
"Of clouds, beside 169.254.169.254, which is link-local."
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(1024)
def may_be_peer(address: str, *, loopback: bool) -> bool:
    """Whether media and checks may go there. loopback: 127.0.0.1 and ::1 as well. Names (mDNS) may not: they are not
    looked up, such a peer is learnt as peer-reflexive from its own checks."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _embedded(ip)
        if inner is not None:
            return _fits(inner, loopback=False)
    return _fits(ip, loopback=loopback)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to an IPv6 one may end at (mapped, 6to4, NAT64)."""
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _fits(ip: Ip, *, loopback: bool) -> bool:
    if ip.is_loopback:
        return loopback
    return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved or ip in METADATA)


def is_local(caller: str) -> bool:
    """Whether a call came from this machine; '' is one that came from nobody knows where."""
    try:
        return ipaddress.ip_address(caller).is_loopback
    except ValueError:
        return False


def network_of(caller: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that an IPv6 one can choose from."""
    try:
        ip = ipaddress.ip_address(caller)
    except ValueError:
        return ""
    if ip.version == 6:
        return str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
    return str(ip)


def bind_addresses(config: EdgeConfig, *, loopback: bool) -> list[str]:
    """Local addresses to take media on: the configured one, or all of this machine's. loopback: 127.0.0.1 too; it is
    taken in any case where there is nothing else."""
    if config.media_address:
        return [config.media_address]
    addresses = [a for a in get_host_addresses(use_ipv4=True, use_ipv6=True) if not a.startswith("127.")]
    if loopback or not addresses:
        addresses.append("127.0.0.1")
    return addresses


def announced(host: str, config: EdgeConfig) -> str:
    """What a candidate names for a local address: the announced one, except for loopback and for addresses of the
    other version of IP, which its NAT cannot map."""
    if config.announced_address is None:
        return host
    own, other = ipaddress.ip_address(host), ipaddress.ip_address(config.announced_address)
    return host if own.is_loopback or own.version != other.version else config.announced_address


def bind_udp(address: str, port_range: tuple[int, int] | None) -> socket.socket | None:
    """A non-blocking UDP socket, on the first free port of the range; None if there is none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    ports = range(port_range[0], port_range[1] + 1) if port_range else range(1)
    for port in ports:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((address, port))
        except OSError:
            sock.close()
            continue
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        return sock
    return None
