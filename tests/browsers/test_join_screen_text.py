"""A shared screen is there to be read."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.page_client import PageClient
from support.server import Server
from support.sources import source
from support.text_reading import ALPHABET, full_of, grey, random_text, share_read

ROOM = "reading"
READABLE = 0.9
"Of the letters, each told from 35 others without knowing a word."
PATIENCE = 30.0
SCRIPT = (Path(__file__).parents[1] / "support" / "text_screen.js").read_text()


async def test_text_of_12_px_can_be_read_in_the_composite(server: Server, browser: Browser) -> None:
    speaker, reader = await chromium_client(browser, source(0)), await chromium_client(browser, source(1))
    await reader.join(server.url, ROOM)
    await speaker.open(server.url, ROOM)
    await speaker.evaluate(SCRIPT)
    letters = {one: grey(await speaker.evaluate(f"__pictureOfText({json.dumps(full_of(one))})")) for one in ALPHABET}
    text = random_text(4)
    await speaker.evaluate(f"__showText({json.dumps(text)})")
    await speaker.click_join()
    await speaker.wait_live()
    await server.api.call("PUT", f"/v1/rooms/{ROOM}/layout", {"layout": "presentation"})
    await speaker.evaluate("document.querySelector('mx-stage [data-part=screen]').click()")
    best = 0.0
    try:
        async with asyncio.timeout(PATIENCE):
            while best < READABLE:
                await asyncio.sleep(1)
                best = max(best, await _read(server, reader, text, letters))
    except TimeoutError:
        raise AssertionError(f"{best:.1%} of the letters can be read") from None


async def _read(server: Server, reader: PageClient, text: list[str], letters: dict[str, object]) -> float:
    tiles = await server.api.tiles(ROOM)
    tile = next((one for one in tiles["tiles"] if one["kind"] == "screen"), None)
    if tile is None or not tiles["settled"]:
        return 0.0
    png = await reader.evaluate(
        f"(() => {{ const video = {reader.video}; const canvas = document.createElement('canvas');"
        " [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];"
        " canvas.getContext('2d').drawImage(video, 0, 0);"
        " return video.videoWidth === 1280 ? canvas.toDataURL('image/png').split(',')[1] : null; })()"
    )
    if png is None:
        return 0.0
    share = share_read(grey(png), text, letters, tile)  # type: ignore[arg-type]
    print(f"{share:.1%} of the letters, in {tile['width']}x{tile['height']}")
    return share
