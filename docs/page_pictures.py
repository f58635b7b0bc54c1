"""Makes docs/pages/*.png: the pages at 360, 768 and 1440 px, light and dark, with people in them.

    python docs/page_pictures.py [--only lobby call people admin] [--widths 360] [--schemes dark]

Starts a server of its own. Look at what it made before it is committed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page
from room_picture import PORTRAIT

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.chromium import chromium
from support.server import Server, running_server
from support.studio import until

FOLDER = Path(__file__).parent / "pages"
SIZES = ((360, 640), (768, 1024), (1440, 900))
SCHEMES = ("light", "dark")
ME = ("Ada Lovelace", 210, 24)
GUESTS = (
    ("Mehmet Öz", 40, 26),
    ("דנה לוי", 160, 20),
    ("王小明", 320, 30),
    ("Ngozi Adeyemi", 70, 22),
    ("Zoë 🎻", 280, 28),
)
MORE_ROOMS = {"standup": ("Grace Hopper", 190, 24), "design": ("عمر الخيام", 28, 18)}
ROOM = "planning"
PARTS = ("lobby", "call", "people", "admin")
SETTLED = 3.0
"Seconds after which tiles glide no more, the toasts are gone and one's quality is known."


async def _page(browser: Browser, person: tuple[str, int, int], **context: Any) -> Page:
    opened = await browser.new_context(permissions=["camera", "microphone"], **context)
    page = await opened.new_page()
    await page.add_init_script(f"({PORTRAIT})([{person[1]}, {person[2]}])")
    await page.add_init_script(f"localStorage.setItem('mixdown.name', {person[0]!r})")
    return page


async def _lobby(page: Page, url: str) -> None:
    """Open, with the camera's picture in it."""
    await page.goto(url)
    await until("the camera is open", lambda: page.evaluate("document.querySelector('mx-lobby')?.media?.video != null"))


async def _join(page: Page) -> None:
    await page.click("mx-lobby [data-part=join]")
    await page.wait_for_selector("mx-stage:not([hidden])", state="attached")
    await until("it is in", lambda: page.evaluate("mixdown.state === 'live'"))


async def _click(page: Page, part: str) -> None:
    """On a button of the call, which may be hidden while the pointer rests."""
    await page.evaluate(f"document.querySelector('mx-stage [data-part={part}]').click()")


async def _guests(browser: Browser, url: str) -> None:
    """They take the low view: what they see is not in the pictures."""
    rooms = [(ROOM, person) for person in GUESTS] + list(MORE_ROOMS.items())
    for room, person in rooms:
        page = await _page(browser, person, viewport={"width": 320, "height": 200})
        await _lobby(page, f"{url}/?room={room}&view=low")
        await _join(page)
        if person is GUESTS[2]:
            await _click(page, "hand")
        if person is not GUESTS[0]:
            await _click(page, "mic")  # the browser's test tone: one who speaks is enough


async def _join_page(browser: Browser, server: Server, only: Sequence[str], size: tuple[int, int], scheme: str) -> None:
    width, height = size
    page = await _page(browser, ME, viewport={"width": width, "height": height}, color_scheme=scheme)
    await _lobby(page, f"{server.url}/?room={ROOM}")
    await asyncio.sleep(1)
    if "lobby" in only:
        await page.screenshot(path=FOLDER / f"lobby-{width}-{scheme}.png")
    if {"call", "people"} & set(only):
        await _join(page)
        await _click(page, "mic")
        await asyncio.sleep(SETTLED + 4)
        if "call" in only:
            await page.mouse.move(width / 2, height / 2)
            await page.screenshot(path=FOLDER / f"call-{width}-{scheme}.png")
        if "people" in only and width == SIZES[0][0]:
            await _click(page, "people")
            await asyncio.sleep(1)
            await page.screenshot(path=FOLDER / f"people-{width}-{scheme}.png")
        await _click(page, "leave")
        await asyncio.sleep(0.5)
    await page.context.close()


async def _studio(browser: Browser, server: Server, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    page = await _page(browser, ME, viewport={"width": width, "height": height}, color_scheme=scheme)
    await page.goto(f"{server.url}/admin")
    await asyncio.sleep(SETTLED)
    await _whole(page, size, f"admin-rooms-{width}-{scheme}")
    await page.goto(f"{server.url}/admin#/rooms/{ROOM}")
    await asyncio.sleep(SETTLED + 4)
    await _whole(page, size, f"admin-room-{width}-{scheme}")
    await page.goto("about:blank")  # the watcher takes leave
    await asyncio.sleep(1)
    await page.context.close()


def shrink() -> None:
    """Without loss: a palette of 256 would turn the green of a good connection blue."""
    for path in FOLDER.glob("*.png"):
        with Image.open(path) as picture:
            picture.convert("RGB").save(path, optimize=True)


async def _whole(page: Page, size: tuple[int, int], name: str) -> None:
    """In a window as high as the page: one put together from parts has what sticks to the window in its middle."""
    width, height = size
    needed = await page.evaluate("document.scrollingElement.scrollHeight")
    await page.set_viewport_size({"width": width, "height": max(height, needed)})
    await page.evaluate("scrollTo(0, 0)")
    await asyncio.sleep(1.5)
    await page.screenshot(path=FOLDER / f"{name}.png")
    await page.set_viewport_size({"width": width, "height": height})


async def main(only: Sequence[str], sizes: Sequence[int], schemes: Sequence[str]) -> None:
    async with running_server() as server, chromium() as browser:
        await _guests(browser, server.url)
        for size in [size for size in SIZES if size[0] in sizes]:
            for scheme in schemes:
                if set(only) - {"admin"}:
                    await _join_page(browser, server, only, size, scheme)
                if "admin" in only:
                    await _studio(browser, server, size, scheme)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--widths", nargs="+", type=int, default=[width for width, _ in SIZES])
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=SCHEMES)
    options = parser.parse_args()
    asyncio.run(main(options.only, options.widths, options.schemes))
    shrink()
