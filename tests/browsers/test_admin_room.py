"""A room in the studio: its picture, its layout, what it costs, what happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, expect
from support.measure import quadrant_points
from support.meeting import CANVAS, COLOUR_TOLERANCE, tiles_of
from support.server import Server
from support.sources import source
from support.studio import LIVE, Studio, studio, until
from support.wrtc_client import WrtcClient

ROOM = "stage"
HEARD = -30.0
"dB: a tone that is there is over."


class Stage:
    def __init__(self, server: Server, people: list[WrtcClient], page: Studio) -> None:
        self.server, self.people, self.page = server, people, page

    async def view(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.server.api.get(f"/v1/rooms/{ROOM}/views/main")
        return found

    async def until_view(self, **wanted: Any) -> None:
        async def checked() -> bool:
            view = await self.view()
            return {name: view[name] for name in wanted} == wanted

        await until(f"the main view is {wanted}", checked)

    async def own_viewer(self) -> dict[str, Any]:
        people = await self.server.api.get(f"/v1/rooms/{ROOM}/participants")
        (own,) = [one for one in people if one["role"] == "viewer"]
        return dict(own)

    async def shows(self, client: WrtcClient) -> bool:
        """Whether the live picture shows somebody where `tiles` says."""
        tiles = (await self.server.api.tiles(ROOM))["tiles"]
        (tile,) = [one for one in tiles if one["participant"] == await client.participant()] or [None]
        if tile is None:
            return False
        return await self.page.picture.error(quadrant_points(tile, CANVAS), client.source) <= COLOUR_TOLERANCE


@pytest.fixture
async def stage(server: Server, browser: Browser) -> AsyncIterator[Stage]:
    people = [WrtcClient(source(0, "Ada")), WrtcClient(source(1, "Bob"))]
    page = await studio(browser, server.url, permissions=["clipboard-read", "clipboard-write"])
    try:
        for client in people:
            await client.join(server.url, ROOM)
            await client.wait_live()
        await tiles_of(server.api, ROOM, 2, 25)
        await page.open(ROOM)
        yield Stage(server, people, page)
        await page.close()
    finally:
        for client in people:
            await client.close()


async def test_the_layout_is_seen_at_once(stage: Stage) -> None:
    page = stage.page
    await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
    for client in stage.people:
        await until(f"the studio shows {client.source.name}", lambda client=client: stage.shows(client))  # type: ignore[misc]
    assert (await stage.own_viewer())["name"] == "Studio"
    await expect(page.page.locator("mx-person")).to_have_count(2)

    await _listens(stage)

    before = (await stage.server.api.tiles(ROOM))["tiles"]
    await page.button("side-by-side").click()
    await stage.until_view(layout="side-by-side")
    await expect(page.button("side-by-side")).to_have_attribute("aria-pressed", "true")
    await expect(page.button("grid")).to_have_attribute("aria-pressed", "false")

    await page.button("speaker").click()
    await stage.until_view(layout="speaker")
    await until("the tiles have other sizes", lambda: _sized_other_than(stage, before))
    await page.button("grid").click()
    await stage.until_view(layout="grid")
    for client in stage.people:
        await until(f"the studio shows {client.source.name} again", lambda client=client: stage.shows(client))  # type: ignore[misc]


async def _listens(stage: Stage) -> None:
    """Silent until it is asked for; then both are heard."""
    page = stage.page
    plays = f"(({{ muted, paused, volume }}) => !muted && !paused && volume === 1)({LIVE})"
    assert not await page.page.evaluate(plays)
    await page.button("Listen").click()
    await expect(page.button("Listen")).to_have_attribute("aria-pressed", "true")
    await until("the picture plays its sound", lambda: page.page.evaluate(plays))
    levels = await page.picture.levels([client.source.tone for client in stage.people])
    assert min(levels) > HEARD, levels
    await page.button("Listen").click()
    await expect(page.button("Listen")).to_have_attribute("aria-pressed", "false")
    assert not await page.page.evaluate(plays)


async def test_the_options_of_the_picture(stage: Stage) -> None:
    page = stage.page
    await page.button("Letterbox").click()
    await stage.until_view(fit="letterbox", layout="grid")
    # Not uncheck(), which looks at once: the event of the change before may come after the click, and shows what was.
    await page.page.get_by_label("Names").click()
    await stage.until_view(show_names=False, fit="letterbox")
    await expect(page.page.get_by_label("Names")).not_to_be_checked()
    await page.page.get_by_label("Background").fill("#aa2244")
    await stage.until_view(background="#aa2244", show_names=False)
    await until("the background is seen", lambda: _is_red(stage))

    first, second = [f"{await client.participant()}-camera" for client in stage.people]
    await page.button("Move Bob earlier").click()
    await stage.until_view(order=[second, first])
    await until("Bob sits before Ada", lambda: _before(stage, second, first))
    await page.button("Reset").click()
    await stage.until_view(order=[])

    await page.page.get_by_label("Name of a new view").fill("wall")
    await page.page.get_by_label("Layout of the new view").select_option("pip")
    await page.button("Add view").click()
    await expect(page.page.locator("mx-views li").filter(has_text="wall")).to_contain_text("pip · 1280×720 · 0 watch")
    await page.button("Delete the view wall").click()
    await expect(page.page.locator("mx-views li").filter(has_text="wall")).to_have_count(0)
    assert (await stage.server.api.raw("GET", f"/v1/rooms/{ROOM}/views/wall")).status_code == 404

    await page.page.get_by_label("View to watch").select_option("auto-speaker")
    await until("the viewer watches another view", lambda: _watches(stage, "auto-speaker"))
    await page.button("Lock").click()
    await expect(page.button("Unlock")).to_be_visible()
    assert (await stage.server.api.get(f"/v1/rooms/{ROOM}"))["locked"] is True
    await page.page.reload()  # a lock keeps guests out, and not who looks after the room
    await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
    for client in stage.people:
        await until(f"the studio shows {client.source.name}", lambda client=client: stage.shows(client))  # type: ignore[misc]


async def _sized_other_than(stage: Stage, before: list[dict[str, Any]]) -> bool:
    after = (await tiles_of(stage.server.api, ROOM, 2, 25))["tiles"]
    return {tile["width"] for tile in before} != {tile["width"] for tile in after}


async def _before(stage: Stage, first: str, second: str) -> bool:
    tiles = {tile["source"]: tile for tile in (await tiles_of(stage.server.api, ROOM, 2, 25))["tiles"]}
    return bool(tiles[first]["x"] < tiles[second]["x"])


async def _is_red(stage: Stage) -> bool:
    """At the lower edge, where two in a grid leave room."""
    ((red, green, blue),) = await stage.page.picture.colours([(0.5, 0.97)])
    return red > 130 and green < 80 and blue < 110


async def _watches(stage: Stage, view: str) -> bool:
    return bool((await stage.own_viewer())["view"] == view)


async def test_costs_events_and_calls(stage: Stage) -> None:
    page, api = stage.page, stage.server.api
    costs = page.page.locator("mx-costs")
    await expect(costs.get_by_role("row", name="main VP8 full")).to_contain_text("1280×720")
    await expect(costs.get_by_role("row", name="main VP8 full").get_by_role("cell").nth(2)).to_have_text("3")
    await until("the chart is drawn", lambda: _drawn(page))
    await expect(costs.locator("tr").filter(has=page.page.locator(".swatch.part-encode"))).to_contain_text("0.")

    events = page.page.locator("mx-events")
    await page.listening()
    await api.leave(ROOM, await stage.people[1].participant())
    await expect(events.locator("li").filter(has_text="participant_left")).to_contain_text("Bob")
    await events.get_by_label("Only events with these words").fill("nobody of that name")
    await expect(events.locator("li:visible")).to_have_count(0)
    await events.get_by_label("Only events with these words").fill("bob")
    await expect(events.locator("li:visible").first).to_contain_text("Bob")
    await events.get_by_label("People").uncheck()
    await expect(events.locator("li:visible").filter(has_text="participant_left")).to_have_count(0)

    await page.button("Letterbox").click()
    await stage.until_view(fit="letterbox")
    await page.button("curl").click()
    line = page.page.locator("mx-calls code").first
    await expect(line).to_contain_text(f"curl -X PUT '{stage.server.url}/v1/rooms/{ROOM}/layout'")
    await expect(line).to_contain_text('"fit":"letterbox"')
    await page.page.locator("mx-calls").get_by_role("button", name="Copy").first.click()
    assert await page.page.evaluate("navigator.clipboard.readText()") == await line.text_content()
    await page.page.locator("mx-calls").get_by_role("button", name="Close").click()
    await _invites(stage)


async def _invites(stage: Stage) -> None:
    """The join link: copied, shown, and read by a camera."""
    page, link = stage.page, f"{stage.server.url}/?room={ROOM}"
    clipboard = "navigator.clipboard.readText()"
    await page.button("Join link").click()
    await expect(page.page.get_by_text("The join link is copied.")).to_be_visible()
    assert await page.page.evaluate(clipboard) == link
    await page.page.evaluate("navigator.clipboard.writeText('')")

    await page.button("QR code").click()
    dialog = page.page.get_by_role("dialog", name=f"Invite to {ROOM}")
    await expect(dialog.get_by_label("Join link")).to_have_value(link)
    code = dialog.get_by_role("img", name=f"QR code of {link}")
    await until("the code is drawn", lambda: code.evaluate("(image) => image.complete && image.naturalWidth > 0"))
    picture = cv2.imdecode(np.frombuffer(await code.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    framed = cv2.copyMakeBorder(picture, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255)
    assert cv2.QRCodeDetector().detectAndDecode(framed)[0] == link
    await dialog.get_by_role("button", name="Copy").click()
    await expect(dialog.get_by_text("Copied.")).to_be_visible()
    assert await page.page.evaluate(clipboard) == link

    await page.page.evaluate("void (navigator.clipboard.writeText = async () => { throw new Error('no'); })")
    await dialog.get_by_role("button", name="Copy").click()
    await expect(dialog.get_by_text("copy it yourself")).to_be_visible()
    assert await page.page.evaluate("(({ activeElement: { value, selectionStart, selectionEnd } }) =>"
                                    " value.slice(selectionStart, selectionEnd))(document)") == link  # fmt: skip
    await page.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def _drawn(page: Studio) -> bool:
    return bool(await page.page.locator("mx-costs path.part-encode").get_attribute("d"))


async def test_ended_for_everybody_only_after_a_question(stage: Stage) -> None:
    page = stage.page
    await page.button("End room").click()
    await page.confirm("Cancel")
    assert (await stage.server.api.raw("GET", f"/v1/rooms/{ROOM}")).status_code == 200
    await page.button("End room").click()
    await page.confirm("End room")
    await expect(page.page.get_by_role("heading", name="Rooms", exact=True)).to_be_visible()
    await until("the room is gone", lambda: _gone(stage))


async def _gone(stage: Stage) -> bool:
    return bool((await stage.server.api.raw("GET", f"/v1/rooms/{ROOM}")).status_code == 404)


async def test_it_survives_a_restart_of_the_server(stage: Stage) -> None:
    page = stage.page
    await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
    await stage.server.stop()
    await expect(page.page.get_by_text("The server is away")).to_be_visible()
    await stage.server.start()
    await expect(page.page.get_by_text("The server is away")).to_be_hidden()
    await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
    await expect(page.person("Ada")).to_contain_text("disconnected")
    await expect(page.page.get_by_text("Events come again soon")).to_be_hidden()
