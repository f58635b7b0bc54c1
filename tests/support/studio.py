"""The admin's studio in Chromium, as an admin handles it: by what buttons and fields are called."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect
from support.chromium import ChromiumPage
from support.page_client import PageClient, init_script
from support.sources import source

DEADLINE = 25.0
"Seconds in which something must have come about, on a machine with much else to do."
expect.set_options(timeout=DEADLINE * 1000)

LIVE = "document.querySelector('mx-live video')"


async def until(what: str, check: Callable[[], Awaitable[bool]], timeout: float = DEADLINE) -> None:
    """Waits until `check` says so. Raises AssertionError with `what` after the timeout."""
    end = asyncio.get_running_loop().time() + timeout
    while not await check():
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        await asyncio.sleep(0.1)


class Studio:
    """One page in a context of its own."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(DEADLINE * 1000)

    async def open(self, room: str | None = None) -> None:
        await self.page.goto(f"{self.url}/admin#/" + (f"rooms/{room}" if room else ""))

    async def listening(self) -> None:
        """Once it hears of the room's events."""
        await expect(self.page.locator("mx-events li").filter(has_text="snapshot").first).to_be_attached()

    def person(self, name: str) -> Locator:
        return self.page.locator("mx-person").filter(has=self.page.get_by_text(name, exact=True))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def confirm(self, verb: str) -> None:
        await self.page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()

    @property
    def picture(self) -> PageClient:
        """What it shows live, to be measured."""
        return PageClient(ChromiumPage(self.page), source(9), video=LIVE)

    async def close(self) -> None:
        await self.page.context.close()
        assert not self.errors, self.errors


async def studio(browser: Browser, url: str, width: int = 1280, height: int = 900, **context: Any) -> Studio:
    opened = await browser.new_context(viewport={"width": width, "height": height}, **context)
    await opened.add_init_script(init_script(source(9)))
    return Studio(await opened.new_page(), url)
