"""What starting and stopping a screen share does to the others' picture, beside a control without."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from support.chromium import chromium, chromium_client
from support.page_client import PageClient
from support.server import running_server
from support.sharing import gaps_after, nothing, prepare_screen, toggle_share
from support.sources import source
from support.wrtc_client import WrtcClient

ROOM = "share"
TIMES = 10
GAP_MS = 200.0
"At 30 frames a second: five frames that are missed."
OVER_CONTROL_MS = 100.0


async def share() -> dict[str, float]:
    """TIMES starts and stops, watched by a Chromium and a libwebrtc client; as many looks without before. ms."""
    async with running_server() as server, chromium() as browser:
        actor = await chromium_client(browser, source(0, "Actor"))
        page = await chromium_client(browser, source(1, "Chromium"))
        other = WrtcClient(source(2, "libwebrtc"))
        try:
            for client in (actor, page, other):
                await client.join(server.url, ROOM)
                await client.wait_live()
            await prepare_screen(actor, source(6, "screen"))
            await asyncio.sleep(3)
            watchers = (page, other)
            control = [await _looks(nothing, watchers) for _ in range(2 * TIMES)]
            shared = [await _looks(partial(toggle_share, actor), watchers) for _ in range(2 * TIMES)]
            await _worked(actor, shared)
        finally:
            await other.close()
    return {
        "control_ms": max(control),
        "gap_ms": max(shared),
        "over_control_ms": max(shared) - max(control),
        "median_start_ms": statistics.median(shared[::2]),
        "median_stop_ms": statistics.median(shared[1::2]),
        "median_control_ms": statistics.median(control),
    }


async def _looks(act: Callable[[], Awaitable[None]], watchers: Sequence[PageClient | WrtcClient]) -> float:
    """ms of the longest gap that anybody saw."""
    return max(await gaps_after(act, watchers)) * 1000


async def _worked(actor: PageClient, shared: Sequence[float]) -> None:
    pressed = await actor.evaluate("document.querySelector('mx-stage [data-part=screen]').ariaPressed")
    started = await actor.evaluate("__shared.length")
    assert started and pressed == "false" and len(shared) == 2 * TIMES, (
        "the screen was not shared as often as it should"
    )
