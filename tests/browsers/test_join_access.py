"""The join page for whoever uses a keyboard, a screen reader, a small window; and names that want to be markup."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from support.axe import serious
from support.chromium import chromium_client
from support.devices import several_devices
from support.page_client import PageClient
from support.server import Server
from support.sources import Source, source

PATIENCE_MS = 25_000
HOSTILE = (
    "<img src=x onerror=document.title='owned'>",
    "W" * 1000,
    "\u202eמרים \u2066שלום\u2069 العربية",
    "👩‍👩‍👧‍👦 🏳️‍🌈 日本語",
    "tab\tline\nnull\0bell\a end",
)


def page_of(client: PageClient) -> Page:
    page: Page = client.page.page  # type: ignore[attr-defined]
    return page


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_nothing_serious_in_any_state(scheme: str, server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0, "Ada"))
    page = page_of(client)
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    await page.set_viewport_size({"width": 1000, "height": 700})
    await client.open(server.url, "axe")
    assert await serious(page) == [], "lobby"
    await client.click_join()
    await client.wait_live()
    assert await serious(page) == [], "call"
    await page.keyboard.press("h")
    await page.keyboard.press("p")
    await expect(page.get_by_role("heading", name="People (1)")).to_be_visible(timeout=PATIENCE_MS)
    assert await serious(page) == [], "people"
    await page.keyboard.press("Escape")
    for button, state in (("View", "view menu"), ("More", "more menu")):
        await page.get_by_role("button", name=button, exact=True).click()
        await expect(page.get_by_role("menu", name=button)).to_be_visible(timeout=PATIENCE_MS)
        assert await serious(page) == [], state
        await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible(timeout=PATIENCE_MS)
    assert await serious(page) == [], "keyboard"
    await page.keyboard.press("Escape")
    await _less_usual_states(server, client, page)


async def _less_usual_states(server: Server, client: PageClient, page: Page) -> None:
    await several_devices(client, source(1))
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Camera, microphone, tones…").click()
    await expect(page.get_by_role("combobox", name="Microphone").last).to_be_visible(timeout=PATIENCE_MS)
    assert await serious(page) == [], "devices"
    await page.get_by_role("button", name="Done").last.click()
    path = f"/v1/rooms/axe/participants/{await client.participant()}"
    await server.api.call("PATCH", path, {"role": "viewer"})
    await expect(page.get_by_text("You only watch now").first).to_be_visible(timeout=PATIENCE_MS)
    assert await serious(page) == [], "only watching, a toast"
    await client.evaluate("document.querySelector('mx-stage').hold('The connection was lost. Reconnecting…')")
    await expect(page.get_by_role("img", name="The picture as it was last")).to_be_visible(timeout=PATIENCE_MS)
    assert await serious(page) == [], "reconnecting"
    await server.api.call("DELETE", path)
    await expect(page.get_by_text("You were removed from the meeting.")).to_be_visible(timeout=PATIENCE_MS)
    await client.evaluate("document.querySelector('mx-lobby').askForKey()")
    assert await serious(page) == [], "lobby, with a notice, without a camera, with a key"


async def test_all_by_keyboard_alone(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    page = page_of(client)
    await client.page.goto(f"{server.url}/?room=keys&raw=1")
    await client.until("document.querySelector('mx-lobby')?.media?.video != null")
    await page.keyboard.type("Grace")  # the name has the focus
    await page.keyboard.press("Enter")
    await client.wait_live()
    assert await focused(page) == "Mute microphone"
    await page.keyboard.press("m")
    await expect(page.get_by_role("button", name="Unmute microphone").last).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("v")
    await client.until("mixdown.pc.getSenders()[1].track === null")
    await page.keyboard.press("v")
    await client.until("mixdown.pc.getSenders()[1].track !== null")
    await page.keyboard.press("h")
    await expect(page.get_by_role("button", name="Raise your hand")).to_have_attribute("aria-pressed", "true")
    names = []
    for _ in range(7):
        await page.keyboard.press("Tab")
        names.append(await focused(page))
    assert names[:4] == ["Turn camera off", "Share the screen", "Raise your hand", "View"]
    assert names[4].startswith("People, 1") and names[5:] == ["More", "Leave the meeting"]
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitemradio", name=re.compile("Everybody"))).to_be_focused(timeout=PATIENCE_MS)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await client.until(
        f"fetch('{server.url}/v1/rooms/keys/participants').then((all) => all.json())"
        ".then(([one]) => one.view === 'auto-grid')"
    )
    await page.keyboard.press("p")
    assert await focused(page) == "Close the list of people"
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="People (1)")).to_be_hidden(timeout=PATIENCE_MS)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("m")  # not in a dialogue
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden(timeout=PATIENCE_MS)
    assert await client.evaluate("mixdown.pc.getSenders()[0].track.enabled") is False, "still muted by the first m"
    await _windows_and_devices(client, page)
    await page.get_by_role("button", name="Leave the meeting").focus()
    await page.keyboard.press("Enter")
    await client.until("!document.querySelector('mx-lobby').hidden")


async def _windows_and_devices(client: PageClient, page: Page) -> None:
    await several_devices(client, source(1))
    await page.keyboard.press("f")
    await client.until("document.fullscreenElement !== null")
    await page.keyboard.press("f")
    await client.until("document.fullscreenElement === null")

    async def from_menu(item: str) -> None:
        await page.get_by_role("button", name="More", exact=True).focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menu", name="More")).to_be_visible(timeout=PATIENCE_MS)
        while item not in await page.evaluate("document.activeElement.textContent"):
            await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")

    await from_menu("Picture in picture")
    await client.until("document.pictureInPictureElement !== null")
    await from_menu("Close the small window")
    await client.until("document.pictureInPictureElement === null")
    await from_menu("Camera, microphone, tones…")
    await expect(page.get_by_role("dialog", name="Devices and tones")).to_be_visible(timeout=PATIENCE_MS)
    while await page.evaluate("document.activeElement.dataset.part") != "cameras":
        await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await client.until("mixdown.pc.getSenders()[1].track?.label === 'Camera B'")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Devices and tones")).to_be_hidden(timeout=PATIENCE_MS)


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))


async def test_no_name_is_markup_anywhere(server: Server, browser: Browser) -> None:
    """In the list, the toast, what is read out, the tile, the events and the log."""
    watcher = await chromium_client(browser, source(0, "Watcher"))
    page = page_of(watcher)
    await page.set_viewport_size({"width": 360, "height": 640})
    await watcher.join(server.url, "names")
    await watcher.evaluate("document.querySelector('mx-stage [data-part=people]').click()")
    guests = []
    for n, name in enumerate(HOSTILE):
        guest = await chromium_client(browser, Source(name, source(n + 1).colours, source(n + 1).tone))
        await guest.join(server.url, "names")
        await guest.evaluate("document.querySelector('mx-stage [data-part=hand]').click()")
        await watcher.until(f"document.querySelectorAll('mx-people li').length === {n + 2}")
        guests.append(guest)
        if len(guests) > 1:
            await guests.pop(0).close()  # one guest at a time is enough to draw
    shown = await watcher.evaluate("[...document.querySelectorAll('mx-people bdi')].map((name) => name.textContent)")
    people = await server.api.get("/v1/rooms/names/participants")
    assert sorted(shown) == sorted(one["name"] for one in people)
    assert HOSTILE[0] in shown
    longest = max(shown, key=len)
    assert set(longest) == {"W"} and len(longest) <= 200
    assert all(character.isprintable() or character in "\u200d\u200c" for name in shown for character in name)
    assert await watcher.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert await watcher.evaluate("document.title") != "owned"
    assert await watcher.evaluate("document.querySelector('mx-stage main').scrollWidth") <= 360
    snapshot = await server.api.raw("GET", "/v1/rooms/names/snapshot.jpg")
    assert snapshot.status_code == 200 and snapshot.content[:2] == b"\xff\xd8", "the tiles with these names are drawn"
    log = server.log.read_bytes()
    assert b"\0" not in log and b"\a" not in log and "\u202e".encode() not in log


async def test_small_windows_have_everything(server: Server, browser: Browser) -> None:
    """360 px: nothing to scroll sideways, in the lobby, the call, the people; what has no button is in the menu."""
    client = await chromium_client(browser, source(0, "Ada"))
    page = page_of(client)
    await page.set_viewport_size({"width": 360, "height": 640})
    await client.open(server.url, "small")
    assert await wide(page) <= 360
    await client.click_join()
    await client.wait_live()
    buttons = page.locator("mx-stage .bar button:visible")
    for n in range(await buttons.count()):
        box = await buttons.nth(n).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360
        assert min(box["width"], box["height"]) >= 44, "large enough for a thumb"
    await page.get_by_role("button", name="More", exact=True).click()
    for item in ("Share the screen", "View…", "Full screen"):
        await expect(page.get_by_role("menuitem", name=item)).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("menuitem", name="View…").click()
    await expect(page.get_by_role("menu", name="View")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await expect(page.get_by_role("heading", name="People (1)")).to_be_visible(timeout=PATIENCE_MS)
    assert await wide(page) <= 360
    await page.keyboard.press("Escape")
    await several_devices(client, source(1))
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Camera, microphone, tones…").click()
    assert await inside(page, page.get_by_role("dialog", name="Devices and tones"))
    await page.keyboard.press("Escape")
    await server.api.call("PATCH", f"/v1/rooms/small/participants/{await client.participant()}", {"name": "W" * 200})
    await expect(page.locator("[data-part=toast]")).to_contain_text("WWW", timeout=PATIENCE_MS)
    assert await inside(page, page.locator("[data-part=toast]")) and await wide(page) <= 360
    await page.set_viewport_size({"width": 640, "height": 320})  # a phone on its side
    await page.get_by_role("button", name="More", exact=True).click()
    assert await inside(page, page.get_by_role("menu", name="More"))


async def inside(page: Page, element: Locator) -> bool:
    """Whether nothing of it is beyond the window's edges."""
    await expect(element).to_be_visible(timeout=PATIENCE_MS)
    box, window = await element.bounding_box(), page.viewport_size
    assert box is not None and window is not None
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    return min(box["x"], box["y"]) >= 0 and right <= window["width"] and bottom <= window["height"]


async def wide(page: Page) -> int:
    return int(await page.evaluate("document.scrollingElement.scrollWidth"))


async def test_stands_in_a_frame(server: Server, browser: Browser) -> None:
    """`?embed=1` in a frame of the same origin: in the room, with the few buttons that belong there."""
    client = await chromium_client(browser, source(0, "Ada"))
    page = page_of(client)
    html = (
        '<iframe src="/?embed=1&room=framed&raw=1&name=Ada" allow="camera; microphone" width=600 height=400></iframe>'
    )
    await page.route("**/intranet", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.goto(f"{server.url}/intranet")
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_label("Your name")).to_have_value("Ada", timeout=PATIENCE_MS)
    await expect(frame.get_by_text("Mixdown", exact=True)).to_be_hidden()
    await frame.get_by_role("button", name="Join").click()
    await expect(frame.get_by_role("button", name="Leave the meeting")).to_be_visible(timeout=PATIENCE_MS)
    await expect(frame.get_by_role("button", name="Raise your hand")).to_be_hidden()
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while await page.frames[1].evaluate("window.mixdown.state") != "live":
            await asyncio.sleep(0.1)
