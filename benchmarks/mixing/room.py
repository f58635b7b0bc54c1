"""One round of a real room: the server as a user starts it, a crowd beside it, the server's CPU and what came out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.record import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from support.server import Server, running_server

READY_SECONDS = 60.0
WARM_UP = 5.0
"Seconds before the measurement: everybody has a key frame, encoders and estimators have settled."


@dataclass(frozen=True, slots=True)
class Load:
    """Who is in the room. talking: of the senders; the others send a quiet room's noise."""

    senders: int
    talking: int = 3
    viewers: int = 0
    codec: str = "VP8"
    size: str = "640x360"
    kbps: int = 600

    @property
    def arguments(self) -> list[str]:
        named = {"senders": self.senders, "talking": min(self.talking, self.senders), "viewers": self.viewers}
        named |= {"codec": self.codec, "size": self.size, "kbps": self.kbps}
        return [text for name, value in named.items() for text in (f"--{name}", str(value))]


@dataclass(frozen=True, slots=True)
class Round:
    """cores: the server process's CPU seconds per second, user and system. parts: the same, as its `stats` split it.
    decoded, encoded: pictures a second; mixes: encodes of sound a tick; fps, longest_gap: at clients that looked."""

    cores: float
    parts: dict[str, float]
    decoded: float
    encoded: float
    packets: float
    mixes: int
    kbps: float
    late: float
    fps: float
    longest_gap: float
    memory_mb: float
    latency_ms: dict[str, dict[str, float]]


class Crowd:
    """The clients' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def mark(self) -> list[dict[str, float]]:
        assert self._process.stdin is not None
        self._process.stdin.write(b"mark\n")
        await self._process.stdin.drain()
        found: list[dict[str, float]] = json.loads(await self.line())
        return found

    async def line(self) -> bytes:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), READY_SECONDS * 2)
        if not line:
            raise RuntimeError("the crowd ended; what it said stands above")
        return line


@asynccontextmanager
async def crowd(url: str, room: str, load: Load) -> AsyncIterator[Crowd]:
    """Everybody joined and connected."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.mixing.crowd", url, room, *load.arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        people = Crowd(process)
        await people.line()
        yield people
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def measure(load: Load, seconds: float) -> Round:
    """One round in a fresh server."""
    async with running_server() as server, crowd(server.url, "bench", load) as people:
        await asyncio.sleep(WARM_UP)
        await people.mark()
        begun, cpu, stats, ears = time.monotonic(), server.cpu_seconds(), await _stats(server), await people.mark()
        await asyncio.sleep(seconds)
        spent, ended, elapsed = server.cpu_seconds() - cpu, await _stats(server), time.monotonic() - begun
        heard = await people.mark()
        memory = server.process.memory_info().rss / 1e6
    return _round(spent, elapsed, stats, ended, ears, heard, memory)


async def _stats(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = await server.api.get("/v1/rooms/bench/stats")
    return found


def _round(
    spent: float,
    elapsed: float,
    before: dict[str, Any],
    after: dict[str, Any],
    ears: list[dict[str, float]],
    heard: list[dict[str, float]],
    memory: float,
) -> Round:
    def grown(rows: str, field: str, kind: str = "") -> float:
        def total(stats: dict[str, Any]) -> float:
            return sum(float(row[field]) for row in stats[rows] if not kind or row["kind"] == kind)

        return (total(after) - total(before)) / elapsed

    ticks = after["ticks"]["video"]["count"] - before["ticks"]["video"]["count"]
    bad = sum(after["ticks"]["video"][k] - before["ticks"]["video"][k] for k in ("late", "skipped"))
    pictures = [b["pictures"] - a["pictures"] for a, b in zip(ears, heard, strict=True)]
    return Round(
        cores=spent / elapsed,
        parts=after["cpu_cores"],
        decoded=grown("sources", "decoded", "camera"),
        encoded=grown("renditions", "frames"),
        packets=grown("sources", "decoded", "microphone"),
        mixes=len(after["mixes"]),
        kbps=sum(row["kbps"] for row in after["renditions"]),
        late=bad / max(1, ticks),
        fps=min(pictures) / elapsed,
        longest_gap=max(ear["longest_gap"] for ear in heard),
        memory_mb=memory,
        latency_ms=after["latency_ms"],
    )
