from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.chromium import EXECUTABLE
from support.measure import quadrant_points
from support.meeting import CANVAS, COLOUR_TOLERANCE, tiles_of
from support.namespace import Namespace, usable
from support.page_client import PageClient
from support.roaming import back_after, roamer
from support.server import Server
from support.sources import source

ROOM = "roaming"
BACK_SECONDS = 5.0
GOOD_FRAME_SECONDS = 1.0
BLACKOUT_SECONDS = 2.0
SLACK = 2.0
"Seconds that a busy machine may add to what has its own figure in `make show-pages`."


async def test_moves_from_network_to_network() -> None:
    """A new address in the same network, then another network: back as itself. A blackout: not even another offer."""
    if not usable() or not Path(EXECUTABLE).exists():
        pytest.skip("takes chromium, root, iproute2, and a kernel that lets network namespaces be made")
    async with roamer(source(0)) as (place, server, client):
        home = place.plug(0)
        place.address(home, home.client())
        await client.join(server.lan_url, ROOM)
        me = await client.participant()
        for part in ("mic", "hand"):
            await client.evaluate(f"document.querySelector('mx-stage [data-part={part}]').click()")

        async def blackout() -> None:
            place.silence(home, home.client())
            await asyncio.sleep(BLACKOUT_SECONDS)
            place.resume(home, home.client())

        async def renumbered() -> None:
            place.no_address(home)
            place.address(home, home.client(7))

        async def elsewhere() -> None:
            _plug_elsewhere(place)
            place.pull(home)

        back = await back_after(client, blackout)
        print("blackout", back)
        assert back.gap > BLACKOUT_SECONDS * 0.9, "the blackout was none"
        assert back.seconds < GOOD_FRAME_SECONDS + SLACK and back.offers == 0
        for change in (renumbered, elsewhere):
            back = await back_after(client, change)
            print(change.__name__, back)
            assert back.seconds < BACK_SECONDS + SLACK
            await _is_itself(server, client, me)


def _plug_elsewhere(place: Namespace) -> None:
    other = place.plug(1)
    place.address(other, other.client())


async def _is_itself(server: Server, client: PageClient, me: str) -> None:
    """The same participant, one tile with its own colours, still muted, hand still up."""
    assert await client.participant() == me
    people = await server.api.get(f"/v1/rooms/{ROOM}/participants")
    assert [(one["id"], one["audio"]["muted"], one["hand_raised"]) for one in people] == [(me, True, True)]
    assert await client.evaluate("mixdown.pc.getSenders()[0].track.enabled") is False
    tiles = await tiles_of(server.api, ROOM, 1)
    points = quadrant_points(tiles["tiles"][0], CANVAS)
    async with asyncio.timeout(15):
        while await client.error(points, client.source) > COLOUR_TOLERANCE:
            await asyncio.sleep(0.2)
