"""The emulator's process: a TUN device in each namespace, and what is between them.

    python -m support.network.hub '{"seed": 1, "ports": [{"name": "a", "namespace": "ns-a", "device": "tun0"}, ...]}'

A packet goes over its sender's `up`, then over its receiver's `down`; which port that is is learnt from the addresses
that packets come from, and told at the start by "address". Commands come as JSON lines on stdin, each is answered by a
line on stdout: {"port", "direction", "conditions"} sets, {"port", "direction", "steps": [[seconds, conditions], ...]}
sets later, {"reseed": true} begins every link's dice anew, {"stats": true} counts. It ends when stdin does.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import itertools
import json
import os
import select
import socket
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from support.network.conditions import parse_conditions
from support.network.link import Link
from support.network.packets import destination, matches, source

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x1, 0x1000
AT_ONCE = 64
"Packets read from one port before others have their turn."
MAX_WAITING = 20_000
"Packets under way in all; over it new ones are dropped and counted as overrun."
LATE = 0.005
libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Port:
    name: str
    fd: int
    up: Link
    down: Link


@dataclass(slots=True)
class Totals:
    """late: delivered over LATE after they were due, because this process did not run in time."""

    delivered: int = 0
    late: int = 0
    worst: float = 0.0
    overrun: int = 0
    refused: int = 0
    unknown: int = 0


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """This thread in a named network namespace; None: where it is."""
    if namespace is None:
        yield
        return
    home, other = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)
        os.close(other)


def open_tun(namespace: str | None, device: str) -> int:
    with inside(namespace):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
    return fd


@dataclass(slots=True)
class Hub:
    ports: dict[str, Port]
    totals: Totals = field(default_factory=Totals)
    _by_fd: dict[int, Port] = field(default_factory=dict)
    _routes: dict[bytes, Port] = field(default_factory=dict)
    _due: list[tuple[float, int, Port, Port | None, bytes]] = field(default_factory=list)
    _steps: list[tuple[float, int, Link, Any]] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._by_fd = {port.fd: port for port in self.ports.values()}

    def learn(self, address: str, name: str) -> None:
        self._routes[socket.inet_aton(address)] = self.ports[name]

    def run(self) -> None:
        sources = [*self._by_fd, sys.stdin.fileno()]
        while True:
            now = time.monotonic()
            self._step(now)
            self._deliver(now)
            ready, _, _ = select.select(sources, (), (), self._idle(time.monotonic()))
            for fd in ready:
                if fd in self._by_fd:
                    self._read(self._by_fd[fd])
                elif not self._command():
                    return

    def _idle(self, now: float) -> float | None:
        heads = [queue[0][0] for queue in (self._due, self._steps) if queue]
        return max(0.0, min(heads) - now) if heads else None

    def _read(self, port: Port) -> None:
        for _ in range(AT_ONCE):
            try:
                packet = os.read(port.fd, 65536)
            except BlockingIOError:
                return
            target = destination(packet)
            if not target:
                continue
            self._routes[source(packet)] = port
            to = self._routes.get(target)
            if to is None or to is port:
                self.totals.unknown += 1
                continue
            self._send(port.up, packet, to, through=True)

    def _send(self, link: Link, packet: bytes, to: Port, *, through: bool) -> None:
        """through: the receiver's own link comes after this one."""
        now = time.monotonic()
        for due in link.offer(len(packet), matches(packet, link.conditions.match), now):
            if due <= now:
                self._arrive(packet, to, through)
            elif len(self._due) >= MAX_WAITING:
                self.totals.overrun += 1
            else:
                heapq.heappush(self._due, (due, next(self._serial), to, to if through else None, packet))

    def _arrive(self, packet: bytes, to: Port, through: bool) -> None:
        if through:
            self._send(to.down, packet, to, through=False)
            return
        self.totals.delivered += 1
        try:
            os.write(to.fd, packet)
        except OSError:
            self.totals.refused += 1

    def _deliver(self, now: float) -> None:
        totals = self.totals
        while self._due and self._due[0][0] <= now:
            due, _, to, through, packet = heapq.heappop(self._due)
            late = now - due
            totals.late += late > LATE
            totals.worst = max(totals.worst, late)
            self._arrive(packet, to, through is not None)

    def _step(self, now: float) -> None:
        while self._steps and self._steps[0][0] <= now:
            _, _, link, conditions = heapq.heappop(self._steps)
            link.conditions = conditions

    def _command(self) -> bool:
        line = sys.stdin.readline()
        if not line:
            return False
        print(json.dumps(self._obey(json.loads(line))), flush=True)
        return True

    def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        if "stats" in command:
            links = {
                p.name: {"up": asdict(p.up.counters), "down": asdict(p.down.counters)} for p in self.ports.values()
            }
            return {"links": links, "totals": asdict(self.totals), "cpu": time.process_time()}
        if "reseed" in command:
            for port in self.ports.values():
                port.up.reseed()
                port.down.reseed()
            return {"done": True}
        port = self.ports[command["port"]]
        link = port.up if command["direction"] == "up" else port.down
        if "conditions" in command:
            link.conditions = parse_conditions(command["conditions"])
        now = time.monotonic()
        for after, conditions in command.get("steps", ()):
            heapq.heappush(self._steps, (now + after, next(self._serial), link, parse_conditions(conditions)))
        return {"done": True}


def link_seed(seed: int, port: str, direction: str) -> int:
    """Links of one network differ, and are the same in the next run."""
    return seed << 32 | zlib.crc32(f"{port}/{direction}".encode())


def main() -> None:
    settings = json.loads(sys.argv[1])
    seed = settings["seed"]
    with suppress(OSError):  # only root may; without it, deliveries are late on a busy machine, and counted
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    ports = {}
    for given in settings["ports"]:
        name = given["name"]
        links = Link(link_seed(seed, name, "up")), Link(link_seed(seed, name, "down"))
        ports[name] = Port(name, open_tun(given["namespace"], given["device"]), *links)
    hub = Hub(ports)
    for given in settings["ports"]:
        hub.learn(given["address"], given["name"])
    print(json.dumps({"ready": True}), flush=True)
    hub.run()


if __name__ == "__main__":
    main()
