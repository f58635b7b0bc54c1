"""From the click on Join to the first frame of the composite, as the page itself sees it."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.sources import source


async def click_to_frame(browser: Browser, url: str, room: str, n: int) -> float:
    """Seconds. The client leaves again."""
    client = await chromium_client(browser, source(n))
    try:
        await client.open(url, room)
        await client.click_join()
        await client.until("__join.first !== null")
        milliseconds: float = await client.evaluate("__join.first - __join.clicked")
        await client.leave()
        await asyncio.sleep(0)
        return milliseconds / 1000
    finally:
        await client.close()
