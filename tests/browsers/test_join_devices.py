"""Chromium's own fake devices, several of them: chosen in the middle of a call, without another offer.

They all draw in green and beep alike: that another one's picture and tone come is tested in test_join_others.py.
"""

from __future__ import annotations

import asyncio

from support.chromium import chromium, chromium_client
from support.page_client import HERE
from support.server import Server
from support.sources import source
from support.wrtc_client import WrtcClient

PATIENCE = 25.0
PART = "document.querySelector('mx-stage [data-part=devices-dialog] [data-part={}]')"
OFFER = "mixdown.pc.localDescription.sdp.match(/o=.*/)[0]"
CORNER = (0.03, 0.03)
"Of the whole picture: the background of what a fake camera draws."


def green(red: float, green: float, blue: float) -> bool:
    return green > 2 * max(red, blue)


async def test_another_camera_microphone_and_speaker(server: Server) -> None:
    watcher = WrtcClient(source(0, "Watcher"), send=False)
    try:
        async with chromium("--use-fake-device-for-media-stream=device-count=3") as browser:
            client = await chromium_client(browser, source(1, "Ada"), script=(HERE / "probe.js").read_text())
            await client.join(server.url, "devices", "")
            await watcher.join(server.url, "devices", role="viewer")
            await watcher.wait_live()
            offer = await client.evaluate(OFFER)

            async def choose(part: str, label: str) -> None:
                select = PART.format(part)
                await client.until(f"[...{select}.options].some(({{ label }}) => label === '{label}')", PATIENCE)
                await client.evaluate(
                    f"(({{ options }}) => {{ const one = [...options].find(({{ label }}) => label === '{label}');"
                    f" {select}.value = one.value; {select}.dispatchEvent(new Event('change')); }})({select})"
                )

            async def shown() -> None:
                async with asyncio.timeout(PATIENCE):
                    while not green(*(await watcher.colours([CORNER]))[0]):
                        await asyncio.sleep(0.2)

            await shown()
            await client.evaluate("document.querySelector('mx-stage [data-part=devices]').click()")
            for camera in ("fake_device_1", "fake_device_2", "fake_device_0"):
                await choose("cameras", camera)
                await client.until(f"mixdown.pc.getSenders()[1].track?.label === '{camera}'", PATIENCE)
                await shown()
            await choose("microphones", "Fake Audio Input 2")
            await client.until("mixdown.pc.getSenders()[0].track.label === 'Fake Audio Input 2'", PATIENCE)
            await choose("speakers", "Fake Audio Output 1")
            await client.until(f"{client.video}.sinkId === {PART.format('speakers')}.value", PATIENCE)
            assert await client.evaluate(f"{client.video}.sinkId.length") > 10, "a speaker of its own"
            assert await client.evaluate(OFFER) == offer, "it took another offer"
            await client.evaluate("mixdown.pc.getSenders()[1].track.dispatchEvent(new Event('ended'))")  # unplugged
            said = "document.querySelector('mx-stage [data-part=toast]').textContent"
            await client.until(f"{said}.startsWith('The camera went away. “fake')", PATIENCE)
    finally:
        await watcher.close()
