from __future__ import annotations

import json

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.server import Server
from support.sources import source

CASES = (
    # silent, answered, hinted: ms, ms or None, bool
    ((300, None, False), "fine"),
    ((300, None, True), "suspicious"),
    ((1_500, None, False), "suspicious"),
    ((1_500, 1_200, False), "suspicious"),
    ((1_500, 1_200, True), "gone"),
    ((2_500, 500, False), "suspicious"),
    ((2_500, 1_200, False), "gone"),
    ((7_900, None, True), "suspicious"),
    ((8_100, None, False), "gone"),
)


async def test_when_a_silent_transport_is_given_up(server: Server, browser: Browser) -> None:
    """The module by itself: without an answer of the server there is no network, and another offer gains nothing."""
    client = await chromium_client(browser, source(0))
    await client.page.goto(f"{server.url}/web/shared/icon.svg")
    for (silent, answered, hinted), expected in CASES:
        seen = json.dumps({"silent": silent, "answered": answered, "hinted": hinted})
        got = await client.evaluate(f"import('/web/shared/patience.js').then(({{ verdict }}) => verdict({seen}))")
        assert got == expected, seen
