"""A studio that is left open: what it holds does not grow with what happens and with where one goes."""

from __future__ import annotations

from playwright.async_api import Browser, CDPSession, expect
from support.server import Server
from support.sources import source
from support.studio import Studio, studio, until
from support.wrtc_client import WrtcClient

EVENTS = 250
ROUNDS = 4


async def held(session: CDPSession) -> dict[str, float]:
    """Listeners and nodes, without what only waits to be collected."""
    await session.send("HeapProfiler.collectGarbage")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return {one["name"]: one["value"] for one in metrics if one["name"] in ("JSEventListeners", "Nodes")}


async def _flat(session: CDPSession, before: dict[str, float]) -> bool:
    after = await held(session)
    return after["JSEventListeners"] <= before["JSEventListeners"] + 40 and after["Nodes"] <= before["Nodes"] + 400


async def go_round(page: Studio) -> None:
    """From the list to the room, and back."""
    await page.page.get_by_role("link", name="Open room long").click()
    await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(page.person("Ada")).to_be_visible()
    await page.page.get_by_role("link", name="All rooms").click()
    await expect(page.page.locator("mx-room-card")).to_have_count(1)


async def test_listeners_and_nodes_stay_as_they_were(server: Server, browser: Browser) -> None:
    client = WrtcClient(source(0, "Ada"))
    page = await studio(browser, server.url)
    try:
        await client.join(server.url, "long")
        await client.wait_live()
        session = await page.page.context.new_cdp_session(page.page)
        await session.send("Performance.enable")
        await page.open()
        for _ in range(2):
            await go_round(page)
        before = await held(session)
        for _ in range(ROUNDS):
            await go_round(page)
        await until(f"as little is held as before: {before}", lambda: _flat(session, before))
    finally:
        await client.close()
    await page.close()


async def test_the_list_of_events_is_bounded(server: Server, browser: Browser) -> None:
    client = WrtcClient(source(0, "Ada"))
    page = await studio(browser, server.url)
    try:
        await client.join(server.url, "many")
        await client.wait_live()
        await page.open("many")
        await page.listening()
        path = f"/v1/rooms/many/participants/{await client.participant()}"
        for n in range(EVENTS):
            await server.api.call("PATCH", path, {"name": f"Ada {n}"})
            if n % 50 == 49:  # no faster than a page on a busy machine reads: who is too slow starts anew
                await expect(page.page.locator("mx-events li").filter(has_text=f"Ada {n}").first).to_be_visible()
        assert await page.page.locator("mx-events li").count() == 200
    finally:
        await client.close()
    await page.close()
