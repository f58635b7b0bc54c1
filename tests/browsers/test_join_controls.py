"""Every control of the join page, in both browsers, and its effect at another real client."""

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
from support.meeting import CANVAS, COLOUR_TOLERANCE
from support.page_client import PageClient
from support.server import Server
from support.sources import Source, source

PATIENCE = 25.0
"Seconds until what must come has come: machines that run tests are busy."
SCREEN = source(6, "screen")
SCREEN_TOLERANCE = 40
"Of 255: a canvas is sent in full range by Chromium, unlike a camera."
QUIETER = 25
"dB by which a tone falls when it is muted."


@asynccontextmanager
async def actor_in(name: str, browser: Browser) -> AsyncIterator[PageClient]:
    if name == "chromium":
        yield await chromium_client(browser, source(1, "Actor"))
        return
    if not Path(FIREFOX).exists():
        pytest.skip("firefox-esr is not installed: apt-get install firefox-esr")
    async with firefox_client(source(1, "Actor")) as client:
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

    async def click(self, part: str) -> None:
        await self.actor.evaluate(f"document.querySelector('mx-stage [data-part={part}]').click()")

    async def me(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.server.api.get(f"/v1/rooms/{self.room}/participants/{self.actor_id}")
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

    async def tile(self, kind: str) -> dict[str, Any] | None:
        tiles = (await self.server.api.tiles(self.room))["tiles"]
        return next((t for t in tiles if t["participant"] == self.actor_id and t["kind"] == kind), None)

    async def off_by(self, kind: str, wanted: Source) -> float:
        """How far the actor's tile is from colours, as the watcher sees it; 255 without a tile."""
        tile = await self.tile(kind)
        return 255.0 if tile is None else await self.watcher.error(quadrant_points(tile, CANVAS), wanted)

    async def level(self, tone: int) -> float:
        return (await self.watcher.levels([tone], 1.0))[0]


@asynccontextmanager
async def scene(name: str, server: Server, browser: Browser) -> AsyncIterator[Scene]:
    room = f"controls-{name}"
    watcher = await chromium_client(browser, source(0, "Watcher"))
    await watcher.join(server.url, room)
    async with actor_in(name, browser) as actor:
        await actor.open(server.url, room)
        screen = SCREEN.as_json() | {"fake_microphone": name == "firefox"}
        script = (Path(__file__).parents[1] / "support" / "screen.js").read_text()
        await actor.evaluate(script.replace("__SOURCE__", json.dumps(screen)))
        await actor.click_join()
        await actor.wait_live(PATIENCE)
        yield Scene(server, room, actor, watcher, await actor.participant())


@pytest.mark.parametrize("name", ["chromium", "firefox"])
async def test_every_control_has_its_effect_elsewhere(name: str, server: Server, browser: Browser) -> None:
    async with scene(name, server, browser) as here:
        await until("the watcher heard the tone of who came", lambda: here.watcher.evaluate("mixdown.tones >= 1"))
        await _own_picture(here)
        await _microphone(here)
        await _muted_by_another(here)
        await _camera(here)
        await _hand_and_people(here)
        await _views(here)
        await _screen(here, sound=name == "chromium")
        if name == "chromium":
            await _windows(here)
        await _leave(here)


async def _own_picture(here: Scene) -> None:
    """Mirrored, and where the tile is."""
    await here.actor.until("!document.querySelector('[data-part=self]').hidden", PATIENCE)

    async def lies_over() -> bool:
        tile = await here.tile("camera")
        if tile is None:
            return False
        box = await here.actor.evaluate(
            "(() => { const part = (name) => document.querySelector(`mx-stage [data-part=${name}]`)"
            ".getBoundingClientRect(); const [own, all] = [part('self'), part('frame')];"
            " return [(own.x - all.x) / all.width, (own.y - all.y) / all.height, own.width / all.width,"
            " own.height / all.height]; })()"
        )
        wanted = (tile["x"] / 1280, tile["y"] / 720, tile["width"] / 1280, tile["height"] / 720)
        return all(abs(a - b) < 0.02 for a, b in zip(box, wanted, strict=True))

    await until("one's own picture lies over one's own tile", lies_over)
    style = "getComputedStyle(document.querySelector('[data-part=self-video]')).transform"
    assert (await here.actor.evaluate(style)).startswith("matrix(-1,")


async def _microphone(here: Scene) -> None:
    tone = here.actor.source.tone
    before = await here.level(tone)
    await here.click("mic")
    await here.says(audio__muted=True, audio__muted_by="self")

    async def quiet() -> bool:
        return await here.level(tone) < before - QUIETER

    await until("the watcher hears the actor no more", quiet)
    await here.click("mic")
    await here.says(audio__muted=False)

    async def loud() -> bool:
        return await here.level(tone) > before - QUIETER / 2

    await until("the watcher hears the actor again", loud)


async def _muted_by_another(here: Scene) -> None:
    path = f"/v1/rooms/{here.room}/participants/{here.actor_id}"
    await here.server.api.call("PATCH", path, {"audio_muted": True})
    await here.actor.until("mixdown.pc.getSenders()[0].track.enabled === false", PATIENCE)
    said = await here.actor.evaluate("document.querySelector('[data-part=toast]').textContent")
    assert said == "You were muted by an admin."
    await here.actor.until("document.querySelector('mx-stage [data-part=mic]').ariaLabel === 'Unmute microphone'")
    await here.click("mic")
    await here.says(audio__muted=False)
    assert await here.actor.evaluate("mixdown.pc.getSenders()[0].track.enabled")


async def _camera(here: Scene) -> None:
    colours = here.actor.source

    async def seen() -> bool:
        return await here.off_by("camera", colours) <= COLOUR_TOLERANCE

    async def card() -> bool:
        return await here.off_by("camera", colours) > 60

    await until("the watcher sees the actor's camera", seen)
    await here.click("camera")
    await here.actor.until("mixdown.pc.getSenders()[1].track === null", PATIENCE)
    await here.says(video__muted=True)
    await until("the watcher sees a card in its place", card)
    await here.click("camera")
    await here.says(video__muted=False)
    await until("the watcher sees the actor's camera again", seen)


async def _hand_and_people(here: Scene) -> None:
    watcher = here.watcher
    await here.click("hand")
    await here.says(hand_raised=True)
    await watcher.until("!document.querySelector('mx-stage [data-part=unread]').hidden", PATIENCE)
    assert "Actor" in await watcher.evaluate("document.querySelector('[data-part=toast]').textContent")
    await watcher.evaluate("document.querySelector('mx-stage [data-part=people]').click()")
    assert await watcher.evaluate("document.querySelector('mx-stage [data-part=unread]').hidden")
    rows = "[...document.querySelectorAll('mx-people li')].map((row) => row.innerText)"
    await watcher.until(f"{rows}.length === 2", PATIENCE)
    first = (await watcher.evaluate(rows))[0]
    assert "Actor" in first and "Hand raised" in first and "connection" in first
    await here.click("hand")
    await here.says(hand_raised=False)
    await watcher.until(f"!{rows}.join().includes('Hand raised')", PATIENCE)
    await here.click("mic")
    await watcher.until(f"{rows}.join().includes('Muted')", PATIENCE)
    await here.click("mic")
    await here.says(audio__muted=False)
    await watcher.evaluate("document.querySelector('mx-people [data-part=close]').click()")


async def _views(here: Scene) -> None:
    actor = here.actor
    for view in ("auto-grid", "auto-speaker"):
        await actor.evaluate(f"document.querySelector('[data-view={view}]').click()")
        await here.says(view=view)
        await until(f"the actor sees the watcher where {view} has it", lambda view=view: _sees_watcher(here, view))
    await actor.evaluate("document.querySelector('[data-view=low]').click()")
    await here.says(view="low")
    await actor.until("document.querySelector('[data-part=composite]').videoHeight < 400", PATIENCE)
    await actor.evaluate("document.querySelector('[data-view=main]').click()")
    await here.says(view="main")
    await actor.until("document.querySelector('[data-part=composite]').videoHeight === 720", PATIENCE)
    checked = "document.querySelector('[data-view][aria-checked=true]').dataset.view"
    assert await actor.evaluate(checked) == "main"


async def _sees_watcher(here: Scene, view: str) -> bool:
    watcher = await here.watcher.participant()
    tiles = (await here.server.api.tiles(here.room, view))["tiles"]
    tile = next((tile for tile in tiles if tile["participant"] == watcher), None)
    if tile is None:
        return False
    return await here.actor.error(quadrant_points(tile, CANVAS), here.watcher.source) <= COLOUR_TOLERANCE


async def _screen(here: Scene, *, sound: bool) -> None:
    actor = here.actor
    offer = "mixdown.pc.localDescription.sdp.match(/o=.*/)[0]"
    before = await actor.evaluate(offer)
    await here.watcher.start_watch()
    await here.click("screen")

    async def seen() -> bool:
        return await here.off_by("screen", SCREEN) <= SCREEN_TOLERANCE

    async def gone() -> bool:
        return await here.tile("screen") is None

    await until("the watcher sees the screen", seen)
    if sound:
        await until("the watcher hears the screen", lambda: _louder(here, SCREEN.tone, -60))
    assert await actor.evaluate("document.querySelector('mx-stage [data-part=screen]').ariaPressed") == "true"
    await here.click("screen")
    await until("the screen is gone", gone)
    await here.click("screen")
    await until("the watcher sees the screen again", seen)
    await actor.evaluate("__endSharing()")
    await until("the screen is gone by the browser's own bar", gone)
    assert await actor.evaluate("document.querySelector('mx-stage [data-part=screen]').ariaPressed") == "false"
    assert await actor.evaluate(offer) == before, "sharing took another offer"
    times = await here.watcher.end_watch()
    assert times.longest < 5, f"the watcher's picture stood still: {times}"


async def _louder(here: Scene, tone: int, threshold: float) -> bool:
    return await here.level(tone) > threshold


async def _windows(here: Scene) -> None:
    """In Chromium: a headless Firefox has neither a full screen nor a second window."""
    actor = here.actor
    for part, element in (("full", "fullscreenElement"), ("picture", "pictureInPictureElement")):
        await here.click(part)
        await actor.until(f"document.{element} !== null", PATIENCE)
        await here.click(part)
        await actor.until(f"document.{element} === null", PATIENCE)


async def _leave(here: Scene) -> None:
    tones = await here.watcher.evaluate("mixdown.tones")
    await here.click("leave")
    await here.actor.until("!document.querySelector('mx-lobby').hidden", PATIENCE)
    await here.watcher.until(f"mixdown.tones > {tones}", PATIENCE)
    await here.watcher.until("document.querySelector('mx-stage [data-part=count]').textContent === '1'", PATIENCE)

    async def alone() -> bool:
        return len((await here.server.api.tiles(here.room))["tiles"]) == 1

    await until("the tile of who left is gone", alone)
