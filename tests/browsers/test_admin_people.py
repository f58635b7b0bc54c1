"""What an admin does to people, by the studio's buttons, checked at the server and at another participant."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect
from support.meeting import tiles_of
from support.server import Server
from support.sources import source
from support.studio import Studio, studio
from support.studio_pair import ROOM, Pair
from support.wrtc_client import WrtcClient


class Meeting(Pair):
    """And the studio that looks at them."""

    def __init__(self, server: Server, ada: WrtcClient, bob: WrtcClient, page: Studio) -> None:
        super().__init__(server, ada, bob)
        self.page = page


@pytest.fixture
async def meeting(server: Server, browser: Browser) -> AsyncIterator[Meeting]:
    ada = WrtcClient(source(0, "Ada"), screen=source(5))
    bob = WrtcClient(source(1, "Bob"))
    page = await studio(browser, server.url)
    try:
        await ada.join(server.url, ROOM)
        await bob.join(server.url, ROOM)
        await bob.wait_live()
        await page.open(ROOM)
        yield Meeting(server, ada, bob, page)
        await page.close()
    finally:
        await ada.close()
        await bob.close()


async def test_sound_and_picture_of_somebody(meeting: Meeting) -> None:
    page, ada = meeting.page, meeting.ada
    camera = f"{await ada.participant()}-camera"
    await meeting.until_heard(True)

    await page.button("Mute Ada").click()
    await meeting.until_ada("muted", lambda one: one["audio"]["muted"] and one["audio"]["muted_by"] == "admin")
    await expect(page.person("Ada").get_by_text("muted by admin")).to_be_visible()
    await meeting.until_heard(False)
    await page.button("Unmute Ada").click()
    await meeting.until_ada("not muted", lambda one: not one["audio"]["muted"])
    await meeting.until_heard(True)

    gain = page.page.get_by_role("slider", name="Gain of Ada")
    await gain.focus()
    await gain.press("Home")
    await meeting.until_ada("turned down", lambda one: one["gain_db"] == -60)
    await meeting.until_heard(False)
    await gain.press("ArrowRight")
    await meeting.until_ada("a little louder", lambda one: one["gain_db"] == -59)
    assert await gain.get_attribute("aria-valuetext") == "-59 dB"

    await meeting.until_seen(ada.source, camera, True)
    await page.button("Turn the camera of Ada off").click()
    await meeting.until_ada("without picture", lambda one: one["video"]["muted"])
    await meeting.until_seen(ada.source, camera, False)
    await page.button("Turn the camera of Ada on").click()
    await meeting.until_ada("with picture", lambda one: not one["video"]["muted"])
    await meeting.until_seen(ada.source, camera, True)


async def test_seat_and_standing_of_somebody(meeting: Meeting) -> None:
    page, ada, api = meeting.page, meeting.ada, meeting.server.api
    one = page.person("Ada")
    await expect(one.get_by_text("sends 640×360")).to_be_visible()
    await expect(one.get_by_text("OPUS + VP8")).to_be_visible()

    await page.button("Pin Ada").click()
    await meeting.until_ada("pinned", lambda ada: ada["pinned"])
    await page.button("Unpin Ada").click()
    await meeting.until_ada("not pinned", lambda ada: not ada["pinned"])

    await one.get_by_role("combobox", name="Role of Ada").select_option("moderator")
    await meeting.until_ada("a moderator", lambda ada: ada["role"] == "moderator")

    path = f"/v1/rooms/{ROOM}/participants/{await ada.participant()}"
    await api.call("PATCH", path, {"hand_raised": True})
    await expect(one.get_by_text("hand raised")).to_be_visible()
    await page.button("Lower the hand of Ada").click()
    await meeting.until_ada("without a hand", lambda ada: not ada["hand_raised"])

    screen = f"{await ada.participant()}-screen"
    assert ada.screen is not None
    await meeting.until_seen(ada.screen, screen, True)
    await page.button("Stop the screen share of Ada").click()
    await meeting.until_seen(ada.screen, screen, False)
    await tiles_of(api, ROOM, 2, 25)
    await expect(page.button("Stop the screen share of Ada")).to_be_hidden()


async def test_somebody_is_put_out_only_after_a_question(meeting: Meeting) -> None:
    page, api = meeting.page, meeting.server.api
    await page.button("Remove Ada").click()
    await page.confirm("Cancel")
    await page.button("Remove Ada").click()
    await page.page.keyboard.press("Escape")
    assert len(await api.get(f"/v1/rooms/{ROOM}/participants")) >= 2
    await page.button("Remove Ada").click()
    await page.confirm("Remove")
    await expect(page.person("Ada")).to_have_count(0)
    answer = await api.raw("GET", f"/v1/rooms/{ROOM}/participants/{await meeting.ada.participant()}")
    assert answer.status_code == 404
    await tiles_of(api, ROOM, 1, 25)
    await expect(
        page.page.locator("mx-events li").filter(has_text="participant_left").get_by_text("Ada")
    ).to_be_visible()
