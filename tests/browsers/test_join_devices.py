"""Chromium's own fake devices, several of them: chosen in the middle of a call, without another offer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from support.chromium import chromium, chromium_client
from support.page_client import HERE
from support.server import Server
from support.sources import source
from support.wrtc_client import WrtcClient

PATIENCE = 25.0
PART = "document.querySelector('mx-stage [data-part=devices-dialog] [data-part={}]')"
CORNER = (0.03, 0.03)
"Of the whole picture: the background of what a fake camera draws."


def green(red: float, green: float, blue: float) -> bool:
    return green > 2 * max(red, blue)


def grey(red: float, green: float, blue: float) -> bool:
    return max(red, green, blue) - min(red, green, blue) < 30


def olive(red: float, green: float, blue: float) -> bool:
    return min(red, green) > 2 * blue + 20


async def test_another_camera_microphone_and_speaker(server: Server) -> None:
    watcher = WrtcClient(source(0, "Watcher"), send=False)
    try:
        async with chromium("--use-fake-device-for-media-stream=device-count=3") as browser:
            client = await chromium_client(browser, source(1, "Ada"), script=(HERE / "probe.js").read_text())
            await client.join(server.url, "devices", "")
            await watcher.join(server.url, "devices", role="viewer")
            await watcher.wait_live()
            offer = await client.evaluate("mixdown.pc.localDescription.sdp")

            async def choose(part: str, label: str) -> None:
                select = PART.format(part)
                await client.until(f"[...{select}.options].some(({{ label }}) => label === '{label}')", PATIENCE)
                await client.evaluate(
                    f"(({{ options }}) => {{ const one = [...options].find(({{ label }}) => label === '{label}');"
                    f" {select}.value = one.value; {select}.dispatchEvent(new Event('change')); }})({select})"
                )

            async def shown(looks: Callable[[float, float, float], bool]) -> None:
                async with asyncio.timeout(PATIENCE):
                    while not looks(*(await watcher.colours([CORNER]))[0]):
                        await asyncio.sleep(0.2)

            await shown(green)
            await client.evaluate("document.querySelector('mx-stage [data-part=devices]').click()")
            await choose("cameras", "fake_device_1")
            await shown(grey)
            await choose("cameras", "fake_device_2")
            await shown(olive)
            await choose("cameras", "fake_device_0")
            await shown(green)
            await choose("microphones", "Fake Audio Input 2")
            await client.until("mixdown.pc.getSenders()[0].track.label === 'Fake Audio Input 2'", PATIENCE)
            await choose("speakers", "Fake Audio Output 1")
            await client.until(f"{client.video}.sinkId === {PART.format('speakers')}.value", PATIENCE)
            assert await client.evaluate(f"{client.video}.sinkId.length") > 10, "a speaker of its own"
            assert await client.evaluate("mixdown.pc.localDescription.sdp") == offer, "it took another offer"
            await client.evaluate("mixdown.pc.getSenders()[1].track.dispatchEvent(new Event('ended'))")  # unplugged
            said = "document.querySelector('mx-stage [data-part=toast]').textContent"
            await client.until(f"{said}.startsWith('The camera went away. “fake')", PATIENCE)
    finally:
        await watcher.close()
