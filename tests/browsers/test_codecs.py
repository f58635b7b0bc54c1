from __future__ import annotations

import pytest
from playwright.async_api import Browser
from support.aiortc_client import AiortcClient
from support.chromium import chromium_client
from support.meeting import COLOUR_TOLERANCE, tiles_of, until_right
from support.page_client import init_script, only_codec
from support.server import Server
from support.sources import source


async def test_vp8_only_and_h264_only_in_one_room(server: Server, browser: Browser) -> None:
    """Four peers that could not speak with each other directly: each sees all."""
    clients = [
        await chromium_client(browser, source(0), script=init_script(source(0)) + only_codec("VP8")),
        await chromium_client(browser, source(1), script=init_script(source(1)) + only_codec("H264")),
        AiortcClient(source(2), video="VP8"),
        AiortcClient(source(3), video="H264"),
    ]
    try:
        for client in clients:
            await client.join(server.url, "codecs")
            await client.wait_live()
        tiles = await tiles_of(server.api, "codecs", 4)
        by_id = {await client.participant(): client for client in clients}
        for client in clients:
            errors = await until_right(client, tiles, by_id)
            assert max(errors.values()) <= COLOUR_TOLERANCE, (client.source.name, errors)
        people = await server.api.get("/v1/rooms/codecs/participants")
        assert sorted(one["video"]["codec"] for one in people) == ["H264", "H264", "VP8", "VP8"]
    finally:
        for client in clients:
            await client.close()


@pytest.mark.parametrize("foreign", ["VP9/90000", "AV1/90000"])
async def test_no_common_codec_is_406_and_says_what_there_is(server: Server, foreign: str) -> None:
    client = AiortcClient(source(0), video="VP8")
    try:
        sdp = await client.offer()
        answer = await server.api.raw(
            "POST",
            "/v1/rooms/none/participants",
            json={"name": "x", "type": "offer", "sdp": sdp.replace("VP8/90000", foreign)},
        )
        assert answer.status_code == 406
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert "VP8" in answer.json()["detail"]
    finally:
        await client.close()
