"""Nothing passes for a while, in both directions: how soon after it there is a picture again, at both ends.

The page has no logic of its own and offers once, so what comes back comes back by itself.
"""

from __future__ import annotations

import asyncio
import time

from support.direct_call import VIDEO

from benchmarks.network.party import RTT, SUBJECT, Party, milliseconds, party
from benchmarks.network.row import Figure, Measure, Row, at_least, at_most

PATIENCE = 15.0
AFTER = 4.0
"Seconds after the first good frame in which the picture must run as before."


def blackout(length: float) -> Measure:
    async def measure(seed: int, seconds: float) -> list[Figure]:
        async with party(seed) as call:
            clean = await call.watch(3)
            for direction in ("up", "down"):
                await call.net.set(SUBJECT, direction, blackout=True)
            await asyncio.sleep(length)
            for direction in ("up", "down"):
                await call.net.set(SUBJECT, direction, delay=RTT / 2)
            own, tile = await asyncio.gather(own_picture(call), its_tile(call))
            run = (await call.watch(AFTER))[call.subject_id]
            state = await call.subject.evaluate("__pc.connectionState")
            trouble = await call.trouble()
        name = f"blackout of {length:g} s"
        was = clean[call.subject_id].fps
        note = f"RTT 50 ms; the page's transport: {state} {trouble}"
        return [
            at_most(f"its own picture again, {name}", milliseconds(own), 1000, "ms", None, note),
            at_most(f"its tile again at another's, {name}", milliseconds(tile), 1000, "ms"),
            at_least(f"its tile's frame rate afterwards, {name}", run.fps, 0.8 * was, "fps", round(was, 1)),
        ]

    return measure


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


ROWS = tuple(
    Row(f"blackout-{length}", blackout(length), f"blackout of {length} s both ways, RTT 50 ms", seconds=1)
    for length in (1, 5)
)
