"""How soon things are seen. The promised figures are in benchmarks/show_path.py; here only what no load excuses."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.join_speed import click_to_frame
from support.layout_change import CENTRE_RIGHT, seconds_to_show
from support.meeting import tiles_of
from support.server import Server
from support.sources import source
from support.wrtc_client import WrtcClient


async def test_a_joiner_soon_sees_a_room_that_is_going_on(server: Server, browser: Browser) -> None:
    host = WrtcClient(source(0))
    try:
        await host.join(server.url, "soon")
        await host.wait_live()
        times = [await click_to_frame(browser, server.url, "soon", n) for n in (1, 2, 3)]
        assert sorted(times)[1] < 3, times
    finally:
        await host.close()


async def test_a_layout_is_soon_seen(server: Server, browser: Browser) -> None:
    host = WrtcClient(source(0))
    client = await chromium_client(browser, source(1))
    try:
        await host.join(server.url, "layout")
        await client.join(server.url, "layout")
        await tiles_of(server.api, "layout", 2)
        await asyncio.sleep(1)
        times = [
            await seconds_to_show(client, "layout", layout, CENTRE_RIGHT)
            for layout in ("single-speaker", "grid", "single-speaker", "grid")
        ]
        assert sorted(times)[1] < 1.5, times
    finally:
        await host.close()


async def test_joins_and_leaves_do_not_stop_the_others(server: Server, browser: Browser) -> None:
    """The longest gap while others come and go, against the longest while nobody does."""
    watcher = await chromium_client(browser, source(0))
    await watcher.join(server.url, "coming")
    await asyncio.sleep(1)
    quiet = await watcher.watch(4)
    await watcher.start_watch()
    for n in range(1, 5):
        guest = WrtcClient(source(n))
        try:
            await guest.join(server.url, "coming")
            await guest.wait_live()
            await guest.leave()
        finally:
            await guest.close()
    busy = await watcher.end_watch()
    assert busy.longest < max(0.3, 4 * quiet.longest), (quiet, busy)
