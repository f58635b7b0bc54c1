"""A page whose network goes and comes back, or is another one then: Chromium in a network namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from support.namespace import Cable, Namespace, usable
from support.page_client import PageClient
from support.roaming import back_after, roamer
from support.sources import source

ROOM = "roaming"
TIMES = 3
BLACKOUT_S = 1.0
"From a blackout's end to the first good frame."
BACK_S = 5.0
"From a new address to the first frame."


class Traveller:
    """Takes the client from cable to cable; a number is used once, as a new network's is."""

    def __init__(self, place: Namespace) -> None:
        self.place = place
        self.cables = 0
        self.hosts = 2
        self.cable = self._plugged()
        place.address(self.cable, self.address)

    def _plugged(self) -> Cable:
        self.cables += 1
        return self.place.plug(self.cables - 1)

    @property
    def address(self) -> str:
        return self.cable.client(self.hosts)

    async def blackout(self, seconds: float) -> None:
        self.place.silence(self.cable, self.address)
        await asyncio.sleep(seconds)
        self.place.resume(self.cable, self.address)

    async def renumber(self) -> None:
        """Another address of the same network."""
        self.place.no_address(self.cable)
        self.hosts += 1
        self.place.address(self.cable, self.address)

    async def move(self, without: float) -> None:
        """Another network. without: seconds between the two; 0: the new one comes before the old one goes."""
        old = self.cable
        if without:
            self.place.pull(old)
            await asyncio.sleep(without)
        self.cable = self._plugged()
        self.place.address(self.cable, self.address)
        if not without:
            self.place.pull(old)


async def roaming() -> dict[str, float]:
    """The worst of TIMES each: seconds, and offers that blackouts took."""
    if not usable():
        raise SystemExit("This row takes root, iproute2, and a kernel that lets network namespaces be made.")
    async with roamer(source(0)) as (place, server, client):
        traveller = Traveller(place)
        await client.join(server.lan_url, ROOM)
        me = await client.participant()
        await asyncio.sleep(3)
        short, short_offers = await _worst(client, lambda: traveller.blackout(1), 1)
        long, long_offers = await _worst(client, lambda: traveller.blackout(5), 5)
        same_network, _ = await _worst(client, traveller.renumber)
        at_once, _ = await _worst(client, lambda: traveller.move(0))
        later, _ = await _worst(client, lambda: traveller.move(2))
        people = await server.api.get(f"/v1/rooms/{ROOM}/participants")
        tiles = (await server.api.tiles(ROOM))["tiles"]
    return {
        "blackout_1_s": short,
        "blackout_5_s": long,
        "blackout_offers": float(short_offers + long_offers),
        "new_address_s": same_network,
        "new_network_s": at_once,
        "new_network_after_2_s": later,
        "strangers": float(sum(one["id"] != me for one in people)),
        "tiles": float(len(tiles)),
    }


async def _worst(client: PageClient, change: Callable[[], Awaitable[None]], least: float = 0.0) -> tuple[float, int]:
    """Seconds until the picture is back, and how many offers it took in all. least: seconds it must have been away."""
    seen = []
    for _ in range(TIMES):
        seen.append(await back_after(client, change))
        assert seen[-1].gap > least * 0.9, f"the network was not away for {least} s: {seen[-1]}"
        await asyncio.sleep(2)
    return max(one.seconds for one in seen), sum(one.offers for one in seen)
