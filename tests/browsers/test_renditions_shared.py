from __future__ import annotations

import asyncio
from typing import Any

from support.aiortc_client import AiortcClient, no_decoding
from support.server import Server
from support.sources import source
from support.wrtc_client import WrtcClient

EACH = 8


async def renditions(server: Server, count: int) -> list[dict[str, Any]]:
    """Once there are `count` of them."""
    async with asyncio.timeout(10):
        while True:
            found: list[dict[str, Any]] = (await server.api.get("/v1/rooms/many/stats"))["renditions"]
            if len(found) == count and sum(one["subscribers"] for one in found) == EACH * count:
                return found
            await asyncio.sleep(0.1)


async def test_sixteen_receivers_in_two_codecs_are_two_encoders(server: Server) -> None:
    """...and one when those of the one codec have left."""
    vp8 = [WrtcClient(source(n), send=n == 0) for n in range(EACH)]
    h264 = [AiortcClient(source(n), video="H264", send=False) for n in range(EACH)]
    with no_decoding():
        try:
            for one in vp8:
                await one.join(server.url, "many", role="participant" if one.send else "viewer")
            for other in h264:
                await other.join(server.url, "many", role="viewer")
            for one in vp8:
                await one.wait_live()
            both = await renditions(server, 2)
            assert {one["codec"]: one["subscribers"] for one in both} == {"VP8": EACH, "H264": EACH}
            for other in h264:
                await other.leave()
            left = await renditions(server, 1)
            assert [(one["codec"], one["subscribers"]) for one in left] == [("VP8", EACH)]
        finally:
            for client in [*vp8, *h264]:
                await client.close()
