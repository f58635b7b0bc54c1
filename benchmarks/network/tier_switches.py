"""A hundred changes between the steps of quality, in both browsers: what is seen of each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from support.aiortc_client import no_decoding
from support.chromium import chromium, chromium_client
from support.direct_call import CONNECT, GATHERED, VIDEO
from support.firefox import firefox_client
from support.page_client import BLANK_PAGE, PageClient
from support.replay_client import ReplayClient
from support.server import Server, running_server
from support.sources import Source, source

from benchmarks.network.party import moving
from benchmarks.network.row import Figure, Measure, Row, at_least, at_most

EACH = 0.6
"Seconds a step is shown."
CEILINGS = (700_000, 200_000, 2_000_000, 200_000, 700_000, 2_000_000)
"bit/s: to medium, low, full, low, medium, full: each way between each two of them."
GAP = 100
SETTLE = 6.0
CLEAN = 5.0
ROOM = "steps"
PLI = """
__pc.getStats().then((all) => [...all.values()]
  .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')
  .reduce((sum, { pliCount }) => sum + pliCount, 0))
"""


@asynccontextmanager
async def in_chromium(who: Source) -> AsyncIterator[PageClient]:
    async with chromium() as browser:
        client = await chromium_client(browser, who)
        yield client


Browser = Callable[[Source], AbstractAsyncContextManager[PageClient]]


async def enter(server: Server, client: PageClient) -> str:
    """A call from a page of our own; returns the participant's id."""
    client.video = VIDEO
    await client.page.goto(BLANK_PAGE)
    await client.evaluate(CONNECT)
    await client.evaluate("__pc.createOffer().then((offer) => __pc.setLocalDescription(offer)).then(() => null)")
    offer = await client.evaluate(GATHERED)
    joined = await server.api.join(ROOM, client.source.name, offer["sdp"])
    answer = json.dumps({"type": "answer", "sdp": joined["sdp"]})
    await client.evaluate(f"__pc.setRemoteDescription({answer}).then(() => null)")
    await client.until(f"{VIDEO}.videoHeight === 720")
    return str(joined["id"])


async def switch(server: Server, client: PageClient, participant: str, count: int) -> list[str]:
    """Returns the steps that were really reached, one after each change."""
    path = f"/v1/rooms/{ROOM}/participants/{participant}"
    reached = []
    for n in range(count):
        await server.api.call("PATCH", path, {"max_bitrate": CEILINGS[n % len(CEILINGS)]})
        await asyncio.sleep(EACH)
        reached.append(f"{await client.evaluate(f'{client.video}.videoHeight')}")
    return reached


def switches(name: str, browser: Browser) -> Measure:
    async def measure(seed: int, seconds: float) -> list[Figure]:
        count = round(seconds / EACH)
        async with running_server() as server:
            with no_decoding():
                other = ReplayClient(moving(1, "Replay"))
                try:
                    await other.join(server.url, ROOM)
                    async with browser(source(0, "Switches")) as client:
                        return await watched(name, server, client, count)
                finally:
                    await other.close()

    return measure


async def watched(name: str, server: Server, client: PageClient, count: int) -> list[Figure]:
    participant = await enter(server, client)
    await asyncio.sleep(SETTLE)
    calm = await client.watch(CLEAN)
    before = await client.evaluate(PLI)
    await client.start_watch()
    reached = await switch(server, client, participant, count)
    seen, after = await client.end_watch(), await client.evaluate(PLI)
    changes = sum(a != b for a, b in zip(["720", *reached], reached, strict=False))
    steps = ", ".join(f"{reached.count(height)} x {height}" for height in sorted(set(reached), key=int))
    return [
        at_most(f"longest interval, {name}", 1000 * seen.longest, GAP, "ms", 1000 * calm.longest, steps),
        at_most(f"PLI in {count} switches, {name}", after - before, 0),
        at_least(f"changes seen, {name}", changes, count - 1, note=f"of {count}"),
    ]


ROWS = (
    Row("tier-switches-chromium", switches("Chromium", in_chromium), "100 forced tier switches", seconds=60, runs=1),
    Row("tier-switches-firefox", switches("Firefox", firefox_client), "100 forced tier switches", seconds=60, runs=1),
)
