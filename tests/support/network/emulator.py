"""A network with a server and clients, each client in a network namespace of its own.

    async with emulated(["ann", "bob"], seed=1) as net:
        net.server                    # the address that the server (in this namespace) is reached at
        net.command("ann")            # what to put before a command so that it runs in Ann's namespace
        await net.set("ann", "up", loss=0.02, delay=0.025)
        await net.schedule("ann", "down", [(5, {"blackout": True}), (6, {})])

Needs root, /dev/net/tun and `ip` (iproute2): see `missing()`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from support.leftovers import clear_leftovers
from support.network.conditions import Conditions, parse_conditions

TESTS = Path(__file__).resolve().parents[2]
SERVER = "server"
DEVICE = "net0"
QUEUE = 5000
"Packets that wait in a TUN device for the emulator; the kernel's 500 are 0.2 s of a few pictures."
START_SECONDS = 10.0
REPLY_SECONDS = 5.0


def missing() -> str:
    """Why no network can be emulated here; empty if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "ip is not installed: apt-get install iproute2"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened"
    if subprocess.run(
        ["ip", "netns", "add", probe := f"mx{os.getpid()}probe"], capture_output=True, check=False
    ).returncode:
        return "no network namespace can be made"
    ip("netns", "del", probe)
    return ""


def ip(*arguments: str) -> None:
    """Raises with what `ip` said."""
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")


def free_subnet() -> str:
    """The first /24 of 198.19.0.0/16 (RFC 2544: for test beds) that no interface here has addresses of."""
    taken = subprocess.run(["ip", "-o", "-4", "address"], capture_output=True, text=True, check=True).stdout
    return next(subnet for n in range(256) if f" {(subnet := f'198.19.{n}')}." not in taken)


class Network:
    """Ports are the clients by name, and "server"; a port's `up` is what it sends, its `down` what it gets."""

    def __init__(self, names: Sequence[str], seed: int) -> None:
        self.names = tuple(names)
        self.seed = seed
        self._prefix = f"mx{os.getpid()}"
        self._subnet = free_subnet()
        self.server = self.address(SERVER)
        self._hub: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    def address(self, name: str) -> str:
        return f"{self._subnet}.{1 if name == SERVER else 2 + self.names.index(name)}"

    def namespace(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def command(self, name: str) -> list[str]:
        """To run a program where that client is; pipes and files are as they were."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}", "--"]

    async def set(self, port: str, direction: str, **conditions: Any) -> None:
        """From now on; fields of Conditions, what is not named is as on a clean cable. direction: "up" or "down"."""
        wanted = parse_conditions(conditions).as_json()
        await self._ask({"port": port, "direction": direction, "conditions": wanted})

    async def schedule(
        self, port: str, direction: str, steps: Sequence[tuple[float, dict[str, Any] | Conditions]]
    ) -> None:
        """steps: seconds from now, and what holds from then on."""
        found = [(at, (c if isinstance(c, Conditions) else parse_conditions(c)).as_json()) for at, c in steps]
        await self._ask({"port": port, "direction": direction, "steps": found})

    async def reseed(self) -> None:
        """Every link begins its dice anew: what follows is decided as at the start."""
        await self._ask({"reseed": True})

    async def stats(self) -> dict[str, Any]:
        """links: by port and direction; totals: what the emulator itself did, `late` and `overrun` among it."""
        return await self._ask({"stats": True})

    def move(self, name: str, host: int) -> str:
        """The client's address becomes another of the same network, as after a change of Wi-Fi; the old one is gone."""
        old, new = self.address(name), f"{self._subnet}.{host}"
        space = ["-n", self.namespace(name)]
        ip(*space, "addr", "add", f"{new}/24", "dev", DEVICE)
        ip(*space, "addr", "del", f"{old}/24", "dev", DEVICE)
        ip(*space, "addr", "replace", f"{new}/24", "dev", DEVICE)
        ip(*space, "route", "replace", "default", "dev", DEVICE)
        return new

    async def start(self) -> None:
        clear_leftovers()
        own = f"{self._prefix}n"
        ports = [{"name": SERVER, "namespace": None, "device": own, "address": self.server}]
        for name in self.names:
            ip("netns", "add", self.namespace(name))
            ports.append(
                {"name": name, "namespace": self.namespace(name), "device": DEVICE, "address": self.address(name)}
            )
        self._hub = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "support.network.hub",
            json.dumps({"seed": self.seed, "ports": ports}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        async with asyncio.timeout(START_SECONDS):
            await self._reply()
        self._bring_up([], own, self.server)
        for name in self.names:
            space = ["-n", self.namespace(name)]
            self._bring_up(space, DEVICE, self.address(name))
            ip(*space, "link", "set", "lo", "up")
            ip(*space, "route", "add", "default", "dev", DEVICE)

    def _bring_up(self, space: list[str], device: str, address: str) -> None:
        ip(*space, "link", "set", device, "addrgenmode", "none")  # no IPv6 of its own making
        ip(*space, "addr", "add", f"{address}/24", "dev", device)
        ip(*space, "link", "set", device, "txqueuelen", str(QUEUE), "up")

    async def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._hub is not None and self._hub.stdin is not None
        async with self._turn, asyncio.timeout(REPLY_SECONDS):
            self._hub.stdin.write(json.dumps(command).encode() + b"\n")
            return await self._reply()

    async def _reply(self) -> dict[str, Any]:
        assert self._hub is not None and self._hub.stdout is not None
        line = await self._hub.stdout.readline()
        if not line:
            raise RuntimeError("the network's emulator ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def close(self) -> None:
        if self._hub is not None and self._hub.stdin is not None:
            self._hub.stdin.close()
            try:
                async with asyncio.timeout(REPLY_SECONDS):
                    await self._hub.wait()
            except TimeoutError:
                self._hub.kill()
        for name in self.names:
            with suppress(RuntimeError):
                ip("netns", "del", self.namespace(name))


@asynccontextmanager
async def emulated(names: Sequence[str], seed: int = 1) -> AsyncIterator[Network]:
    network = Network(names, seed)
    try:
        await network.start()
        yield network
    finally:
        await network.close()
