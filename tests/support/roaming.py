"""A browser that moves from network to network: Chromium in a namespace, on the server's HTTPS as from elsewhere."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.async_api import Browser
from support.chromium import EXECUTABLE, VIEWPORT, ChromiumPage, chromium
from support.firefox import firefox_client
from support.namespace import Namespace, namespace
from support.page_client import PageClient, init_script
from support.server import Server, running_server
from support.sources import Source

STEADY_FRAMES = 20
"In a row, before the picture counts as back."
BEFORE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Return:
    """seconds: from the network to the first new frame. gap: how long there was none. offers: what the page made."""

    seconds: float
    gap: float
    offers: int


@asynccontextmanager
async def chromium_inside(place: Namespace) -> AsyncIterator[Browser]:
    """Its contexts have to be made with `ignore_https_errors`: the server's certificate is its own."""
    with tempfile.TemporaryDirectory(prefix="mixdown-roaming-") as folder:
        script = Path(folder, "chromium")
        script.write_text(f'#!/bin/sh\nexec {shlex.join(place.command(EXECUTABLE))} "$@"\n')
        script.chmod(0o755)
        async with chromium("--ignore-certificate-errors", executable=str(script)) as browser:
            yield browser


@asynccontextmanager
async def roamer(source: Source, *, firefox: bool = False) -> AsyncIterator[tuple[Namespace, Server, PageClient]]:
    """A place without a cable yet, a server that it will reach, and a page in it, in Chromium or Firefox."""
    with namespace() as place:
        async with running_server("--media-address", place.service, lan=place.service) as server:
            inside = firefox_client(source, place=place) if firefox else _chromium_page(source, place)
            async with inside as client:
                yield place, server, client


@asynccontextmanager
async def _chromium_page(source: Source, place: Namespace) -> AsyncIterator[PageClient]:
    async with chromium_inside(place) as browser:
        context = await browser.new_context(viewport=VIEWPORT, ignore_https_errors=True)
        await context.grant_permissions(["camera", "microphone"])  # or it tells no address of its own
        await context.add_init_script(init_script(source))
        yield PageClient(ChromiumPage(await context.new_page()), source)


async def back_after(client: PageClient, change: Callable[[], Awaitable[None]], timeout: float = 25.0) -> Return:
    """Lets the picture run, changes something, and takes the time from the change's end to the picture's return.

    The return is the end of the longest gap between two frames. Raises TimeoutError if there is none.
    """
    joins = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/participants')).length"
    frames = f"__probe.of({client.video}).frames"
    before = await client.evaluate(joins)
    await client.start_watch()
    await asyncio.sleep(BEFORE_SECONDS)
    await change()
    up = await client.evaluate("performance.now()")
    steady = f"mixdown.state === 'live' && {frames}.filter(([time]) => time > {up} + 100).length > {STEADY_FRAMES}"
    await client.until(steady, timeout)
    times: list[float] = [time for time, _ in await client.evaluate(frames)]
    gap, back = max((after - earlier, after) for earlier, after in pairwise(times))
    return Return((back - up) / 1000, gap / 1000, await client.evaluate(joins) - before)
