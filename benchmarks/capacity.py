"""How many fit: participants, and viewers, until 1 % of the server's ticks are late.

    python -m benchmarks.capacity [--kinds participants,viewers] [--seconds 8] [--most 64] [--most-viewers 400]
                                  [--steps 3] [--full] [--json FILE]

participants: all send 640x360 VP8 30/s 600 kb/s and Opus, three talk, and are sent 1280x720 30/s. viewers: of four such
senders. The number is doubled until it is too many, then the interval is halved; each try is a fresh server with real
WebRTC clients. Late: ticks of picture or sound, whichever is worse, that began over 10 ms late or were skipped. Too
many is also where joins fail. The clients run on the same machine and take their share: a server alone carries more.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure
from benchmarks.mixing.loads import Load
from benchmarks.mixing.room import crowd
from benchmarks.plot import Lines, Panel
from benchmarks.record import ROOT
from benchmarks.sheet import Sheet, sheet

sys.path.insert(0, str(ROOT / "tests"))

from support.server import Server, running_server

LATE = 0.01
WARM_UP = 6.0
ROOM = "bench"
FIRST = {"participants": 4, "viewers": 25}
SENDERS = 4
"That viewers watch."


@dataclass(frozen=True, slots=True)
class Try:
    """late: share of ticks; cores: of the server's processes; error: why it was given up."""

    count: int
    late: float
    cores: float = 0.0
    error: str = ""

    @property
    def fits(self) -> bool:
        return not self.error and self.late <= LATE


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kinds", help="of participants, viewers")
    parser.add_argument("--seconds", type=float, help="of each try")
    parser.add_argument("--most", type=int, help="participants that are tried at most")
    parser.add_argument("--most-viewers", type=int)
    parser.add_argument("--steps", type=int, help="halvings once a number was too many")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    found = {}
    for kind in options.kinds.split(","):
        most = options.most if kind == "participants" else options.most_viewers

        async def one(count: int, kind: str = kind) -> Try:
            return await attempt(kind, count, options.seconds)

        found[kind] = [asdict(each) for each in asyncio.run(search(one, FIRST[kind], most, options.steps))]
    return {"tries": found}


async def search(attempt: Callable[[int], Awaitable[Try]], first: int, most: int, steps: int) -> list[Try]:
    """Doubles from `first` until too many or `most`, then halves the interval `steps` times."""
    tries = [await attempt(min(first, most))]
    while tries[-1].fits and tries[-1].count < most:
        tries.append(await attempt(min(most, 2 * tries[-1].count)))
    if tries[-1].fits:
        return tries
    good, bad = max((each.count for each in tries if each.fits), default=0), tries[-1].count
    for _ in range(steps):
        if bad - good < 2:
            break
        tries.append(await attempt((good + bad) // 2))
        if tries[-1].fits:
            good = tries[-1].count
        else:
            bad = tries[-1].count
    return tries


async def attempt(kind: str, count: int, seconds: float) -> Try:
    load = Load(count) if kind == "participants" else Load(SENDERS, viewers=count)
    try:
        async with (
            running_server("--max-participants", str(count + SENDERS)) as server,
            crowd(server.url, ROOM, load),
        ):
            return await _watch(server, count, seconds)
    except (RuntimeError, TimeoutError, OSError, AssertionError) as error:
        return Try(count, 1.0, error=f"{type(error).__name__}: {error}"[:200])


async def _watch(server: Server, count: int, seconds: float) -> Try:
    await asyncio.sleep(WARM_UP)
    before, spent, begun = await _ticks(server), server.cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    cores = (server.cpu_seconds() - spent) / (time.monotonic() - begun)
    return Try(count, late_share(before, await _ticks(server)), cores)


async def _ticks(server: Server) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = (await server.api.get(f"/v1/rooms/{ROOM}/stats"))["ticks"]
    return found


def late_share(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> float:
    """Of 1, of the worse of picture and sound; skipped ticks count as late ones."""
    shares = []
    for kind in ("video", "audio"):
        grown = {name: after[kind][name] - before[kind][name] for name in ("count", "late", "skipped")}
        due = grown["count"] + grown["skipped"]
        shares.append((grown["late"] + grown["skipped"]) / due if due else 1.0)
    return max(shares)


def carried(tries: list[dict[str, Any]]) -> tuple[int, bool]:
    """(the largest number that fitted with none smaller that did not, whether more might have)."""
    over = [one["count"] for one in tries if not Try(**one).fits]
    limit = min(over, default=None)
    fitted = [one["count"] for one in tries if Try(**one).fits and (limit is None or one["count"] < limit)]
    return max(fitted, default=0), limit is None


def figures(record: Record) -> list[Figure]:
    """None: what is wanted is the number itself."""
    return []


def sheets(record: Record) -> list[Sheet]:
    found = []
    for kind, tries in record["tries"].items():
        most, more = carried(tries)
        rows = [
            (one["count"], f"{100 * one['late']:.2f}", one["cores"], one["error"] or None)
            for one in sorted(tries, key=lambda one: int(one["count"]))
        ]
        title = f"capacity: {most} {kind}{' or more' if more else ''} with at most 1 % of ticks late"
        found.append(sheet(title, (kind, "late, %", "server, cores", "given up"), rows))
    return found


def panels(record: Record) -> list[Panel]:
    found: list[Panel] = []
    for kind, tries in record["tries"].items():
        points = sorted((one["count"], 100 * one["late"]) for one in tries if not one["error"])
        if points:
            found.append(Lines(f"Late ticks by {kind}", kind, "%", {"late": points}, log=True, limits={"1 %": 1.0}))
    return found


BENCHMARK = Benchmark(
    name="capacity",
    about=__doc__ or "",
    short={"kinds": "participants,viewers", "seconds": 5.0, "most": 16, "most_viewers": 50, "steps": 0},
    full={"kinds": "participants,viewers", "seconds": 10.0, "most": 64, "most_viewers": 400, "steps": 3},
    options=options,
    measure=measure,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
