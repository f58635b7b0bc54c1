"""Debian's Chromium through Playwright, one process, one context (and so one storage and one window) per client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
from support.page_client import PageClient, init_script
from support.sources import Source

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=WebRtcHideLocalIpsWithMdns,CalculateNativeWinOcclusion,Translate,MediaRouter",
    "--allow-loopback-in-peer-connection",
    "--no-first-run",
)
VIEWPORT = {"width": 640, "height": 360}
"Small: what a test pays for is decoding, not drawing to a screen that nobody looks at."


class ChromiumPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def goto(self, url: str) -> None:
        await self.page.goto(url)

    async def evaluate(self, expression: str) -> Any:
        return await self.page.evaluate(expression)

    async def press(self, x: float, y: float) -> None:
        await self.page.mouse.click(x, y)

    async def screenshot(self) -> bytes:
        """PNG, of what is to be seen."""
        return await self.page.screenshot()

    async def close(self) -> None:
        await self.page.context.close()


async def chromium_client(browser: Browser, source: Source, *, script: str | None = None) -> PageClient:
    """A client in a context of its own. script: instead of the source's and the probe's."""
    context = await browser.new_context(viewport=VIEWPORT)
    await context.add_init_script(script if script is not None else init_script(source))
    return PageClient(ChromiumPage(await context.new_page()), source)


@asynccontextmanager
async def chromium(*more: str, executable: str = EXECUTABLE) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, headless=True, args=[*ARGUMENTS, *more], ignore_default_args=["--mute-audio"]
        )
        try:
            yield browser
        finally:
            await browser.close()
