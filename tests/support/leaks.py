"""What a server holds, before and after many came and went."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from support.server import Server

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Holdings:
    memory_mb: float
    threads: int
    descriptors: int


def holdings(server: Server) -> Holdings:
    process = server.process
    return Holdings(process.memory_info().rss / 1e6, process.num_threads(), process.num_fds())


async def run_churn(server: Server, room: str, count: int) -> None:
    """In another process, then until the room is empty."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "support.churn", server.url, room, str(count),
        env={**os.environ, "PYTHONPATH": str(TESTS)}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-4000:]
    await until_empty(server, room)


async def until_empty(server: Server, room: str, timeout: float = 100.0) -> None:
    """Those who just went are kept for a minute, in case they come back."""
    async with asyncio.timeout(timeout):
        while True:
            answer = await server.api.raw("GET", f"/v1/rooms/{room}/participants")
            if answer.status_code == 404 or not answer.json():
                return
            await asyncio.sleep(0.25)


async def settled(server: Server, before: Holdings, timeout: float = 20.0) -> Holdings:
    """What is held once threads and descriptors are back, or after the timeout."""
    end = asyncio.get_running_loop().time() + timeout
    while True:
        now = holdings(server)
        back = now.threads <= before.threads and now.descriptors <= before.descriptors
        if back or asyncio.get_running_loop().time() > end:
            return now
        await asyncio.sleep(0.25)
