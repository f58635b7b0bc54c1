from __future__ import annotations

import asyncio
import time

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.measure import quadrant_points
from support.meeting import CANVAS, COLOUR_TOLERANCE, tiles_of
from support.outage import without_network
from support.page_client import PageClient
from support.server import Server
from support.sources import source


async def shows_itself(server: Server, client: PageClient, room: str) -> None:
    """Its own tile in the composite carries its colours."""
    tiles = await tiles_of(server.api, room, 1)
    points = quadrant_points(tiles["tiles"][0], CANVAS)
    async with asyncio.timeout(15):
        while await client.error(points, client.source) > COLOUR_TOLERANCE:
            await asyncio.sleep(0.2)


async def test_a_reload_comes_back_as_itself(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "reload")
    before = await client.participant()
    await client.evaluate("document.querySelector('mx-stage [data-part=mic]').click()")
    await client.page.goto(await client.evaluate("location.href"))
    await client.wait_live()
    assert await client.participant() == before
    people = await server.api.get("/v1/rooms/reload/participants")
    assert [one["id"] for one in people] == [before]
    assert people[0]["audio"]["muted"], "a muted participant must not be heard again because of a reload"
    assert await client.evaluate("mixdown.pc.getSenders()[0].track.enabled") is False
    await shows_itself(server, client, "reload")


async def test_a_server_restart_brings_everybody_back(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "restart")
    before = await client.participant()
    assert await server.stop() == 0
    await client.until("mixdown.state === 'waiting'")
    assert await client.evaluate("!document.querySelector('[data-part=banner]').hidden")
    await server.start()
    await client.wait_live(30)
    assert await client.participant() == before
    await shows_itself(server, client, "restart")


async def test_two_tabs_are_two_participants(server: Server, browser: Browser) -> None:
    """A duplicated tab has a copy of the first one's token, and must not throw it out."""
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "tabs")
    first = await client.participant()
    session = await client.evaluate("sessionStorage.getItem('mixdown.session')")
    second = await client.page.page.context.new_page()
    await second.goto(f"{server.url}/web/shared/icon.svg")
    await second.evaluate("(text) => sessionStorage.setItem('mixdown.session', text)", session)
    await second.goto(f"{server.url}/?room=tabs")
    await second.wait_for_selector("mx-lobby:not([hidden]) [data-part=join]")
    assert await client.evaluate("mixdown.state") == "live"
    assert await client.participant() == first


async def test_an_outage_of_five_seconds(server: Server, browser: Browser) -> None:
    """Back as the same participant, one tile, still muted, and told of it meanwhile."""
    client = await chromium_client(browser, source(0))
    page = client.page.page  # type: ignore[attr-defined]
    await client.join(server.url, "outage")
    before = await client.participant()
    await client.evaluate("document.querySelector('mx-stage [data-part=mic]').click()")
    await client.evaluate("document.querySelector('mx-stage [data-part=hand]').click()")
    await client.until("mixdown.state === 'live'")
    outage = asyncio.create_task(without_network(page, server, 5.5))
    await client.until("document.querySelector('[data-part=banner-text]').textContent.includes('offline')")
    back = await outage
    await client.until("mixdown.state === 'live' && document.querySelector('[data-part=banner]').hidden", 30)
    print(f"live {time.monotonic() - back:.1f} s after the network")
    assert await client.participant() == before
    people = await server.api.get("/v1/rooms/outage/participants")
    assert [one["id"] for one in people] == [before]
    assert people[0]["audio"]["muted"] and people[0]["hand_raised"]
    assert await client.evaluate("mixdown.pc.getSenders()[0].track.enabled") is False
    await shows_itself(server, client, "outage")
