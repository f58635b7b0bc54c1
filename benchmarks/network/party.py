"""Four in a room: one in a browser behind the emulated network, three next to the server who cost little."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from support.aiortc_client import no_decoding
from support.freezes import Run
from support.meeting import tiles_of
from support.network.emulator import Network, emulated
from support.network.page import chromium_in, page_in_call
from support.network.watcher import Watcher
from support.page_client import PageClient
from support.replay_client import ReplayClient
from support.server import Server, running_server
from support.sources import Source, source

ROOM = "network"
SUBJECT = "subject"
SETTLE = 6.0
"Seconds: bandwidth estimates have risen, key frames for the joins are past."
RTT = 0.05
QUARTERS = "quarters"
SLOTS = [
    {"id": str(n + 1), "area": {"left": left, "top": top, "width": "1/2", "height": "1/2"}}
    for n, (left, top) in enumerate((x, y) for y in ("0", "1/2") for x in ("0", "1/2"))
]
"Tiles exactly as large as the sources: pictures can be compared with them."


def moving(n: int, name: str | None = None) -> Source:
    return replace(source(n, name), moving=True)


@dataclass(slots=True)
class Party:
    """subject: whose network is bad; the watcher sees everybody's tile. others: participants of the replaying ones."""

    server: Server
    net: Network
    subject: PageClient
    subject_id: str
    watcher: Watcher
    others: list[str]
    replayed: list[ReplayClient]

    async def watch(self, seconds: float) -> dict[str, Run]:
        """How every tile ran, by participant."""
        self.watcher.begin()
        await asyncio.sleep(seconds)
        return self.watcher.runs()

    async def key_frames(self) -> int:
        """Of the picture at its full tier, so far: what those on good lines watch."""
        stats = await self.server.api.get(f"/v1/rooms/{ROOM}/stats")
        return sum(one["keyframes"] for one in stats["renditions"] if one["tier"] == "full")

    async def trouble(self) -> str:
        """What went wrong with the emulator itself, which a figure must not be blamed on."""
        totals = (await self.net.stats())["totals"]
        if totals["overrun"] or totals["late"] > 0.01 * totals["delivered"]:
            return f"emulator: {totals['late']} of {totals['delivered']} late, {totals['overrun']} overrun"
        return ""

    def steps(self) -> str:
        """What the server did about its peers' lines so far, and why, by its log."""
        lines = [json.loads(one) for one in self.server.log.read_text().splitlines() if '"event"' in one]
        return "; ".join(_step(one) for one in lines if one["event"] in ("- tier", "x probe"))


def _step(line: dict[str, Any]) -> str:
    if line["event"] == "x probe":
        return str(line["saw"])
    return f"{line['before']} > {line['now']}: {line['kbps']} kb/s, queue {line['queue_ms']} ms, {line['because']}"


@asynccontextmanager
async def party(seed: int, rtt: float = RTT) -> AsyncIterator[Party]:
    """All in and settled, without loss; the dice at their beginning. rtt: seconds, of the subject's way."""
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(emulated([SUBJECT], seed))
        for direction in ("up", "down"):
            await net.set(SUBJECT, direction, delay=rtt / 2)
        server = await stack.enter_async_context(running_server("--media-address", net.server))
        await server.api.call("PUT", f"/v1/layouts/{QUARTERS}", {"slots": SLOTS})
        stack.enter_context(no_decoding())
        replayed = [ReplayClient(moving(n, f"Replay {n}")) for n in (1, 2)]
        watcher = Watcher(moving(3, "Watcher"), send=True)
        for client in (*replayed, watcher):
            stack.push_async_callback(client.close)
            await client.join(server.url, ROOM)
        await watcher.wait_live()
        browser = await stack.enter_async_context(chromium_in(net, SUBJECT))
        page, participant = await page_in_call(browser, moving(0, "Subject"), server.api, ROOM)
        others = [await client.participant() for client in replayed]
        by_id = dict(zip(others, (client.source for client in replayed), strict=True))
        await server.api.call("PUT", f"/v1/rooms/{ROOM}/layout", {"layout": QUARTERS})
        await asyncio.sleep(1)
        watcher.look_at(await tiles_of(server.api, ROOM, 4), {**by_id, participant: None})
        await asyncio.sleep(SETTLE)
        await net.reseed()
        yield Party(server, net, page, participant, watcher, others, replayed)


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1) if math.isfinite(seconds) else math.inf
