from __future__ import annotations

import asyncio

from support.aiortc_client import AiortcClient
from support.hostile import media_addresses, throw
from support.meeting import COLOUR_TOLERANCE, tiles_of, until_right
from support.server import Server
from support.sources import source
from support.wrtc_client import WrtcClient


async def test_a_call_survives_strangers(server: Server) -> None:
    clients = [WrtcClient(source(0)), AiortcClient(source(1))]
    try:
        for client in clients:
            await client.join(server.url, "hostile")
            await client.wait_live()
        addresses = [address for client in clients for address in media_addresses(client.joined["sdp"])]
        assert addresses
        await clients[0].start_watch()
        for _ in range(20):
            assert throw(addresses, 5) > 0
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        seen = await clients[0].end_watch()
        assert seen.fps > 20 and seen.longest < 0.5, seen
        tiles = await tiles_of(server.api, "hostile", 2)
        by_id = {await client.participant(): client for client in clients}
        for client in clients:
            errors = await until_right(client, tiles, by_id)
            assert max(errors.values()) <= COLOUR_TOLERANCE, (client.source.name, errors)
        people = await server.api.get("/v1/rooms/hostile/participants")
        assert [one["state"] for one in people] == ["connected", "connected"]
    finally:
        for client in clients:
            await client.close()


async def test_strangers_cannot_end_a_call_while_it_is_set_up(server: Server) -> None:
    """A stranger's DTLS alert between the answer and the handshake."""
    client = AiortcClient(source(0))
    try:
        sdp = await client.offer()
        joined = await server.api.join("setup", "early", sdp)
        addresses = media_addresses(joined["sdp"])
        assert addresses
        throw(addresses, 5)
        await client.answer(joined["sdp"])
        throw(addresses, 5)
        await client.wait_live()
    finally:
        await client.close()
