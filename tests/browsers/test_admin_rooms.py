"""All rooms in the studio; who may come in; names that try to be more than text; keyboard, screen reader, phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect
from support.axe import serious
from support.server import Server, running_server
from support.sources import source
from support.studio import Studio, studio, until
from support.wrtc_client import WrtcClient

SECRET = "a secret of the tests"
HOSTILE = "<img src=x onerror=document.title='owned'>"
NAMES = (HOSTILE, "ab\u202etxt.exe", "x" * 1000, "مرحبا بالعالم", "👪 family")


async def fits(page: Page, width: int) -> bool:
    return bool(await page.evaluate("document.scrollingElement.scrollWidth") <= width)


async def tab_to(studio: Studio, name: str) -> None:
    """With the Tab key, as far as it takes."""
    for _ in range(60):
        await studio.page.keyboard.press("Tab")
        focused = "(({ ariaLabel, textContent }) => (ariaLabel ?? textContent).trim())(document.activeElement)"
        if await studio.page.evaluate(focused) == name:
            return
    raise AssertionError(f"no way by the keyboard to {name!r}")


async def test_created_laid_out_and_ended_by_keyboard(server: Server, browser: Browser) -> None:
    page = await studio(browser, server.url)
    keyboard = page.page.keyboard
    await page.open()
    await expect(page.page.get_by_text("No room is open")).to_be_visible()
    await expect(page.page.locator("mx-rooms option")).to_have_count(6)
    await tab_to(page, "New room")
    await keyboard.press("Enter")
    await keyboard.type("kitchen")
    await keyboard.press("Tab")
    await keyboard.type("speaker")
    for text in ("640", "360", "25", "12"):
        await keyboard.press("Tab")
        await keyboard.type(text)
    await keyboard.press("Enter")
    heading = page.page.get_by_role("heading", name="kitchen")
    await expect(heading).to_be_focused()
    room = await server.api.get("/v1/rooms/kitchen")
    assert room["canvas"] == {"width": 640, "height": 360, "fps": 25}
    assert (room["layout"], room["max_participants"], room["locked"]) == ("speaker", 12, False)

    await expect(page.button("pip")).to_be_visible()
    await tab_to(page, "pip")
    await keyboard.press("Space")
    await expect(page.button("pip")).to_have_attribute("aria-pressed", "true")
    assert (await server.api.get("/v1/rooms/kitchen"))["layout"] == "pip"

    await heading.focus()
    await tab_to(page, "End room")
    await keyboard.press("Enter")
    await tab_to(page, "End room")
    await keyboard.press("Enter")
    await expect(page.page.get_by_text("No room is open")).to_be_visible()
    assert (await server.api.raw("GET", "/v1/rooms/kitchen")).status_code == 404
    await page.close()


async def test_what_the_server_refuses_is_told(server: Server, browser: Browser) -> None:
    page = await studio(browser, server.url)
    await server.api.call("POST", "/v1/rooms", {"id": "taken"})
    await page.open()
    await page.button("New room").click()
    await page.page.get_by_label("Name in the address").fill("taken")
    await page.button("Create room").click()
    await expect(page.page.get_by_role("alert").get_by_text("The room 'taken' exists already.")).to_be_visible()
    await page.close()


async def test_names_are_text_everywhere(server: Server, browser: Browser) -> None:
    people = [WrtcClient(source(n, name)) for n, name in enumerate(NAMES)]
    page = await studio(browser, server.url, width=360, height=740)
    try:
        await server.api.call("POST", "/v1/rooms", {"id": "names"})
        await page.open("names")
        await page.listening()
        for client in people:
            await client.join(server.url, "names")
            await client.wait_live()
        await expect(page.page.locator("mx-person")).to_have_count(len(NAMES))
        await expect(page.person(HOSTILE)).to_be_visible()
        events = page.page.locator("mx-events li").filter(has_text="participant_joined")
        await expect(events.filter(has_text=HOSTILE)).to_have_count(1)
        assert await fits(page.page, 360), "a long name must not make the page wider"
        await page.button(f"Remove {HOSTILE}").click()
        await expect(page.page.get_by_role("dialog").get_by_text(HOSTILE)).to_be_visible()
        await page.confirm("Cancel")
        assert await serious(page.page) == []
        await page.open()
        card = page.page.locator("mx-room-card")
        await expect(card.get_by_text(HOSTILE)).to_be_visible()
        await expect(card.get_by_text("5 people")).to_be_visible()
        await expect(card.locator("img.live")).to_have_count(1)
        await until("the card shows the room", lambda: _is_480_wide(page))
        assert await fits(page.page, 360)
        assert await page.page.title() != "owned"
        assert await page.page.locator("img[src=x]").count() == 0
    finally:
        for client in people:
            await client.close()
    await page.close()


async def _is_480_wide(page: Studio) -> bool:
    return bool(await page.page.evaluate("document.querySelector('mx-room-card img').naturalWidth === 480"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious_to_axe(server: Server, browser: Browser, scheme: str) -> None:
    client = WrtcClient(source(0, "Ada"))
    page = await studio(browser, server.url, color_scheme=scheme, reduced_motion="reduce")
    try:
        await client.join(server.url, "axe")
        await client.wait_live()
        await page.open()
        await expect(page.page.locator("mx-room-card img.live")).to_have_count(1)
        assert await serious(page.page) == []
        await page.button("New room").click()
        assert await serious(page.page) == []
        await page.button("Cancel").click()
        await page.page.get_by_role("link", name="Open room axe").click()
        await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(page.page.locator("mx-costs").get_by_role("row", name="main VP8 full")).to_be_visible()
        await page.button("Mute Ada").click()
        await expect(page.page.get_by_text("muted by admin")).to_be_visible()
        await page.button("curl").click()
        assert await serious(page.page) == []
        await page.page.locator("mx-calls").get_by_role("button", name="Close").click()
        await page.button("QR code").click()
        assert await serious(page.page) == [], "invitation"
        await page.button("Close").click()
        await page.button("Lock").click()
        await page.button("Listen").click()
        await page.page.get_by_label("Name of a new view").fill("wall")
        await page.button("Add view").click()
        await expect(page.button("Delete the view wall")).to_be_visible()
        await page.button("Remove Ada").click()
        assert await serious(page.page) == [], "a question, a locked room, another view"
        await page.confirm("Cancel")
        await page.button("End room").click()
        assert await serious(page.page) == []
        await page.confirm("End room")
        await expect(page.page.get_by_text("No room is open")).to_be_visible()
        assert await serious(page.page) == [], "no room"
    finally:
        await client.close()
    await page.close()


async def test_who_knows_the_secret_comes_in(browser: Browser) -> None:
    async with running_server("--secret", SECRET) as server:
        page = await studio(browser, server.url)
        await page.open()
        field = page.page.get_by_label("Admin secret")
        await field.fill("a wrong one")
        await page.button("Sign in").click()
        await expect(page.page.get_by_text("This is not the admin secret.")).to_be_visible()
        await expect(page.page.get_by_role("heading", name="Rooms", exact=True)).to_be_hidden()
        assert await serious(page.page) == []
        await field.fill(SECRET)
        await field.press("Enter")
        await expect(page.page.get_by_role("heading", name="Rooms", exact=True)).to_be_visible()

        await page.button("curl").click()
        login = page.page.locator("mx-calls code").first
        await expect(login).to_contain_text("""'{"secret":"'"$MIXDOWN_SECRET"'"}'""")
        await page.button("New room").click()
        await page.page.get_by_label("Name in the address").fill("vault")
        await page.button("Create room").click()
        await expect(page.page.get_by_role("heading", name="vault")).to_be_visible()
        await expect(page.page.locator("mx-events li").filter(has_text="snapshot")).to_have_count(1)
        await expect(login).to_contain_text('-H "Authorization: Bearer $MIXDOWN_SECRET"')
        assert SECRET not in await page.page.content()

        await page.page.reload()
        await expect(page.page.get_by_role("heading", name="vault")).to_be_visible()
        await page.button("Sign out").click()
        await expect(field).to_be_focused()
        await page.page.reload()
        await expect(field).to_be_visible()
        await until("nobody watches any more", lambda: _nobody(server))
        await page.close()


async def _nobody(server: Server) -> bool:
    answer = await server.api.raw("GET", "/v1/rooms/vault/participants", headers={"Authorization": f"Bearer {SECRET}"})
    return bool(answer.json() == [])
