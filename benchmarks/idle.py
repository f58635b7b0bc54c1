"""What rooms cost that nobody is in: CPU and memory of a server with 500 of them, against the same server without any.

    python -m benchmarks.idle [--rooms 500] [--seconds 20] [--rounds 5] [--full] [--json FILE]

In each round a fresh server: first without rooms, then with all, made over HTTP. CPU is the process's own clock
(nanoseconds) while nobody calls. Memory is what is resident with all rooms less what was before, by room.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from typing import Any

from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure, at_most
from benchmarks.plot import Bars, Panel
from benchmarks.record import ROOT
from benchmarks.sheet import Sheet, sheet

sys.path.insert(0, str(ROOT / "tests"))

from support.server import Server, running_server

CPU_LIMIT = 1.0
"Thousandths of a core. In ten seconds less than the 10 ms in which the system's own accounts count a process's CPU."
BYTES_LIMIT = 50_000
WARM_UP = 20
"Rooms made and ended before: what the first rooms bring in for all is there then."
SETTLE = 2.0
FOREVER = 86_400
"Seconds for which an empty room is kept."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rooms", type=int)
    parser.add_argument("--seconds", type=float, help="of each look at the CPU")
    parser.add_argument("--rounds", type=int)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_measure(options.rooms, options.seconds, options.rounds))


async def _measure(rooms: int, seconds: float, rounds: int) -> dict[str, Any]:
    found = [await _round(rooms, seconds) for _ in range(rounds)]
    return {name: [each[name] for each in found] for name in found[0]}


async def _round(rooms: int, seconds: float) -> dict[str, float]:
    """A fresh server: in one that had rooms before, the memory of those would be used again and not be seen."""
    async with running_server("--max-rooms", str(rooms + WARM_UP)) as server:
        for n in range(WARM_UP):
            await server.api.call("POST", "/v1/rooms", {"id": f"warm-{n}"})
        for n in range(WARM_UP):
            await server.api.call("DELETE", f"/v1/rooms/warm-{n}")
        none, resident = await _cores(server, seconds), _resident(server)
        for n in range(rooms):
            await server.api.call("POST", "/v1/rooms", {"id": f"empty-{n}", "empty_timeout": FOREVER})
        loaded, grown = await _cores(server, seconds), _resident(server) - resident
        await _check(server, rooms)
    return {"none_cores": none, "all_cores": loaded, "bytes": grown / rooms}


async def _check(server: Server, rooms: int) -> None:
    """Raises RuntimeError if some have gone: nothing would have been measured."""
    found = len(await server.api.get("/v1/rooms"))
    if found != rooms:
        raise RuntimeError(f"{found} rooms instead of {rooms}")


async def _cores(server: Server, seconds: float) -> float:
    await asyncio.sleep(SETTLE)
    clock = _clock(server.process.pid)
    begun, spent = time.monotonic(), time.clock_gettime(clock)
    await asyncio.sleep(seconds)
    return (time.clock_gettime(clock) - spent) / max(1e-9, time.monotonic() - begun)


def _clock(process: int) -> int:
    """Linux' clock of another process's CPU time (clock_getcpuclockid(3))."""
    return (~process << 3) | 2


def _resident(server: Server) -> int:
    return int(server.process.memory_info().rss)


def figures(record: Record) -> list[Figure]:
    rooms = record["options"]["rooms"]
    none, loaded = (statistics.median(record[name]) for name in ("none_cores", "all_cores"))
    added = statistics.median(b - a for a, b in zip(record["none_cores"], record["all_cores"], strict=True))
    note = f"{1000 * none:.2f} without rooms, {1000 * loaded:.2f} with"
    memory = statistics.median(record["bytes"])
    return [
        at_most(f"CPU that {rooms} empty rooms add", 1000 * added, CPU_LIMIT, "thousandths of a core", note=note),
        at_most("memory of an empty room", memory / 1000, BYTES_LIMIT / 1000, "kB"),
    ]


def sheets(record: Record) -> list[Sheet]:
    rows = [
        (str(n + 1), f"{1000 * none:.3f}", f"{1000 * loaded:.3f}", f"{memory / 1000:.1f}")
        for n, (none, loaded, memory) in enumerate(
            zip(record["none_cores"], record["all_cores"], record["bytes"], strict=True)
        )
    ]
    heads = ("round", "without rooms, thousandths of a core", "with", "kB a room")
    return [sheet(f"idle: {record['options']['rooms']} empty rooms", heads, rows)]


def panels(record: Record) -> list[Panel]:
    rounds = [str(n + 1) for n in range(len(record["bytes"]))]
    series = {
        "no rooms": [1000 * value for value in record["none_cores"]],
        f"{record['options']['rooms']} rooms": [1000 * value for value in record["all_cores"]],
    }
    return [Bars("An idle server", "thousandths of a core, by round", rounds, series)]


BENCHMARK = Benchmark(
    name="idle",
    about=__doc__ or "",
    short={"rooms": 500, "seconds": 5.0, "rounds": 1},
    full={"rooms": 500, "seconds": 20.0, "rounds": 5},
    options=options,
    measure=measure,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
