"""A page without a network: no packet of either kind goes through, and the browser says that it is offline."""

from __future__ import annotations

import asyncio
import signal
import time

from playwright.async_api import Page
from support.server import Server


async def without_network(page: Page, server: Server, seconds: float) -> float:
    """When it came back, monotonic seconds.

    Chromium's own emulation stops HTTP, but not media: so the server stands still meanwhile, and answers nothing.
    """
    server.process.send_signal(signal.SIGSTOP)
    await page.context.set_offline(True)
    await asyncio.sleep(seconds)
    server.process.send_signal(signal.SIGCONT)
    await page.context.set_offline(False)
    return time.monotonic()
