"""A call between two pages without any server: what the browsers and this machine do by themselves, as a control."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from playwright.async_api import Browser
from support.chromium import chromium_client
from support.page_client import BLANK_PAGE, PageClient
from support.sources import source

VIDEO = "document.querySelector('video')"

CONNECT = """
(async () => {
  const stream = await __openSource({ audio: true, video: true });
  const pc = window.__pc = new RTCPeerConnection();
  const video = document.createElement('video');
  Object.assign(video, { autoplay: true, muted: true });
  document.body.append(video);
  const remote = new MediaStream();
  video.srcObject = remote;
  pc.ontrack = ({ track }) => remote.addTrack(track);
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  __probe.of(video);
})()
"""

GATHERED = """
new Promise((resolve) => {
  const done = () => __pc.iceGatheringState === 'complete' && resolve(__pc.localDescription.toJSON());
  __pc.addEventListener('icegatheringstatechange', done);
  done();
})
"""


async def connect(caller: PageClient, callee: PageClient) -> None:
    """Both send and receive sound and picture. The pages have the source and the probe in them."""
    for client in (caller, callee):
        client.video = VIDEO
        await client.page.goto(BLANK_PAGE)
        await client.evaluate(CONNECT)
    await negotiate(caller, callee)
    for client in (caller, callee):
        await client.until(f"__pc.connectionState === 'connected' && {VIDEO}.videoWidth > 0")


async def negotiate(caller: PageClient, callee: PageClient) -> None:
    await caller.evaluate("__pc.createOffer().then((offer) => __pc.setLocalDescription(offer))")
    await _remote(callee, await caller.evaluate(GATHERED))
    await callee.evaluate("__pc.createAnswer().then((answer) => __pc.setLocalDescription(answer))")
    await _remote(caller, await callee.evaluate(GATHERED))


async def _remote(client: PageClient, description: dict[str, Any]) -> None:
    await client.evaluate(f"__pc.setRemoteDescription({json.dumps(description)}).then(() => null)")


async def first_frame(browser: Browser, n: int) -> float:
    """Seconds from the caller's offer to the first frame that the callee shows: the least a join can take."""
    caller = await chromium_client(browser, source(n))
    callee = await chromium_client(browser, source(n + 1))
    try:
        clock = asyncio.get_running_loop()
        for client in (caller, callee):
            client.video = VIDEO
            await client.page.goto(BLANK_PAGE)
            await client.evaluate(CONNECT)
        start = clock.time()
        await negotiate(caller, callee)
        await callee.evaluate(f"__probe.of({VIDEO}).until(() => true).then(() => null)")
        return clock.time() - start
    finally:
        await caller.close()
        await callee.close()
