"""One round of a real room: the server as a user starts it, a crowd beside it, the server's CPU and what came out."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.clients import Clients, clients
from benchmarks.mixing.loads import CODECS, Load
from benchmarks.mixing.recording import Recording, frames_of, unpack
from benchmarks.record import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from support.server import Server, running_server

WARM_UP = 5.0
"Seconds before the measurement: everybody has a key frame, encoders and estimators have settled."
LOOKS = 2.0
"Seconds between two looks at `stats`, whose parts are over the last 2 to 5 seconds."
Found = TypeVar("Found")
PARTS = ("receive", "decode", "compose", "encode", "audio", "send", "rest")


@dataclass(frozen=True, slots=True)
class Round:
    """cores: the server process's CPU seconds per second, user and system. parts: the same, as its `stats` split it.
    decoded, dropped, encoded: pictures a second, of all senders, and made; voices, noises: packets decoded a second of
    those who talk and of the others; mixes: encodes of sound a tick; late: ticks, of 1; fps, longest_gap (seconds): at
    the worst client that looked; pictures, wire_kbps: that the first one got, the latter with sound and headers;
    latency_ms: None where there is no sound or picture yet."""

    cores: float
    parts: dict[str, float]
    decoded: float
    dropped: float
    encoded: float
    voices: float
    noises: float
    mixes: int
    kbps: float
    late: float
    fps: float
    longest_gap: float
    pictures: int
    wire_kbps: float
    memory_mb: float
    latency_ms: dict[str, dict[str, float | None]]


class Crowd:
    """The clients' process."""

    def __init__(self, people: Clients) -> None:
        self._people = people

    async def mark(self) -> list[dict[str, float]]:
        """What each client that listens got so far."""
        found: list[dict[str, float]] = await self._people.ask("mark")
        return found

    async def recording(self) -> list[bytes]:
        """The packets of the picture that the first client got."""
        with tempfile.TemporaryDirectory(prefix="mixdown-bench-") as folder:
            path = Path(folder) / "packets"
            await self._people.ask(f"keep {path}")
            return list(unpack(path.read_bytes()))


@asynccontextmanager
async def crowd(url: str, room: str, load: Load) -> AsyncIterator[Crowd]:
    """Everybody joined and connected."""
    async with clients("benchmarks.mixing.crowd", url, room, *load.arguments) as people:
        yield Crowd(people)


async def measure(
    load: Load, seconds: float, beside: Callable[[Round, Recording], Found]
) -> tuple[Round, Recording, Found]:
    """One round in a fresh server, what its first client was sent until the round's end, and what was found `beside`
    the room, which goes on meanwhile: a machine that carries a call's clients is slower than one that does nothing."""
    async with running_server() as server, crowd(server.url, "bench", load) as people:
        await asyncio.sleep(WARM_UP)
        names = await _names(server)
        await people.mark()
        begun, cpu, stats, ears = time.monotonic(), server.cpu_seconds(), await _stats(server), await people.mark()
        looks = [(await _stats(server))["cpu_cores"] async for _ in _pauses(seconds)]
        spent, ended, elapsed = server.cpu_seconds() - cpu, await _stats(server), time.monotonic() - begun
        heard = await people.mark()
        memory = server.process.memory_info().rss / 1e6
        recording = frames_of(await people.recording(), CODECS[load.receive])
        parts = {part: statistics.fmean(look[part] for look in looks) for part in PARTS}
        made = _round(load, names, spent, elapsed, stats, ended, parts, ears, heard, memory)
        return made, recording, await asyncio.to_thread(beside, made, recording)


async def _pauses(seconds: float) -> AsyncIterator[None]:
    """At each look's time, until the seconds are over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(left, LOOKS))
        yield


async def _stats(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = await server.api.get("/v1/rooms/bench/stats")
    return found


async def _names(server: Server) -> dict[str, str]:
    """By participant's id."""
    return {one["id"]: one["name"] for one in await server.api.get("/v1/rooms/bench/participants")}


def _round(
    load: Load,
    names: dict[str, str],
    spent: float,
    elapsed: float,
    before: dict[str, Any],
    after: dict[str, Any],
    parts: dict[str, float],
    ears: list[dict[str, float]],
    heard: list[dict[str, float]],
    memory: float,
) -> Round:
    talkers = {f"P{n}" for n in range(load.voices)}

    def grown(rows: str, field: str, which: Callable[[dict[str, Any]], bool] = lambda row: True) -> float:
        def total(stats: dict[str, Any]) -> float:
            return sum(float(row[field]) for row in stats[rows] if which(row))

        return (total(after) - total(before)) / elapsed

    def camera(row: dict[str, Any]) -> bool:
        return bool(row["kind"] == "camera")

    def talks(row: dict[str, Any]) -> bool:
        return row["kind"] == "microphone" and names[row["participant"]] in talkers

    def quiet(row: dict[str, Any]) -> bool:
        return row["kind"] == "microphone" and not talks(row)

    ticks = after["ticks"]["video"]["count"] - before["ticks"]["video"]["count"]
    bad = sum(after["ticks"]["video"][k] - before["ticks"]["video"][k] for k in ("late", "skipped"))
    pictures = [b["pictures"] - a["pictures"] for a, b in zip(ears, heard, strict=True)]
    return Round(
        cores=spent / elapsed,
        parts=parts,
        decoded=grown("sources", "decoded", camera),
        dropped=grown("sources", "skipped", camera),
        encoded=grown("renditions", "frames"),
        voices=grown("sources", "decoded", talks),
        noises=grown("sources", "decoded", quiet),
        mixes=len(after["mixes"]),
        kbps=sum(row["kbps"] for row in after["renditions"]),
        late=bad / max(1, ticks),
        fps=min(pictures) / elapsed,
        longest_gap=max(ear["longest_gap"] for ear in heard),
        pictures=int(pictures[0]),
        wire_kbps=(heard[0]["bytes"] - ears[0]["bytes"]) * 8 / 1000 / elapsed,
        memory_mb=memory,
        latency_ms=after["latency_ms"],
    )
