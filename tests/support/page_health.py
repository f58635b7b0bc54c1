"""What a page holds on to: listeners, nodes, memory, after its garbage was collected."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
from playwright.async_api import Browser, Page
from support.server import Server


@dataclass(frozen=True, slots=True)
class Held:
    """heap: bytes of JavaScript's objects."""

    listeners: int
    nodes: int
    heap: int


async def held(page: Page) -> Held:
    session = await page.context.new_cdp_session(page)
    try:
        await session.send("Performance.enable")
        for _ in range(2):  # what the first one finalises, the second one frees
            await session.send("HeapProfiler.collectGarbage")
        answer = await session.send("Performance.getMetrics")
    finally:
        await session.detach()
    metrics = {entry["name"]: entry["value"] for entry in answer["metrics"]}
    return Held(int(metrics["JSEventListeners"]), int(metrics["Nodes"]), int(metrics["JSHeapUsedSize"]))


async def renderer_memory(browser: Browser) -> int:
    """Bytes that the processes of a browser's pages share with nobody."""
    session = await browser.new_browser_cdp_session()
    try:
        answer = await session.send("SystemInfo.getProcessInfo")
    finally:
        await session.detach()
    pages = [one["id"] for one in answer["processInfo"] if one["type"] == "renderer"]
    return sum(psutil.Process(pid).memory_full_info().uss for pid in pages)


async def stir(server: Server, room: str, participant: str, rounds: int, first: int = 0) -> None:
    """What an hour of a meeting brings, in short: hands, mutes, names, layouts; an event for each. first: the number of
    the first round; what a round sets depends on its number."""
    path = f"/v1/rooms/{room}/participants/{participant}"
    for n in range(first, first + rounds):
        await server.api.call("PATCH", path, {"hand_raised": n % 2 == 0, "name": f"Guest {n % 7}"})
        await server.api.call("PATCH", path, {"audio_muted": n % 2 == 0})
        layout = "speaker" if n % 2 == 0 else "grid"
        await server.api.call("PUT", f"/v1/rooms/{room}/layout", {"layout": layout, "glide_ms": 0})
