"""Chromium in a client's namespace, and a call from a page of its own that no server had to send it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser
from support.chromium import EXECUTABLE, chromium, chromium_client
from support.direct_call import CONNECT, GATHERED, VIDEO
from support.http import Api
from support.network.emulator import Network
from support.page_client import BLANK_PAGE, PageClient
from support.sources import Source

STATS = """
__pc.getStats().then((all) => Object.fromEntries([...all.values()]
  .filter(({ type }) => ['inbound-rtp', 'outbound-rtp', 'candidate-pair'].includes(type))
  .map((one) => [`${one.type}/${one.kind ?? one.id}`, one])))
"""


@asynccontextmanager
async def chromium_in(net: Network, name: str) -> AsyncIterator[Browser]:
    """Its control goes over pipes, which know nothing of networks."""
    with tempfile.TemporaryDirectory(prefix="mixdown-browser-") as folder:
        script = Path(folder) / "chromium"
        script.write_text(f'#!/bin/sh\nexec {" ".join(net.command(name))} {EXECUTABLE} "$@"\n')
        os.chmod(script, 0o755)
        async with chromium(executable=str(script)) as browser:
            yield browser


async def page_in_call(browser: Browser, source: Source, api: Api, room: str, **more: Any) -> tuple[PageClient, str]:
    """A page that sends and receives, and its participant's id. Offer and answer are carried here, not by its network:
    what the network does then concerns media only."""
    client = await chromium_client(browser, source)
    client.video = VIDEO
    await client.page.goto(BLANK_PAGE)
    await client.evaluate(CONNECT)
    await client.evaluate("__pc.createOffer().then((offer) => __pc.setLocalDescription(offer))")
    offer = await client.evaluate(GATHERED)
    joined = await api.join(room, source.name, offer["sdp"], **more)
    answer = json.dumps({"type": "answer", "sdp": joined["sdp"]})
    await client.evaluate(f"__pc.setRemoteDescription({answer}).then(() => null)")
    await client.until(f"__pc.connectionState === 'connected' && {VIDEO}.videoWidth > 0")
    return client, str(joined["id"])


async def inbound(client: PageClient) -> dict[str, dict[str, Any]]:
    """getStats' inbound-rtp, by kind."""
    found: dict[str, dict[str, Any]] = await client.evaluate(STATS)
    return {key.partition("/")[2]: one for key, one in found.items() if key.startswith("inbound-rtp/")}


async def outbound(client: PageClient) -> dict[str, dict[str, Any]]:
    """getStats' outbound-rtp, by kind."""
    found: dict[str, dict[str, Any]] = await client.evaluate(STATS)
    return {key.partition("/")[2]: one for key, one in found.items() if key.startswith("outbound-rtp/")}
