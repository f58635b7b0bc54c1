"""How late pictures and sound are in a room of N: from a sender's raw frame to a receiver's decoded one.

    python -m benchmarks.latency [--people 9] [--cases idle,silent,crosstalk] [--seconds 20] [--rounds 5] [--full]

N participants over WebRTC, in at 640x360 VP8 30/s 600 kb/s and Opus, out at 1280x720 30/s. Two of them encode as they
go, pictures with a number in them and sound with chirps, and one of the two talks; one decodes what it is sent as it
comes; the others send clips and a quiet room's noise. A picture's delay runs from its raw frame to the first composite,
decoded, that shows it; a chirp's from its raw block to when its first sample is decoded: both clients' codecs are in
it, no buffer of the receiver. The live cameras send 30.003 and 29.97 pictures a second; at which moment of the server's
ticks is chance, in each round anew.

idle: nothing else; silent: one of the N sends neither picture nor sound; crosstalk: three of the others talk as well,
all the time, so that ticks cannot follow one who talks; off-rate: the live cameras send 29.7 pictures a second, so that
all moments of a tick are met; loaded: other programs keep all processors at 80 % in all, clients and server included.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import numpy as np

from benchmarks.clients import clients
from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure, at_most
from benchmarks.latency.live import CAMERAS, OFF_RATE
from benchmarks.latency.load import machine_at
from benchmarks.latency.party import LIVE
from benchmarks.mixing.loads import Load
from benchmarks.plot import Bars, Panel
from benchmarks.record import ROOT
from benchmarks.sheet import Sheet, sheet

sys.path.insert(0, str(ROOT / "tests"))

from support.server import running_server

ROOM = "bench"
LOAD = 0.8
WARM_UP = 12.0
"Seconds: key frames for the joins are past, sender reports have told of capture times, load and ticks have settled."
PERCENTILES = (50, 95, 99)
VIDEO_P50, VIDEO_P95, AUDIO_P50 = 35.0, 55.0, 70.0
CASES = "idle,silent,crosstalk,off-rate,loaded"
JUDGED = ("idle", "silent", "crosstalk")
CROSSTALK = 3
"Who talk at the same time as the live one."
KINDS = {"video": "video", "talker": "of who talks", "listener": "of who listens", "audio": "audio"}
"What is measured, and its name in the table."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int)
    parser.add_argument("--cases", help=f"of {CASES}")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_measure(options))


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    cases = options.cases.split(",")
    found: dict[str, list[dict[str, Any]]] = {case: [] for case in cases}
    for _ in range(options.rounds):
        for case in cases:
            found[case].append(await _round(case, options.people, options.seconds))
    return {"cases": [{"case": case, "rounds": rounds} for case, rounds in found.items()]}


async def _round(case: str, people: int, seconds: float) -> dict[str, Any]:
    silent = int(case == "silent")
    others = people - LIVE - 1 - silent
    rates = ",".join(map(str, OFF_RATE if case == "off-rate" else CAMERAS))
    async with (
        running_server() as server,
        _crowd(server.url, others, CROSSTALK if case == "crosstalk" else 0),
        clients("benchmarks.latency.party", server.url, ROOM, "--silent", str(silent), "--rates", rates) as party,
        machine_at(LOAD if case == "loaded" else 0.0) as loads,
    ):
        await asyncio.sleep(WARM_UP)
        tiles = (await party.ask("places"))["tiles"]
        if tiles != people:
            raise RuntimeError(f"{tiles} tiles for {people} people")
        await party.ask("mark")
        loads.clear()
        await asyncio.sleep(seconds)
        ages, stats = await party.ask("ages"), await server.api.get(f"/v1/rooms/{ROOM}/stats")
        return summary(ages) | {"server_ms": stats["latency_ms"], "machine_load": statistics.mean(loads)}


def _crowd(url: str, people: int, talking: int) -> AbstractAsyncContextManager[object]:
    if not people:
        return nullcontext()
    return clients("benchmarks.mixing.crowd", url, ROOM, *Load(people, talking=talking).arguments)


def summary(ages: dict[str, Any]) -> dict[str, Any]:
    """Percentiles in milliseconds, and of how many."""
    rest = {name: value for name, value in ages.items() if name not in [f"{kind}_ms" for kind in KINDS]}
    for kind in KINDS:
        values = ages[f"{kind}_ms"]
        if not values:
            raise RuntimeError(f"no {kind} of the live senders came out")
        rest[kind] = {f"p{q}": float(np.percentile(values, q)) for q in PERCENTILES} | {"count": len(values)}
    return rest


def middle(record: Record, case: str, kind: str, name: str) -> float | None:
    """The median of the rounds, ms; None if the case was not measured."""
    rounds = next((each["rounds"] for each in record["cases"] if each["case"] == case), None)
    return statistics.median(each[kind][name] for each in rounds) if rounds else None


def figures(record: Record) -> list[Figure]:
    found = []
    for case in JUDGED:
        for kind, name, limit in (
            ("video", "p50", VIDEO_P50),
            ("video", "p95", VIDEO_P95),
            ("audio", "p50", AUDIO_P50),
        ):
            value = middle(record, case, kind, name)
            if value is not None:
                found.append(at_most(f"{kind}, {case}, {name}", value, limit, "ms"))
    return found


def sheets(record: Record) -> list[Sheet]:
    rows = []
    for each in record["cases"]:
        rounds = each["rounds"]
        load = statistics.median(100 * one["machine_load"] for one in rounds)
        for kind, name in KINDS.items():
            values = [middle(record, each["case"], kind, f"p{q}") for q in PERCENTILES]
            server = [_of_server(rounds, kind, q) for q in ("p50", "p95")]
            count = sum(one[kind]["count"] for one in rounds)
            rows.append((each["case"], name, *values, *server, f"{load:.0f}", count))
    first = record["cases"][0]["rounds"]
    codecs = [statistics.median(one[name] for one in first) for name in ("sender_encode_ms", "receiver_decode_ms")]
    title = f"latency, {record['options']['people']} people, ms; of it the sender's encoder {codecs[0]:.1f}, "
    title += f"the receiver's decoder {codecs[1]:.1f}"
    heads = ("case", "what", *(f"p{q}" for q in PERCENTILES), "server alone, p50", "p95", "machine, %", "measured")
    return [sheet(title, heads, rows)]


def _of_server(rounds: list[dict[str, Any]], kind: str, name: str) -> float | None:
    """As its stats have it, the median of the rounds; None for what they do not tell apart."""
    told = [one["server_ms"][kind][name] for one in rounds if kind in one["server_ms"]]
    return statistics.median(told) if told else None


def panels(record: Record) -> list[Panel]:
    cases = [each["case"] for each in record["cases"]]
    found: list[Panel] = []
    for kind, limits in (("video", {"p50": VIDEO_P50, "p95": VIDEO_P95}), ("audio", {"p50": AUDIO_P50})):
        series = {f"p{q}": [middle(record, case, kind, f"p{q}") for case in cases] for q in PERCENTILES}
        found.append(Bars(f"Delay of {kind}, frame in to frame out", "ms", cases, series, limits=limits))
    return found


BENCHMARK = Benchmark(
    name="latency",
    about=__doc__ or "",
    short={"people": 9, "cases": "idle,silent", "seconds": 12.0, "rounds": 1},
    full={"people": 9, "cases": CASES, "seconds": 20.0, "rounds": 5},
    options=options,
    measure=measure,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
