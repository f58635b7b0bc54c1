"""A participant whose address changes in the middle of a call: how soon the join page has its picture again.

The page as it is served, in Chromium in a namespace of its own: an answer is for one transport, so a new address takes
a new offer, which the page makes by itself, with its token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from support.roaming import back_after, roamer
from support.sources import source

from benchmarks.network.row import Figure, Row, at_most
from benchmarks.pages.roaming import BACK_S, ROOM, Traveller

AWAY = 2.0
"Seconds without any network, in one of the changes."


async def address_change(seed: int, seconds: float) -> list[Figure]:
    async with roamer(source(0)) as (place, server, client):
        traveller = Traveller(place)
        await client.join(server.lan_url, ROOM)
        me = await client.participant()
        await asyncio.sleep(seconds)
        found = [
            at_most(f"good frame after {name}", (await back_after(client, change)).seconds, BACK_S, "s")
            for name, change in changes(traveller)
        ]
        people = await server.api.get(f"/v1/rooms/{ROOM}/participants")
        tiles = (await server.api.tiles(ROOM))["tiles"]
    strangers = sum(one["id"] != me for one in people) + abs(len(tiles) - 1)
    return [*found, at_most("participants or tiles more than before", strangers, 0)]


def changes(traveller: Traveller) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    return [
        ("another address of its network", traveller.renumber),
        ("another network, at once", lambda: traveller.move(0)),
        (f"another network, {AWAY:g} s later", lambda: traveller.move(AWAY)),
    ]


ROWS = (Row("address-change", address_change, "a new address in mid-call, as the same participant", seconds=3),)
