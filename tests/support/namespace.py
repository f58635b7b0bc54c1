"""A machine of its own for a client: a network namespace, joined with this one by cables that can be pulled.

The server keeps one address, the `service`, whichever cable a client comes by. Needs root and iproute2; `usable()`
tells. What was made goes away with the `with` block, addresses and routes included.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from support.leftovers import clear_leftovers, label

NETWORK = "198.18"
"RFC 2544: for test beds; nobody's addresses."
CLONE_NEWNET = 0x4000_0000
NOBODY = "02:00:00:00:00:01"
_numbers = itertools.count()


def _ip(*words: str) -> None:
    """Raises RuntimeError with what `ip` said."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


@functools.cache
def usable() -> bool:
    """Whether namespaces can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"mixdown-try-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "exec", name, "true")
        return True
    except RuntimeError:
        return False
    finally:
        with suppress(RuntimeError):
            _ip("netns", "delete", name)


@dataclass(frozen=True, slots=True)
class Cable:
    """near, inside: the interface's name here and in the namespace. router: our address on it; client: the first of
    theirs. All in one /24."""

    near: str
    inside: str
    subnet: str

    @property
    def router(self) -> str:
        return f"{self.subnet}.1"

    def client(self, n: int = 2) -> str:
        return f"{self.subnet}.{n}"


class Namespace:
    """name: as `ip netns` has it. service: the address that a server here is reached at, by every cable."""

    def __init__(self, name: str, service: str) -> None:
        self.name = name
        self.service = service

    def command(self, *words: str) -> tuple[str, ...]:
        """The words to run something inside; pipes and other descriptors go along."""
        return ("ip", "netns", "exec", self.name, *words)

    def connected(self, port: int) -> socket.socket:
        """A TCP connection to the namespace's own loopback. Raises OSError. Blocks."""
        with ThreadPoolExecutor(1) as thread:  # one that moves there, and ends
            return thread.submit(self._connected, port).result()

    def _connected(self, port: int) -> socket.socket:
        with open(f"/run/netns/{self.name}", "rb") as there:
            if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns failed")
        return socket.create_connection(("127.0.0.1", port), timeout=5)

    def _ip(self, *words: str) -> None:
        _ip("-netns", self.name, *words)

    def plug(self, number: int) -> Cable:
        """A cable, without an address inside yet. number: 0..9, each once."""
        tail = f"{self.name.removeprefix('mixdown-')}-{number}"
        subnet = f"{self.service.rpartition('.')[0].rpartition('.')[0]}.{int(self.service.split('.')[2]) + 1 + number}"
        cable = Cable(f"mx{tail}", f"wire{number}", subnet)
        _ip("link", "add", cable.near, "type", "veth", "peer", "name", cable.inside, "netns", self.name)
        _ip("address", "add", f"{cable.router}/24", "dev", cable.near)
        _ip("link", "set", cable.near, "up")
        self._ip("link", "set", cable.inside, "up")
        return cable

    def address(self, cable: Cable, address: str) -> None:
        """Gives the client an address, and a way to everywhere by this cable."""
        self._ip("address", "add", f"{address}/24", "dev", cable.inside)
        self._ip("route", "replace", "default", "via", cable.router, "dev", cable.inside)

    def no_address(self, cable: Cable) -> None:
        self._ip("address", "flush", "dev", cable.inside)

    def silence(self, cable: Cable, address: str) -> None:
        """Every packet is lost both ways, and nobody is told: the next hop's hardware address is nobody's."""
        _ip("neigh", "replace", address, "lladdr", NOBODY, "dev", cable.near, "nud", "permanent")
        self._ip("neigh", "replace", cable.router, "lladdr", NOBODY, "dev", cable.inside, "nud", "permanent")

    def resume(self, cable: Cable, address: str) -> None:
        """After a silence."""
        _ip("neigh", "delete", address, "dev", cable.near)
        self._ip("neigh", "delete", cable.router, "dev", cable.inside)

    def pull(self, cable: Cable) -> None:
        """The interface goes down, with its addresses and routes."""
        self._ip("link", "set", cable.inside, "down")
        self._ip("address", "flush", "dev", cable.inside)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """With its loopback up and nothing else; deleted at the end, and all cables with it."""
    clear_leftovers()
    name = f"mixdown-{os.getpid()}-{next(_numbers)}"
    here = Namespace(name, f"{NETWORK}.{_free_block()}.1")
    _ip("netns", "add", name)
    try:
        here._ip("link", "set", "lo", "up")
        _ip("address", "add", f"{here.service}/32", "dev", "lo", "label", label())
        yield here
    finally:
        with suppress(RuntimeError):  # where even that failed
            _ip("address", "delete", f"{here.service}/32", "dev", "lo")
        _ip("netns", "delete", name)


def _free_block() -> int:
    """The first of ten /24 that no interface here has addresses of."""
    taken = subprocess.run(["ip", "-o", "-4", "address"], capture_output=True, text=True, check=True).stdout
    for block in range(0, 250, 10):
        if not any(f" {NETWORK}.{one}." in taken for one in range(block, block + 10)):
            return block
    raise RuntimeError(f"all of {NETWORK}.0.0/16 is taken")
