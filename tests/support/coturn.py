"""coturn as an operator runs it for WebRTC: logins made from a shared secret, relays on loopback."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.net import free_port

EXECUTABLE = "turnserver"
SECRET = "north-star"
START_SECONDS = 10.0


def installed() -> bool:
    return shutil.which(EXECUTABLE) is not None


@dataclass(frozen=True, slots=True)
class Coturn:
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"turn:127.0.0.1:{self.port}?transport=udp"

    def allocations(self) -> int:
        """Relays that were given out so far."""
        return self.log.read_text(errors="replace").count("ALLOCATE processed, success")


@asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[Coturn]:
    """Started, and ended by its process id."""
    server = Coturn(free_port(), folder / "turnserver.log")
    options = {
        "listening-ip": "127.0.0.1", "listening-port": server.port, "relay-ip": "127.0.0.1", "realm": "mixdown",
        "static-auth-secret": SECRET, "userdb": folder / "turndb", "pidfile": folder / "turnserver.pid",
        "log-file": "stdout", "min-port": 49152, "max-port": 65535,
    }  # fmt: skip
    flags = ("use-auth-secret", "no-tls", "no-dtls", "no-cli", "allow-loopback-peers", "verbose", "no-rfc5780")
    arguments = [f"--{name}={value}" for name, value in options.items()] + [f"--{flag}" for flag in flags]
    with server.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(EXECUTABLE, "-n", *arguments, stdout=log, stderr=log)
    try:
        await _up(server, process)
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _up(server: Coturn, process: asyncio.subprocess.Process) -> None:
    """It answers a binding request."""
    request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"is it there?"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.connect(("127.0.0.1", server.port))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                try:
                    probe.send(request)
                    async with asyncio.timeout(0.1):
                        await loop.sock_recv(probe, 200)
                    return
                except (TimeoutError, ConnectionRefusedError):
                    await asyncio.sleep(0.05)
    raise RuntimeError(f"coturn ended at its start:\n{server.log.read_text()}")
