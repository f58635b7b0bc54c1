"""How soon what is said, muted and shown is heard, with real clients. The promised figures are `make show-sound`'s."""

from __future__ import annotations

import statistics

from playwright.async_api import Browser
from support.lips import direct_skews, lips_page, mixed_skews
from support.reaction import reactions
from support.server import Server


async def test_a_browser_s_lips_and_voice_stay_together(server: Server, browser: Browser) -> None:
    """Against a call without the server: what the browser's own capture is off by does not count."""
    page = await lips_page(browser)
    direct = await direct_skews(page, 6, 4)
    await page.close()
    page = await lips_page(browser)
    mixed = await mixed_skews(page, server.url, "lips", 10, 6)
    await page.close()
    assert len(direct) >= 3 and len(mixed) >= 5
    assert abs(statistics.median(mixed) - statistics.median(direct)) < 0.080, (direct, mixed)


async def test_mute_and_gain_by_http_are_soon_heard() -> None:
    for what, seconds in (await reactions(5)).items():
        assert statistics.median(seconds) < 0.100, (what, seconds)
