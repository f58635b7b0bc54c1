"""What several clients of one room are asked together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.firefox import firefox_client
from support.http import Api
from support.measure import FrameTimes, quadrant_points
from support.sources import Source, source
from support.wrtc_client import WrtcClient

CANVAS = (1280, 720)
COLOUR_TOLERANCE = 16
"Of 255: lossy coding twice, scaling, and rounding in two colour conversions."
OWN_VOICE_DOWN = 40
"dB that one's own tone must be under the others'."


class Client(Protocol):
    source: Source

    async def participant(self) -> str: ...
    async def error(self, points: Sequence[tuple[float, float]], source: Source) -> float: ...
    async def levels(self, tones: Sequence[int]) -> list[float]: ...
    async def start_watch(self) -> None: ...
    async def end_watch(self) -> FrameTimes: ...


async def tiles_of(api: Api, room: str, count: int, timeout: float = 15.0) -> Mapping[str, Any]:
    """The tiles once there are `count` of them at rest."""
    async with asyncio.timeout(timeout):
        while True:
            tiles = await api.tiles(room)
            if len(tiles["tiles"]) == count and tiles["settled"]:
                return tiles
            await asyncio.sleep(0.1)


async def picture_errors(viewer: Client, tiles: Mapping[str, Any], clients: Mapping[str, Client]) -> dict[str, float]:
    """By name of who is shown: how far its colours are off where `tiles` says it is, as the viewer sees it."""
    return {
        clients[tile["participant"]].source.name: await viewer.error(
            quadrant_points(tile, CANVAS), clients[tile["participant"]].source
        )
        for tile in tiles["tiles"]
    }


async def until_right(
    viewer: Client, tiles: Mapping[str, Any], clients: Mapping[str, Client], timeout: float = 15.0
) -> dict[str, float]:
    """The errors once all are small; after the timeout, as they are."""
    end = asyncio.get_running_loop().time() + timeout
    while True:
        errors = await picture_errors(viewer, tiles, clients)
        if max(errors.values()) <= COLOUR_TOLERANCE or asyncio.get_running_loop().time() > end:
            return errors
        await asyncio.sleep(0.3)


async def heard(viewer: Client, clients: Sequence[Client]) -> tuple[float, dict[str, float]]:
    """dB of one's own tone, and of the others'."""
    levels = await viewer.levels([client.source.tone for client in clients])
    by_name = {client.source.name: level for client, level in zip(clients, levels, strict=True)}
    return by_name.pop(viewer.source.name), by_name


async def watch_all(clients: Sequence[Client], seconds: float) -> dict[str, FrameTimes]:
    for client in clients:
        await client.start_watch()
    await asyncio.sleep(seconds)
    return {client.source.name: await client.end_watch() for client in clients}


@asynccontextmanager
async def four_clients(url: str, room: str, browser: Browser) -> AsyncIterator[list[Client]]:
    """Two Chromium, one Firefox, one libwebrtc, all in and live."""
    async with AsyncExitStack() as stack:
        first = await chromium_client(browser, source(0, "Chromium one"))
        second = await chromium_client(browser, source(1, "Chromium two"))
        third = await stack.enter_async_context(firefox_client(source(2, "Firefox")))
        fourth = WrtcClient(source(3, "libwebrtc"))
        stack.push_async_callback(fourth.close)
        for client in (first, second, third, fourth):
            await client.join(url, room)
            await client.wait_live()
        yield [first, second, third, fourth]
