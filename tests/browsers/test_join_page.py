from __future__ import annotations

import asyncio

from playwright.async_api import Browser, Route, expect
from support.chromium import chromium_client
from support.page_client import init_script
from support.server import Server
from support.sources import Source, source

MARKUP = "<img src=x onerror=document.title='owned'><b>Eve</b>"


async def me(server: Server, room: str) -> dict[str, object]:
    people = await server.api.get(f"/v1/rooms/{room}/participants")
    assert len(people) == 1
    found: dict[str, object] = people[0]
    return found


async def test_mute_holds_at_once_and_the_server_knows(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "mute")
    enabled = await client.evaluate(
        "(() => { document.querySelector('mx-stage [data-part=mic]').click();"
        " return mixdown.pc.getSenders()[0].track.enabled; })()"
    )
    assert enabled is False, "the track is off before the click handler returns"
    page = client.page.page
    await expect(page.get_by_role("button", name="Unmute microphone")).to_be_visible()
    await client.until(_patched(server, "mute", "audio", True))
    await client.evaluate("document.querySelector('mx-stage [data-part=mic]').click()")
    assert await client.evaluate("mixdown.pc.getSenders()[0].track.enabled") is True
    await client.until(_patched(server, "mute", "audio", False))


async def test_camera_off_stops_it_and_shows_a_card(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "camera")
    await client.until("!document.querySelector('[data-part=self]').hidden")
    await client.evaluate("document.querySelector('mx-stage [data-part=camera]').click()")
    await client.until("mixdown.pc.getSenders()[1].track === null")
    assert await client.evaluate("document.querySelector('[data-part=self]').hidden"), "the server's card is to be seen"
    await client.until(_patched(server, "camera", "video", True))
    centre = (0.5, 0.3)
    await client.until(f"__probe.of({client.video}).pixels([[0.25, 0.25]])[0].some((c, i) => "
                       f"Math.abs(c - {list(source(0).colours[0])}[i]) > 40)")  # fmt: skip
    assert await client.colours([centre]) is not None
    await client.evaluate("document.querySelector('mx-stage [data-part=camera]').click()")
    await client.until("mixdown.pc.getSenders()[1].track !== null")
    await client.until(f"__probe.of({client.video}).pixels([[0.25, 0.25]])[0].every((c, i) => "
                       f"Math.abs(c - {list(source(0).colours[0])}[i]) < 20)")  # fmt: skip


def _patched(server: Server, room: str, medium: str, muted: bool) -> str:
    return (
        f"fetch('{server.url}/v1/rooms/{room}/participants').then((answer) => answer.json())"
        f".then((people) => people[0].{medium}.muted === {str(muted).lower()})"
    )


async def test_leaving_ends_in_the_lobby(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "leave")
    await client.leave()
    await expect(client.page.page.get_by_role("status").filter(has_text="You left")).to_be_visible()
    await client.until(
        f"fetch('{server.url}/v1/rooms/leave/participants').then((answer) => answer.json()).then((all) => !all.length)"
    )
    assert await client.evaluate("sessionStorage.getItem('mixdown.session')") is None


async def test_leaving_while_joining_leaves_nothing_behind(server: Server, browser: Browser) -> None:
    """By double clicks: on Join, once, and on Leave before the server has answered."""
    client = await chromium_client(browser, source(0))
    page, asked, answer = client.page.page, [], asyncio.Event()  # type: ignore[attr-defined]
    await client.open(server.url, "hasty")

    async def slowly(route: Route) -> None:
        asked.append(route.request.method)
        answered = await route.fetch()
        await answer.wait()
        await route.fulfill(response=answered)

    await page.route("**/v1/rooms/hasty/participants", slowly)
    await page.get_by_role("button", name="Join").dblclick()
    await expect(page.get_by_text("Connecting…")).to_be_visible()
    await _until_status(server, "/v1/rooms/hasty", 200)
    await page.get_by_role("button", name="Leave the meeting").dblclick()
    await expect(page.get_by_role("status").filter(has_text="You left")).to_be_visible()
    answer.set()
    await _until_status(server, "/v1/rooms/hasty", 404)  # and not only when the server gives up on a connection
    assert asked.count("POST") == 1
    await page.unroute("**/v1/rooms/hasty/participants")
    await page.get_by_role("button", name="Join").click()
    await client.wait_live()
    assert len(await server.api.get("/v1/rooms/hasty/participants")) == 1


async def _until_status(server: Server, path: str, status: int) -> None:
    async with asyncio.timeout(10):
        while (await server.api.raw("GET", path)).status_code != status:
            await asyncio.sleep(0.1)


async def test_a_share_that_nobody_is_shown_any_more_ends(server: Server, browser: Browser) -> None:
    """Whatever took its tile away: by tiles and times alone."""
    client = await chromium_client(browser, source(0))
    await client.page.goto(f"{server.url}/")
    ended = await client.evaluate("""import('/web/join/share.js').then(async ({ ScreenShare }) => {
      const share = new ScreenShare(async () => undefined);
      const [video] = document.createElement('canvas').captureStream().getVideoTracks();
      navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([video]);
      const words = [];
      share.addEventListener('word', ({ detail }) => words.push(detail));
      await share.toggle();
      const [there, away] = [{ tiles: [{ source: 'me-screen' }], hidden: [] }, { tiles: [], hidden: [] }];
      const hidden = { tiles: [], hidden: ['me-screen'] };
      const at = (tiles, now, connectedAt = 0) => {
        share.look(tiles, 'me-screen', { connectedAt, now });
        return share.on;
      };
      const still = [
        at(away, 60_000), at(away, 70_000), // never shown yet: it has not begun
        at(there, 71_000), at(hidden, 90_000), at(away, 91_000), // for a moment only
        at(there, 92_000), at(away, 93_000, Infinity), at(away, 99_000, 98_000), // the connection was lost
        at(away, 110_000, 98_000), // and is new
        at(there, 111_000, 98_000), at(away, 112_000, 98_000),
      ];
      const last = at(away, 116_000, 98_000);
      return [still.every(Boolean), last, video.readyState, words];
    })""")
    words = ["Your screen is no longer shown to the others: the share has ended."]
    assert ended == [True, False, "ended", words]


async def test_who_is_removed_stays_out(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "removed")
    await server.api.leave("removed", await client.participant())
    await expect(client.page.page.get_by_role("status").filter(has_text="You were removed")).to_be_visible()
    assert await client.evaluate("mixdown.state") == "ended"


async def test_a_room_that_is_ended_is_final(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.join(server.url, "ended")
    await server.api.call("DELETE", "/v1/rooms/ended")
    await expect(client.page.page.get_by_role("status").filter(has_text="ended for everybody")).to_be_visible()


async def test_a_name_never_becomes_markup(server: Server, browser: Browser) -> None:
    evil = Source(MARKUP, source(0).colours, source(0).tone)
    client = await chromium_client(browser, evil)
    await client.join(server.url, "markup")
    await client.leave()
    await client.until("!document.querySelector('mx-lobby').hidden")
    assert await client.evaluate("document.querySelectorAll('b, img[src=x]').length") == 0
    assert await client.evaluate("document.title") != "owned"
    assert (await client.evaluate("localStorage.getItem('mixdown.name')")) == MARKUP


async def test_nothing_inline_runs(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    await client.open(server.url, "csp")
    await client.evaluate(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.owned = 1';"
        " document.body.append(script); })()"
    )
    assert await client.evaluate("window.owned") is None


async def test_joins_without_camera_when_refused(server: Server, browser: Browser) -> None:
    refused = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
    client = await chromium_client(browser, source(0), script=init_script(source(0)) + refused)
    await client.page.goto(f"{server.url}/?room=alone")
    page = client.page.page
    await expect(page.get_by_role("status").filter(has_text="was not allowed")).to_be_visible()
    await expect(page.get_by_role("button", name="Join without camera and microphone")).to_be_visible()
    await page.get_by_label("Your name").fill("Ada")
    await page.keyboard.press("Enter")
    await client.wait_live()
    assert await client.evaluate("mixdown.pc.getSenders().every(({ track }) => track === null)")
    assert (await me(server, "alone"))["name"] == "Ada"


async def test_fits_a_narrow_phone_and_a_keyboard(server: Server, browser: Browser) -> None:
    client = await chromium_client(browser, source(0))
    page = client.page.page
    await page.set_viewport_size({"width": 360, "height": 640})
    await page.goto(f"{server.url}/")
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= 360
    await page.get_by_label("Your name").fill("Grace")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.name") == "room"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await client.wait_live()
    assert (await me(server, "main"))["name"] == "Grace"
    for name in ("Mute microphone", "Turn camera off", "Leave the meeting"):
        box = await page.get_by_role("button", name=name).last.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360
    await page.get_by_role("button", name="Leave the meeting").focus()
    await page.keyboard.press("Enter")
    await client.until("!document.querySelector('mx-lobby').hidden")
