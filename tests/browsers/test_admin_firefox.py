"""The studio in Firefox: its controls one after the other, and their effect at a participant and at the server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.firefox import EXECUTABLE, firefox_client
from support.measure import quadrant_points
from support.meeting import CANVAS, COLOUR_TOLERANCE, tiles_of
from support.page_client import PageClient
from support.server import Server
from support.sources import source
from support.studio import DEADLINE, LIVE, until
from support.studio_pair import HEARD, ROOM, Pair
from support.wrtc_client import WrtcClient

FIND = """((name) => [...document.querySelectorAll('button, select, input, li')].find((one) => one.checkVisibility()
  && [one.ariaLabel, one.textContent.trim(), one.labels?.[0]?.textContent.trim()].includes(name)))"""


class Firefox(Pair):
    """Their studio, handled by what its controls are called."""

    def __init__(self, server: Server, ada: WrtcClient, bob: WrtcClient, page: PageClient) -> None:
        super().__init__(server, ada, bob)
        self.page = page

    async def click(self, name: str, where: str = "document") -> None:
        find = FIND.replace("document.query", f"{where}.query")
        await self.page.until(f"!!{find}({json.dumps(name)})", DEADLINE)
        await self.page.evaluate(f"{find}({json.dumps(name)}).click()")

    async def set(self, name: str, value: str) -> None:
        """A field, a slider or a choice, as by hand."""
        await self.page.until(f"!!{FIND}({json.dumps(name)})", DEADLINE)
        await self.page.evaluate(
            f"((one) => {{ one.value = {json.dumps(value)}; for (const type of ['input', 'change'])"
            f" one.dispatchEvent(new Event(type, {{ bubbles: true }})); }})({FIND}({json.dumps(name)}))"
        )

    async def confirm(self, verb: str) -> None:
        await self.page.until("!!document.querySelector('dialog[open]')", DEADLINE)
        await self.click(verb, "document.querySelector('dialog[open]')")

    async def until_room(self, path: str, **wanted: Any) -> None:
        async def checked() -> bool:
            found = await self.server.api.get(f"/v1/rooms/{ROOM}{path}")
            return {name: found[name] for name in wanted} == wanted

        await until(f"{path or 'the room'} is {wanted}", checked)

    async def shows(self, client: WrtcClient) -> bool:
        """Whether its live picture shows somebody where `tiles` says."""
        tiles = {one["source"]: one for one in (await self.server.api.tiles(ROOM))["tiles"]}
        points = quadrant_points(tiles[f"{await client.participant()}-camera"], CANVAS)
        return await self.page.error(points, client.source) <= COLOUR_TOLERANCE


@pytest.fixture
async def firefox(server: Server) -> AsyncIterator[Firefox]:
    if not Path(EXECUTABLE).exists():
        pytest.skip("firefox-esr is not installed: apt-get install firefox-esr")
    ada, bob = WrtcClient(source(0, "Ada"), screen=source(5)), WrtcClient(source(1, "Bob"))
    try:
        await ada.join(server.url, ROOM)
        await bob.join(server.url, ROOM)
        await bob.wait_live()
        async with firefox_client(source(9)) as page:
            page.video = LIVE
            await page.page.goto(f"{server.url}/admin#/rooms/{ROOM}")
            yield Firefox(server, ada, bob, page)
    finally:
        await ada.close()
        await bob.close()


async def test_every_control_of_the_studio(firefox: Firefox) -> None:
    await firefox.page.until(f"{LIVE}?.videoWidth > 0", DEADLINE)
    await _picture(firefox)
    await _layouts(firefox)
    await _sound_and_camera(firefox)
    await _standing(firefox)
    await _put_out(firefox)


async def _picture(firefox: Firefox) -> None:
    for client in (firefox.ada, firefox.bob):
        await until(f"the studio shows {client.source.name}", lambda client=client: firefox.shows(client))  # type: ignore[misc]
    await firefox.until_heard(True)
    await firefox.click("Listen")
    await firefox.page.until(f"!{LIVE}.muted && !{LIVE}.paused", DEADLINE)
    levels = await firefox.page.levels([firefox.ada.source.tone, firefox.bob.source.tone])
    assert min(levels) > HEARD, levels
    await firefox.click("Listen")
    await firefox.page.until(f"{LIVE}.muted", DEADLINE)


async def _layouts(firefox: Firefox) -> None:
    for name in ("speaker", "side-by-side", "grid"):
        await firefox.click(name)
        await firefox.until_room("/views/main", layout=name)
    await firefox.click("Letterbox")
    await firefox.until_room("/views/main", fit="letterbox")
    await firefox.click("Crop")
    await firefox.until_room("/views/main", fit="crop")
    await firefox.click("Lock")
    await firefox.until_room("", locked=True)
    await firefox.click("Unlock")
    await firefox.until_room("", locked=False)


async def _sound_and_camera(firefox: Firefox) -> None:
    await firefox.click("Mute Ada")
    await firefox.until_ada("muted", lambda one: one["audio"]["muted_by"] == "admin")
    await firefox.until_heard(False)
    await firefox.click("Unmute Ada")
    await firefox.until_heard(True)
    await firefox.set("Gain of Ada", "-60")
    await firefox.until_ada("turned down", lambda one: one["gain_db"] == -60)
    await firefox.until_heard(False)
    await firefox.set("Gain of Ada", "0")
    await firefox.until_heard(True)
    camera = f"{await firefox.ada.participant()}-camera"
    await firefox.until_seen(firefox.ada.source, camera, True)
    await firefox.click("Turn the camera of Ada off")
    await firefox.until_seen(firefox.ada.source, camera, False)
    await firefox.click("Turn the camera of Ada on")
    await firefox.until_seen(firefox.ada.source, camera, True)


async def _standing(firefox: Firefox) -> None:
    await firefox.click("Pin Ada")
    await firefox.until_ada("pinned", lambda one: one["pinned"])
    await firefox.click("Unpin Ada")
    await firefox.until_ada("not pinned", lambda one: not one["pinned"])
    await firefox.set("Role of Ada", "moderator")
    await firefox.until_ada("a moderator", lambda one: one["role"] == "moderator")
    ada = await firefox.ada.participant()
    await firefox.server.api.call("PATCH", f"/v1/rooms/{ROOM}/participants/{ada}", {"hand_raised": True})
    await firefox.click("Lower the hand of Ada")
    await firefox.until_ada("without a hand", lambda one: not one["hand_raised"])
    assert firefox.ada.screen is not None
    await firefox.until_seen(firefox.ada.screen, f"{ada}-screen", True)
    await firefox.click("Stop the screen share of Ada")
    await firefox.until_seen(firefox.ada.screen, f"{ada}-screen", False)


async def _put_out(firefox: Firefox) -> None:
    path = f"/v1/rooms/{ROOM}/participants/{await firefox.ada.participant()}"
    await firefox.click("Remove Ada")
    await firefox.confirm("Cancel")
    assert (await firefox.server.api.raw("GET", path)).status_code == 200
    await firefox.click("Remove Ada")
    await firefox.confirm("Remove")
    await tiles_of(firefox.server.api, ROOM, 1, 25)
    assert (await firefox.server.api.raw("GET", path)).status_code == 404
    await firefox.click("End room")
    await firefox.confirm("End room")

    async def gone() -> bool:
        return bool((await firefox.server.api.raw("GET", f"/v1/rooms/{ROOM}")).status_code == 404)

    await until("the room is gone", gone)
