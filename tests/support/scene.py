"""Somebody who uses the join page's controls, in either browser, and somebody in Chromium who watches the effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser
from support.chromium import chromium_client
from support.firefox import EXECUTABLE as FIREFOX
from support.firefox import firefox_client
from support.measure import quadrant_points
from support.meeting import CANVAS
from support.page_client import PageClient
from support.server import Server
from support.sources import Source, source

PATIENCE = 25.0
"Seconds until what must come has come: machines that run tests are busy."
SCREEN = source(6, "screen")
SCREEN_TOLERANCE = 40
"Of 255: a canvas is sent in full range by Chromium, unlike a camera."
HERE = Path(__file__).parent


@asynccontextmanager
async def actor_in(name: str, browser: Browser) -> AsyncIterator[PageClient]:
    if name == "chromium":
        yield await chromium_client(browser, source(1, "Actor"))
        return
    if not Path(FIREFOX).exists():
        pytest.skip("firefox-esr is not installed: apt-get install firefox-esr")
    async with firefox_client(source(1, "Actor"), focused=True) as client:
        yield client


async def until(what: str, holds: Callable[[], Awaitable[Any]]) -> Any:
    """What `holds` answers once it is true."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not (value := await holds()):
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"in {PATIENCE} s it did not come to be that {what}") from None
    return value


class Scene:
    """An actor whose controls are used, and a watcher in Chromium in the same room."""

    def __init__(self, server: Server, room: str, actor: PageClient, watcher: PageClient, actor_id: str) -> None:
        self.server, self.room = server, room
        self.actor, self.watcher, self.actor_id = actor, watcher, actor_id

    @property
    def path(self) -> str:
        """The actor's, in the API."""
        return f"/v1/rooms/{self.room}/participants/{self.actor_id}"

    async def click(self, part: str, *, twice: bool = False) -> None:
        """twice: as in a double click."""
        click = f"document.querySelector('mx-stage [data-part={part}]').click()"
        await self.actor.evaluate(f"{click}, {click}" if twice else click)

    async def run(self, script: str, **values: Any) -> None:
        """A script of this folder in the actor's page; `__NAME__` in it is replaced by the JSON of a value."""
        text = (HERE / script).read_text()
        for name, value in values.items():
            text = text.replace(f"__{name}__", json.dumps(value))
        await self.actor.evaluate(text)

    async def me(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.server.api.get(self.path)
        return found

    async def says(self, **wanted: Any) -> None:
        """Until the server says so: names as in `audio__muted`."""

        async def holds() -> bool:
            me = await self.me()
            for name, value in wanted.items():
                outer, _, inner = name.partition("__")
                if (me[outer][inner] if inner else me[outer]) != value:
                    return False
            return True

        await until(f"the server says {wanted}", holds)

    async def told(self, words: str) -> None:
        """Until the actor's page has said so."""
        said = "document.querySelector('mx-stage [data-part=toast]').textContent"

        async def holds() -> bool:
            return words in await self.actor.evaluate(said)

        await until(f"the page says {words!r}", holds)

    async def tile(self, kind: str) -> dict[str, Any] | None:
        tiles = (await self.server.api.tiles(self.room))["tiles"]
        return next((t for t in tiles if t["participant"] == self.actor_id and t["kind"] == kind), None)

    async def off_by(self, kind: str, wanted: Source) -> float:
        """How far the actor's tile is from colours, as the watcher sees it; 255 without a tile."""
        tile = await self.tile(kind)
        return 255.0 if tile is None else await self.watcher.error(quadrant_points(tile, CANVAS), wanted)

    async def until_seen(self, kind: str, wanted: Source, tolerance: float) -> None:
        async def seen() -> bool:
            return await self.off_by(kind, wanted) <= tolerance

        await until(f"the watcher sees {wanted.name} as the actor's {kind}", seen)

    async def until_no_tile(self, kind: str) -> None:
        async def gone() -> bool:
            return await self.tile(kind) is None

        await until(f"the actor's {kind} has no tile", gone)

    async def level(self, tone: int) -> float:
        return (await self.watcher.levels([tone], 1.0))[0]

    async def until_heard(self, tone: int, *, over: float = -200.0, under: float = 0.0) -> None:
        """dB, as the watcher hears it."""

        async def holds() -> bool:
            return over < await self.level(tone) < under

        await until(f"the watcher hears {tone} Hz at {over} to {under} dB", holds)


@asynccontextmanager
async def scene(name: str, server: Server, browser: Browser, room: str = "controls") -> AsyncIterator[Scene]:
    room = f"{room}-{name}"
    watcher = await chromium_client(browser, source(0, "Watcher"))
    await watcher.join(server.url, room)
    async with actor_in(name, browser) as actor:
        await actor.open(server.url, room)
        here = Scene(server, room, actor, watcher, "")
        await here.run("screen.js", SOURCE=SCREEN.as_json() | {"fake_microphone": name == "firefox"})
        await actor.click_join()
        await actor.wait_live(PATIENCE)
        here.actor_id = await actor.participant()
        yield here
