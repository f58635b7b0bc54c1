"""The server's wall clock is set an hour on, and back, in the middle of a call: what is seen and heard of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from support.aiortc_client import AiortcClient
from support.chromium import chromium, chromium_client
from support.false_clock import HOUR, server_with_false_clock, watch, watch_a_step
from support.sources import source

from benchmarks.network.row import Figure, Row, at_least, at_most

ROOM = "time"
TICK = 1000 / 30
"Milliseconds: a frame that comes one tick later than in the undisturbed stretches is chance."
NOISE = 5.0
"Milliseconds of silence that are none: the tone is looked at in pieces of 10 ms."


async def wall_clock(seed: int, seconds: float) -> list[Figure]:
    """Undisturbed stretches, and as many with a step in the middle, in turn: +1 h, back, -1 h."""
    with tempfile.TemporaryDirectory(prefix="mixdown-clock-") as folder:
        async with server_with_false_clock(Path(folder)) as (server, clock), chromium() as browser:
            page, other = await chromium_client(browser, source(0)), AiortcClient(source(1))
            try:
                for client in (page, other):
                    await client.join(server.url, ROOM)
                    await client.wait_live()
                before = await server.api.get(f"/v1/rooms/{ROOM}/participants")
                await watch(page, other.source.tone, 3)
                usual, seen = [], []
                for to in (HOUR, 0, -HOUR):
                    usual.append(await watch(page, other.source.tone, seconds))
                    seen.append(await watch_a_step(page, other.source.tone, seconds, clock, to))
                after = await server.api.get(f"/v1/rooms/{ROOM}/participants")
            finally:
                await page.close()
                await other.close()
    stayed = sum(any(one["id"] == old["id"] and one["state"] == "connected" for one in after) for old in before)
    interval, control = (1000 * max(one.frames.longest for one in runs) for runs in (seen, usual))
    silence, quiet = (1000 * max(one.silence for one in runs) for runs in (seen, usual))
    rate, usually = (min(one.frames.fps for one in runs) for runs in (seen, usual))
    note = "by step: " + ", ".join(
        f"{one.frames.fps:.1f} ({before.frames.fps:.1f})" for one, before in zip(seen, usual, strict=True)
    )
    return [
        at_most("longest interval of frames", interval, control + TICK, "ms", round(control, 1)),
        at_least("frames a second", rate, usually - 0.5, "", round(usually, 2), note),
        at_most("longest hole in a tone", silence, quiet + NOISE, "ms", round(quiet, 1)),
        at_least("participants who stayed", stayed, len(before)),
    ]


ROWS = (Row("wall-clock", wall_clock, "wall clock +1 h, back, -1 h (libfaketime)", seconds=6),)
