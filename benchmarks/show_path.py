"""The whole path with real clients: what each sees and hears, how soon, and what is left when they have gone.

    python -m benchmarks.show_path [--only four codecs ...]

Two Chromium, one Firefox and libwebrtc against `mixdown serve`, all on this machine. `control` is the same measure
without the server: a direct call between two Chromium pages, or the same watcher while nothing happens.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import fanout
from benchmarks.record import load, machine, save

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.aiortc_client import AiortcClient, no_decoding
from support.chromium import chromium, chromium_client
from support.direct_call import connect, first_frame
from support.join_speed import click_to_frame
from support.layout_change import CENTRE_RIGHT, seconds_to_show
from support.leaks import holdings, run_churn, settled
from support.measure import FrameTimes
from support.meeting import four_clients, heard, tiles_of, until_right, watch_all
from support.page_client import init_script, only_codec
from support.server import running_server
from support.sources import source
from support.wrtc_client import WrtcClient

ROOM = "show"
WATCH_SECONDS = 15
JOINS = 20
FANOUT_PEERS = 32


@dataclass(frozen=True, slots=True)
class Figure:
    """good: the target is met. control: None where there is none."""

    name: str
    value: float
    unit: str
    target: str
    good: bool
    control: float | None = None
    note: str = ""


def at_most(name: str, value: float, limit: float, unit: str, control: float | None = None, note: str = "") -> Figure:
    return Figure(name, round(value, 3), unit, f"<= {limit:g}", value <= limit, control, note)


def at_least(name: str, value: float, limit: float, unit: str, control: float | None = None) -> Figure:
    return Figure(name, round(value, 3), unit, f">= {limit:g}", value >= limit, control)


@asynccontextmanager
async def without_server() -> AsyncIterator[tuple[FrameTimes, FrameTimes]]:
    async with chromium() as browser:
        pair = await chromium_client(browser, source(0, "caller")), await chromium_client(browser, source(1, "callee"))
        await connect(*pair)
        await asyncio.sleep(2)
        seen = await watch_all(pair, WATCH_SECONDS)
        yield seen["caller"], seen["callee"]


async def four() -> list[Figure]:
    """Four engines in one room: where, in what colour, how fluently, and who is heard."""
    async with without_server() as control:
        fps, longest = min(one.fps for one in control), max(one.longest for one in control)
    async with running_server() as server, chromium() as browser, four_clients(server.url, ROOM, browser) as clients:
        tiles = await tiles_of(server.api, ROOM, len(clients))
        by_id = {await client.participant(): client for client in clients}
        errors = [max((await until_right(client, tiles, by_id)).values()) for client in clients]
        seen = await watch_all(clients, WATCH_SECONDS)
        levels = [await heard(client, clients) for client in clients]
    console.print({name: f"{one.fps:.1f} fps, longest {one.longest * 1000:.0f} ms" for name, one in seen.items()})
    return [
        at_most("colour off, worst tile of 16", max(errors), 16, "of 255"),
        at_least("frame rate, worst client of 4", min(one.fps for one in seen.values()), 27, "fps", round(fps, 1)),
        at_most(
            "longest gap, worst client of 4",
            max(one.longest for one in seen.values()) * 1000,
            200,
            "ms",
            round(longest * 1000),
        ),
        at_least("own tone under the others'", min(min(others.values()) - own for own, others in levels), 40, "dB"),
        at_least("others' tones, quietest", min(min(others.values()) for _, others in levels), -45, "dBFS"),
    ]


async def codecs() -> list[Figure]:
    """Two that speak VP8 only, two that speak H.264 only."""
    async with running_server() as server, chromium() as browser:
        clients = [
            await chromium_client(browser, source(0), script=init_script(source(0)) + only_codec("VP8")),
            await chromium_client(browser, source(1), script=init_script(source(1)) + only_codec("H264")),
            AiortcClient(source(2), video="VP8"),
            AiortcClient(source(3), video="H264"),
        ]
        for client in clients:
            await client.join(server.url, ROOM)
            await client.wait_live()
        tiles = await tiles_of(server.api, ROOM, len(clients))
        by_id = {await client.participant(): client for client in clients}
        errors = [max((await until_right(client, tiles, by_id)).values()) for client in clients]
        for client in clients:
            await client.close()
    return [at_most("colour off, VP8-only with H264-only", max(errors), 16, "of 255")]


async def encoders() -> list[Figure]:
    """Sixteen receivers in two codecs."""
    async with running_server() as server:
        vp8 = [WrtcClient(source(n), send=n == 0) for n in range(8)]
        h264 = [AiortcClient(source(n), video="H264", send=False) for n in range(8)]
        with no_decoding():
            for one in vp8:
                await one.join(server.url, ROOM, role="participant" if one.send else "viewer")
            for other in h264:
                await other.join(server.url, ROOM, role="viewer")
            await asyncio.sleep(4)
            stats = await server.api.get(f"/v1/rooms/{ROOM}/stats")
            for client in [*vp8, *h264]:
                await client.close()
    served = sum(one["subscribers"] for one in stats["renditions"])
    count = len(stats["renditions"])
    note = f"{served} subscribers, {stats['cpu_cores']['total']:.2f} cores"
    return [Figure("encoders for 16 receivers in 2 codecs", count, "", "2", count == 2 and served == 16, None, note)]


async def joining() -> list[Figure]:
    """Click to first composite frame, in a room that is going on."""
    async with running_server() as server, chromium() as browser:
        host = WrtcClient(source(0))
        await host.join(server.url, ROOM)
        await host.wait_live()
        times = [await click_to_frame(browser, server.url, ROOM, n) for n in range(1, JOINS + 1)]
        await host.close()
        control = statistics.median([await first_frame(browser, n) for n in range(3)])
    median, note = statistics.median(times) * 1000, f"worst {max(times) * 1000:.0f}"
    return [at_most(f"click to first frame, median of {JOINS}", median, 1200, "ms", round(control * 1000), note)]


async def layouts() -> list[Figure]:
    async with running_server() as server, chromium() as browser:
        host = WrtcClient(source(0))
        client = await chromium_client(browser, source(1))
        await host.join(server.url, ROOM)
        await client.join(server.url, ROOM)
        await tiles_of(server.api, ROOM, 2)
        await asyncio.sleep(2)
        times = []
        for layout in ("single-speaker", "grid") * 5:
            times.append(await seconds_to_show(client, ROOM, layout, CENTRE_RIGHT))
            await asyncio.sleep(0.3)
        await host.close()
    note = f"median {statistics.median(times) * 1000:.0f}"
    return [at_most("layout change seen, worst of 10", max(times) * 1000, 300, "ms", None, note)]


async def comings() -> list[Figure]:
    """What a watcher sees of others' joins and leaves."""
    async with running_server() as server, chromium() as browser:
        watcher = await chromium_client(browser, source(0))
        await watcher.join(server.url, ROOM)
        await asyncio.sleep(2)
        quiet = await watcher.watch(10)
        await watcher.start_watch()
        for n in range(1, 9):
            guest = WrtcClient(source(n))
            await guest.join(server.url, ROOM)
            await guest.wait_live()
            await asyncio.sleep(0.4)
            await guest.leave()
            await guest.close()
        busy = await watcher.end_watch()
    return [at_most("longest gap over 8 joins and leaves", busy.longest * 1000, 100, "ms", round(quiet.longest * 1000))]


async def churn() -> list[Figure]:
    async with running_server() as server:
        await run_churn(server, ROOM, 40)
        before = await settled(server, holdings(server), timeout=2)
        await run_churn(server, ROOM, 200)
        after = await settled(server, before)
    return [
        at_most("memory kept after 200 joins and leaves", after.memory_mb - before.memory_mb, 20, "MB"),
        at_most("threads kept", after.threads - before.threads, 0, ""),
        at_most("descriptors kept", after.descriptors - before.descriptors, 0, ""),
    ]


async def sending() -> list[Figure]:
    """The sender's CPU per packet against stock aiortc's, as `python -m benchmarks.fanout` has it."""
    median = (await fanout.measure(FANOUT_PEERS, 6, 3))["median"]
    note = f"{median['mixdown_us']:.1f} us against {median['aiortc_us']:.1f}"
    return [at_most(f"CPU per packet at {FANOUT_PEERS} peers, of aiortc's", median["ratio"], 0.4, "", None, note)]


PARTS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    part.__name__: part for part in (four, codecs, encoders, joining, layouts, comings, sending, churn)
}
console = Console(highlight=False, width=150)


def show(figures: list[Figure], before: float) -> None:
    about = machine()
    table = Table(title=f"{about['processor']}, {about['cores']} cores, load {before}..{load()}, {about['commit']}")
    for heading in ("figure", "measured", "target", "control", "verdict", "note"):
        table.add_column(heading)
    for one in figures:
        control = "" if one.control is None else f"{one.control:g} {one.unit}"
        verdict = "[green]good[/]" if one.good else "[red]MISSED[/]"
        table.add_row(one.name, f"{one.value:g} {one.unit}", one.target, control, verdict, one.note)
    console.print(table)


async def run(names: list[str]) -> list[Figure]:
    figures = []
    for name in names:
        console.print(f"[bold]{name}[/]")
        figures += await PARTS[name]()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    before = load()
    figures = asyncio.run(run(options.only))
    show(figures, before)
    if options.only == list(PARTS):
        record = {"benchmark": "show_path", "machine": machine(), "load_before": before, "load_after": load()}
        save("show_path", {**record, "figures": [asdict(one) for one in figures]})
    return 0 if all(one.good for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
