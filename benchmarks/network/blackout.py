"""Nothing passes for a while, in both directions: how soon after it there is a picture again, at both ends.

The page has no logic of its own and offers once, so what comes back comes back by itself.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from support.direct_call import VIDEO
from support.roaming import back_after, roamer
from support.sources import source

from benchmarks.network.party import RTT, SETTLE, SUBJECT, Party, milliseconds, party
from benchmarks.network.row import Figure, Row, at_least, at_most
from benchmarks.pages.roaming import ROOM, Traveller

LENGTHS = (1, 5)
PATIENCE = 15.0
AFTER = 4.0
"Seconds after the first good frame in which the picture must run as before."


async def blackouts(seed: int, seconds: float) -> list[Figure]:
    async with party(seed) as call:
        clean, own_clean = await asyncio.gather(call.watch(3), call.subject.watch(3))
        usual = own_clean.fps, clean[call.subject_id].fps
        found = [one for length in LENGTHS for one in await blackout(call, length, usual)]
        state = await call.subject.evaluate("__pc.connectionState")
        trouble = await call.trouble()
    return [replace(found[0], note=f"RTT 50 ms; the page's transport: {state} {trouble}"), *found[1:]]


async def blackout(call: Party, length: float, usual: tuple[float, float]) -> list[Figure]:
    """usual: frames a second of its own picture, and of its tile elsewhere."""
    for direction in ("up", "down"):
        await call.net.set(SUBJECT, direction, blackout=True)
    await asyncio.sleep(length)
    for direction in ("up", "down"):
        await call.net.set(SUBJECT, direction, delay=RTT / 2)
    own, tile = await asyncio.gather(own_picture(call), its_tile(call))
    tiles, own_after = await asyncio.gather(call.watch(AFTER), call.subject.watch(AFTER))
    name, after = f"blackout of {length:g} s", tiles[call.subject_id]
    own_usual, tile_usual = usual
    return [
        at_most(f"its own picture again, {name}", milliseconds(own), 1000, "ms"),
        at_most(f"its tile again at another's, {name}", milliseconds(tile), 1000, "ms"),
        at_least(f"its own frame rate after it, {name}", own_after.fps, 0.8 * own_usual, "fps", round(own_usual, 1)),
        at_least(f"its tile's frame rate after it, {name}", after.fps, 0.8 * tile_usual, "fps", round(tile_usual, 1)),
    ]


async def own_picture(call: Party) -> float:
    """Seconds from now to the first frame that the page shows."""
    now = await call.subject.evaluate("performance.now()")
    first = f"__probe.of({VIDEO}).frames.find(([at]) => at > {now})?.[0]"
    try:
        return (await call.subject.until(first, PATIENCE) - now) / 1000
    except TimeoutError:
        return PATIENCE


async def its_tile(call: Party) -> float:
    """Seconds from now to the first change of its tile in the watcher's picture."""
    start = time.monotonic()
    tile = call.watcher.tiles_seen[call.subject_id]
    while time.monotonic() < start + PATIENCE:
        if tile.changes and tile.changes[-1] > start:
            return next(at for at in tile.changes if at > start) - start
        await asyncio.sleep(0.005)
    return PATIENCE


async def in_firefox(seed: int, seconds: float) -> list[Figure]:
    """The join page in Firefox: its picture, and what it took."""
    async with roamer(source(0), firefox=True) as (place, server, client):
        traveller = Traveller(place)
        await client.join(server.lan_url, ROOM)
        await asyncio.sleep(SETTLE)
        seen = [await back_after(client, lambda: traveller.blackout(1)) for _ in range(round(seconds))]
        assert min(one.gap for one in seen) > 0.9, "the network was not away"
    worst = max(one.seconds for one in seen)
    note = "each: " + ", ".join(f"{one.seconds:.2f}" for one in seen)
    return [
        at_most("Firefox's own picture again, blackout of 1 s", 1000 * worst, 1000, "ms", None, note),
        at_most("new offers for it", sum(one.offers for one in seen), 0),
    ]


ROWS = (
    Row("blackout", blackouts, "blackouts of 1 and 5 s both ways, RTT 50 ms", seconds=1),
    Row("blackout-firefox", in_firefox, "blackouts of 1 s both ways, the join page in Firefox", seconds=3),
)
