"""The server's wall clock is set an hour on, and back, in the middle of a call: nobody notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser
from support.aiortc_client import AiortcClient
from support.chromium import chromium_client
from support.false_clock import HOUR, LIBRARIES, server_with_false_clock, watch, watch_a_step
from support.http import Api
from support.sources import source

SECONDS = 3.5


@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed: apt-get install faketime")
async def test_a_step_of_an_hour_changes_nothing(browser: Browser, tmp_path: Path) -> None:
    async with server_with_false_clock(tmp_path) as (server, clock):
        page, other = await chromium_client(browser, source(0)), AiortcClient(source(1))
        try:
            for client in (page, other):
                await client.join(server.url, "time")
                await client.wait_live()
            before = await people(server.api)
            usual = await watch(page, other.source.tone, SECONDS)
            for to in (HOUR, -HOUR):
                seen = await watch_a_step(page, other.source.tone, SECONDS, clock, to)
                # A busy machine must not fail this: `make show-network ARGS="--rows wall-clock"` gives the figures.
                assert seen.frames.longest < max(0.5, 2 * usual.frames.longest), (to, seen, usual)
                assert seen.frames.fps > 0.6 * usual.frames.fps, (to, seen, usual)
                assert seen.silence < max(0.1, 2 * usual.silence), (to, seen, usual)
            assert await people(server.api) == before
            assert await told(Api(server.url), other) == 200, "a token is not good any more"
        finally:
            await page.close()
            await other.close()


async def people(api: Api) -> list[tuple[str, str, str]]:
    found = await api.get("/v1/rooms/time/participants")
    return [(one["id"], one["state"], one["joined_at"]) for one in found]


async def told(api: Api, client: AiortcClient) -> int:
    """How the server answers to the token of an hour ago."""
    try:
        headers = {"Authorization": f"Bearer {client.joined['token']}"}
        return (await api.raw("GET", "/v1/rooms/time/participants", headers=headers)).status_code
    finally:
        await api.close()
