"""What `mixdown doctor` says of the media's addresses and ports, and of the STUN and TURN servers."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator

from mixdown.mcu.config import Settings
from mixdown.mcu.edge.addresses import announced, bind_addresses, bind_udp
from mixdown.mcu.edge.types import EdgeConfig
from mixdown.mcu.findings import Finding, Verdict

MANY = 1000
"Ports of a range that are tried; in a larger one there is room."
PATIENCE = 1.0
"Seconds for a STUN or TURN server to answer."
_BINDING = bytes.fromhex("000100002112a442")


def media(settings: Settings) -> Iterator[Finding]:
    config = settings.edge()
    if config.media_address and not _is_own(config.media_address):
        advice = "Set media_address to one of this machine's own"
        yield Finding("media", Verdict.FAILED, f"media_address {config.media_address} is not here", advice)
        return
    addresses = bind_addresses(config, loopback=False)
    yield _ports(config, addresses)
    yield from _named(config, addresses)
    for url in dict.fromkeys(server.url for server in (*config.ice_servers, *settings.for_clients())):
        yield _server(url)


def _is_own(address: str) -> bool:
    sock = bind_udp(address, None)
    if sock is not None:
        sock.close()
    return sock is not None


def _ports(config: EdgeConfig, addresses: list[str]) -> Finding:
    """Each participant takes a port at each address."""
    if config.port_range is None:
        return Finding("media", Verdict.OK, f"Any free UDP port at {', '.join(addresses)}")
    low, high = config.port_range
    free = min(_free(address, low, min(high, low + MANY - 1)) for address in addresses)
    what = f"UDP ports {low}-{high} at {', '.join(addresses)}: {free} free"
    if not free:
        return Finding("media", Verdict.FAILED, what, "End what uses them, or choose another port_range")
    if free < min(high - low + 1, MANY):
        return Finding("media", Verdict.WARNING, what, f"Others use some: {free} can take part at once")
    return Finding("media", Verdict.OK, f"{what}, one for each participant")


def _free(address: str, low: int, high: int) -> int:
    free = 0
    for port in range(low, high + 1):
        sock = bind_udp(address, (port, port))
        if sock is not None:
            sock.close()
            free += 1
    return free


def _named(config: EdgeConfig, addresses: list[str]) -> Iterator[Finding]:
    if config.announced_address is None:
        return
    hidden = [address for address in addresses if announced(address, config) != address]
    if not hidden:
        advice = "Set it only where a 1:1 NAT maps an address to one of this machine's, of the same version of IP"
        what = f"announced_address {config.announced_address} stands for none of {', '.join(addresses)}"
        yield Finding("media", Verdict.WARNING, what, advice)
    elif len(hidden) > 1:
        what = f"{config.announced_address} is announced for each of {', '.join(hidden)}"
        yield Finding("media", Verdict.WARNING, what, "Set media_address to the one that the NAT maps it to")
    else:
        yield Finding("media", Verdict.OK, f"{config.announced_address} is announced instead of {hidden[0]}")


def _server(url: str) -> Finding:
    """Whether it answers a binding request (RFC 8489), which TURN servers do as well."""
    scheme, _, rest = url.partition(":")
    place, _, parameters = rest.partition("?")
    if scheme == "turns" or "transport=tcp" in parameters:
        return Finding("media", Verdict.OK, f"{url} is not asked, since it takes no UDP")
    host, _, port = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "3478")
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.settimeout(PATIENCE)
            probe.connect(address)
            request = _BINDING + secrets.token_bytes(12)
            probe.send(request)
            answered = probe.recv(1500)[8:20] == request[8:20]
    except (OSError, ValueError):
        answered = False
    if answered:
        return Finding("media", Verdict.OK, f"{url} answers")
    return Finding("media", Verdict.WARNING, f"{url} does not answer", "See whether it runs, and lets UDP through")
