"""Port range, media address and announced address, end to end: what an answer names, and which sockets are bound."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import psutil
import pytest
from aioice.ice import get_host_addresses
from support.aiortc_client import AiortcClient
from support.sources import source

from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.edge.types import EdgeConfig, JoinRequest
from mixdown.mcu.errors import Unavailable
from mixdown.mcu.link.messages import SourceFrame, ToMixer

OWN = [address for address in get_host_addresses(use_ipv4=True, use_ipv6=False) if not address.startswith("127.")]
NAT = "127.0.0.9"
"Stands for the public address: on this machine, but none that the server is told of."


class MixerEnd:
    def __init__(self) -> None:
        self.messages: list[ToMixer] = []

    def send(self, message: ToMixer) -> None:
        self.messages.append(message)


@asynccontextmanager
async def edge(**config: object) -> AsyncIterator[tuple[Edge, MixerEnd]]:
    mixer = MixerEnd()
    made = Edge(mixer, EdgeConfig(**config), lambda state: None)  # type: ignore[arg-type]
    try:
        yield made, mixer
    finally:
        await made.close()


def named(sdp: str) -> set[tuple[str, int]]:
    lines = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return {(fields[4], int(fields[5])) for fields in lines}


def bound(ports: Iterable[int]) -> set[tuple[str, int]]:
    """UDP sockets of this process on these ports."""
    mine = psutil.Process().net_connections("udp")
    return {(one.laddr.ip, one.laddr.port) for one in mine if one.laddr.port in set(ports)}


def free_range(count: int) -> tuple[int, int]:
    """Ports in a row that nobody has on loopback."""
    for low in range(42_000, 60_000, 100):
        try:
            for port in range(low, low + count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("0.0.0.0", port))
        except OSError:
            continue
        return low, low + count - 1
    raise AssertionError("no free ports")


async def joined(made: Edge, client: AiortcClient, name: str = "ann", *, candidates: bool = True) -> str:
    sdp = await client.offer()
    if not candidates:
        sdp = "".join(f"{line}\r\n" for line in sdp.splitlines() if "candidate" not in line)
    return (await made.join(JoinRequest("room", name, sdp))).sdp


async def until_sound(mixer: MixerEnd) -> None:
    async with asyncio.timeout(15):
        while sum(isinstance(message, SourceFrame) for message in mixer.messages) < 20:
            await asyncio.sleep(0.02)


async def test_media_keeps_to_its_address_and_ports_and_says_so_when_they_are_used_up() -> None:
    low, high = free_range(2)
    clients = [AiortcClient(source(n)) for n in range(3)]
    async with edge(media_address="127.0.0.1", port_range=(low, high)) as (made, mixer):
        try:
            answers = [await joined(made, client, f"p{n}") for n, client in enumerate(clients[:2])]
            found = [named(answer) for answer in answers]
            assert found[0] | found[1] == {("127.0.0.1", low), ("127.0.0.1", high)}
            assert bound(range(low, high + 1)) == found[0] | found[1]
            await clients[0].answer(answers[0])
            await until_sound(mixer)
            with pytest.raises(Unavailable, match="UDP port"):
                await joined(made, clients[2], "p2")
            await made.leave("p1")
            assert bound(range(low, high + 1)) == found[0]
            assert named(await joined(made, AiortcClient(source(1)), "p3")) == found[1]
        finally:
            await asyncio.gather(*(client.close() for client in clients))


class Nat(asyncio.DatagramProtocol):
    """Maps one port of the public address to the server's, one to one; each peer keeps a socket of its own inside."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.inside: dict[tuple[str, int], asyncio.DatagramTransport] = {}
        self.passed = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.outside = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.create_task(self._in(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _in(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr not in self.inside:
            loop = asyncio.get_running_loop()
            back = Back(self, addr)
            self.inside[addr], _ = await loop.create_datagram_endpoint(lambda: back, local_addr=(self.server[0], 0))
        self.passed += 1
        self.inside[addr].sendto(data, self.server)

    def close(self) -> None:
        for transport in (self.outside, *self.inside.values()):
            transport.close()


class Back(asyncio.DatagramProtocol):
    def __init__(self, nat: Nat, peer: tuple[str, int]) -> None:
        self.nat, self.peer = nat, peer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr == self.nat.server:
            self.nat.outside.sendto(data, self.peer)


@pytest.mark.skipif(not OWN, reason="this machine has no address but loopback")
async def test_a_call_through_a_one_to_one_nat_by_the_announced_address() -> None:
    """The client knows nothing but the announced address, the server nothing of the client."""
    client = AiortcClient(source(0))
    async with edge(media_address=OWN[0], announced_address=NAT) as (made, mixer):
        nat: Nat | None = None
        try:
            answer = await joined(made, client, candidates=False)
            ((address, port),) = named(answer)
            assert address == NAT and bound([port]) == {(OWN[0], port)}
            nat = Nat((OWN[0], port))
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: nat, local_addr=(NAT, port))
            await client.answer(answer)
            await until_sound(mixer)
            assert nat.passed > 20
        finally:
            await client.close()
            if nat is not None:
                nat.close()


async def test_the_announced_address_stands_for_its_own_version_of_ip_only() -> None:
    async with edge(announced_address="203.0.113.9", loopback=False) as (made, _):
        client = AiortcClient(source(0))
        try:
            addresses = {address for address, _ in named(await joined(made, client))}
            assert {a for a in addresses if ":" not in a} <= {"203.0.113.9", "127.0.0.1"}
            assert "203.0.113.9" in addresses or not OWN
        finally:
            await client.close()
