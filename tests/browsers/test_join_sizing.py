"""A camera is sent as large as its largest tile."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.server import Server
from support.sources import source

ROOM = "sizes"
PATIENCE = 30.0


async def test_the_camera_is_as_large_as_its_tile(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0, "Sized"))
    await client.join(server.url, ROOM)
    await _sent(server, 360)
    await server.api.call("PUT", f"/v1/rooms/{ROOM}/layout", {"layout": "4x4"})
    await _sent(server, 180)
    assert (await client.evaluate("mixdown.encoding"))["maxBitrate"] <= 300_000
    await server.api.call("PUT", f"/v1/rooms/{ROOM}/layout", {"layout": "grid"})
    await _sent(server, 360)


async def _sent(server: Server, height: int) -> None:
    found = 0
    try:
        async with asyncio.timeout(PATIENCE):
            while found != height:
                await asyncio.sleep(0.3)
                found = (await server.api.get(f"/v1/rooms/{ROOM}/participants"))[0]["video"]["height"]
    except TimeoutError:
        raise AssertionError(f"the camera comes {found} lines high instead of {height}") from None


async def test_hysteresis(server: Server, browser: Browser) -> None:
    """Larger at once, smaller when it has been so for four seconds, never under 180 lines. The module by itself."""
    client = await chromium_client(browser, source(0))
    await client.page.goto(f"{server.url}/")
    steps = await client.evaluate(
        "import('/web/join/sizing.js').then(({ Sizing, STEPS }) => { const sizing = new Sizing();"
        " return [[720, 0], [360, 100], [720, 3000], [360, 3100], [360, 7000], [360, 7200], [90, 8000], [90, 12100],"
        " [0, 20000], [180, 30000]].map(([height, now]) => { sizing.look(height, now);"
        " return STEPS[sizing.step].height; }); })"
    )
    assert steps == [720, 720, 720, 720, 720, 360, 360, 180, 180, 180]
    portrait = await client.evaluate(
        "import('/web/join/sizing.js').then(({ Sizing }) => new Sizing().encoding({ width: 720, height: 1280 }))"
    )
    assert portrait["scaleResolutionDownBy"] == 2
