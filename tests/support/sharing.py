"""Starting and stopping a screen share, and how the others' picture runs meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from support.measure import FrameTimes
from support.page_client import PageClient
from support.sources import Source

WINDOW_SECONDS = 2.0
"After a click: the share's first picture, the layout's change and its way through the network are in it."


class Watcher(Protocol):
    async def start_watch(self) -> None: ...
    async def end_watch(self) -> FrameTimes: ...


async def prepare_screen(client: PageClient, screen: Source) -> None:
    """Sharing gives this source from now on, until the page is loaded anew."""
    script = (Path(__file__).parent / "screen.js").read_text()
    await client.evaluate(script.replace("__SOURCE__", json.dumps(screen.as_json())))


async def gaps_after(act: Callable[[], Awaitable[None]], watchers: Sequence[Watcher]) -> list[float]:
    """Seconds of each watcher's longest gap between two frames, while and after `act` is done."""
    for watcher in watchers:
        await watcher.start_watch()
    await act()
    await asyncio.sleep(WINDOW_SECONDS)
    return [(await watcher.end_watch()).longest for watcher in watchers]


async def toggle_share(client: PageClient) -> None:
    await client.evaluate("document.querySelector('mx-stage [data-part=screen]').click()")


async def nothing() -> None:
    """The control: what a machine's own hiccups make of the picture."""
