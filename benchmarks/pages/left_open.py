"""A join page that is left open: what it holds on to, minute by minute, while the room goes on around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from playwright.async_api import Browser
from support.chromium import chromium, chromium_client
from support.page_client import PageClient, source_script
from support.page_health import Held, held, renderer_memory, stir
from support.server import Server, running_server
from support.sources import Source, source
from support.wrtc_client import WrtcClient

ROOM = "left-open"
CANVAS = {"width": 640, "height": 360, "fps": 15}
"Small: the page is looked at, not the pictures, and the machine may have other work."
STIR_SECONDS = 50
QUIET_SECONDS = 8
"After which toasts and live regions are empty again, so that each minute is looked at in the same state."
TAIL_MINUTES = 20
"The slopes are those of the last so many minutes: caches and compiled code are filled by then."
MORE_AN_HOUR = {"listeners": 10.0, "nodes": 10.0, "heap": 0.5e6, "renderer": 20e6}
"Growth that counts as none. heap, renderer: bytes; a working day of it is some MB, and noise is about a tenth."
ACTIONS = ("mic", "mic", "hand", "hand", "people", "people", "camera", "camera")


@dataclass(frozen=True, slots=True)
class Minute:
    """renderer: bytes of the page's process that it shares with nobody, media and compiled code included."""

    listeners: int
    nodes: int
    heap: int
    renderer: int


async def left_open(minutes: float, told: Callable[[Minute], None]) -> list[Minute]:
    """After each minute; told: as it comes."""
    async with running_server() as server, chromium() as browser:
        await server.api.call("POST", "/v1/rooms", {"id": ROOM, "canvas": CANVAS})
        me = _small(0, "Left open")  # without the probe, which keeps the time of each frame
        client = await chromium_client(browser, me, script=source_script(me))
        guest = WrtcClient(_small(1))
        try:
            await guest.join(server.url, ROOM)
            await guest.wait_live()
            await client.join(server.url, ROOM)
            await client.evaluate("document.querySelector('mx-stage [data-part=people]').click()")
            seen: list[Minute] = []
            end = asyncio.get_running_loop().time() + minutes * 60
            while asyncio.get_running_loop().time() < end:
                await _minute(server, client, guest)
                seen.append(await _look(browser, client))
                told(seen[-1])
            return seen
        finally:
            await guest.close()


def _small(n: int, name: str | None = None) -> Source:
    return replace(source(n, name), width=320, height=180, fps=15)


async def _minute(server: Server, client: PageClient, guest: WrtcClient) -> None:
    """Three events each second (hand and name, mute, layout), voices, one who comes and goes, own clicks, a view."""
    end = asyncio.get_running_loop().time() + STIR_SECONDS + QUIET_SECONDS
    around = asyncio.create_task(_around(server, client))
    for n in range(STIR_SECONDS):
        await stir(server, ROOM, await guest.participant(), 1, first=n)
        await asyncio.sleep(1)
    await around
    await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))


async def _around(server: Server, client: PageClient) -> None:
    visitor = WrtcClient(_small(2, "Visitor"))
    try:
        await visitor.join(server.url, ROOM)
        await visitor.wait_live()
        await asyncio.sleep(8)
        await visitor.leave()
    finally:
        await visitor.close()
    for part in ACTIONS:
        await client.evaluate(f"document.querySelector('mx-stage [data-part={part}]').click()")
        await asyncio.sleep(1)
    for view in ("auto-speaker", "main"):
        await client.evaluate(f"document.querySelector('[data-view={view}]').click()")
        await asyncio.sleep(2)


async def _look(browser: Browser, client: PageClient) -> Minute:
    people = await client.evaluate("document.querySelectorAll('mx-people li').length")
    state = await client.evaluate("mixdown.state")
    assert (state, people) == ("live", 2), f"the page is {state} and lists {people}: what it holds says nothing"
    now: Held = await held(client.page.page)  # type: ignore[attr-defined]
    return Minute(now.listeners, now.nodes, now.heap, await renderer_memory(browser))


def slopes(seen: Sequence[Minute]) -> dict[str, float]:
    """What each figure grows by in an hour: a straight line through the last TAIL_MINUTES."""
    tail = seen[-TAIL_MINUTES:]
    if len(tail) < 3:
        return dict.fromkeys(MORE_AN_HOUR, float("inf"))
    minutes = np.arange(len(tail))
    return {name: float(np.polyfit(minutes, [getattr(one, name) for one in tail], 1)[0]) * 60 for name in MORE_AN_HOUR}
