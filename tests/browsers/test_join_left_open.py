from __future__ import annotations

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.page_client import source_script
from support.page_health import held, stir
from support.server import Server
from support.sources import source
from support.wrtc_client import WrtcClient

ROUNDS = 30
"Of three events each."
MORE_HEAP = 1_500_000
"Bytes. The garbage of some video frames may be there or not; what is held for each of 90 events would show."


async def test_a_page_left_open_holds_on_to_nothing(server: Server, browser: Browser) -> None:
    """Listeners and nodes stay the same over many events, memory nearly; benchmarks/show_pages.py looks for longer."""
    me = source(0, "Left open")  # without the probe, which keeps the time of each frame
    client = await chromium_client(browser, me, script=source_script(me))
    guest = WrtcClient(source(1))
    page = client.page.page  # type: ignore[attr-defined]
    try:
        await guest.join(server.url, "open")
        await guest.wait_live()
        await client.join(server.url, "open")
        await client.evaluate("document.querySelector('mx-stage [data-part=people]').click()")
        await client.until("document.querySelectorAll('mx-people li').length === 2")
        seen = []
        for _ in range(3):
            await stir(server, "open", await guest.participant(), ROUNDS)
            await client.until("document.querySelector('[data-part=live]').textContent === ''")
            seen.append(await held(page))
        print(seen)
        first, last = seen[0], seen[-1]
        assert abs(last.listeners - first.listeners) <= 5, seen
        assert abs(last.nodes - first.nodes) <= 60, seen
        assert last.heap - seen[1].heap < MORE_HEAP or seen[1].heap - first.heap < MORE_HEAP, seen
    finally:
        await guest.close()
