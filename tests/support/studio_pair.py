"""Two people in a room that an admin looks after: what the studio does to the first, the second sees and hears."""

from __future__ import annotations

from typing import Any

from support.measure import quadrant_points
from support.meeting import CANVAS, COLOUR_TOLERANCE
from support.server import Server
from support.sources import Source
from support.studio import until
from support.wrtc_client import WrtcClient

ROOM = "people"
HEARD = -30.0
"dB: a tone that is there is over, one that is not is far under."
SILENT = -60.0


class Pair:
    """Ada, and Bob who notices."""

    def __init__(self, server: Server, ada: WrtcClient, bob: WrtcClient) -> None:
        self.server, self.ada, self.bob = server, ada, bob

    async def state(self, client: WrtcClient) -> dict[str, Any]:
        found: dict[str, Any] = await self.server.api.get(f"/v1/rooms/{ROOM}/participants/{await client.participant()}")
        return found

    async def until_ada(self, what: str, check: Any) -> None:
        async def checked() -> bool:
            return bool(check(await self.state(self.ada)))

        await until(f"Ada is {what}", checked)

    async def until_heard(self, heard: bool) -> None:
        """By Bob."""

        async def checked() -> bool:
            (level,) = await self.bob.levels([self.ada.source.tone], 0.9)
            return level > HEARD if heard else level < SILENT

        await until(f"Bob hears Ada: {heard}", checked)

    async def until_seen(self, shown: Source, tile: str, seen: bool) -> None:
        """By Bob: whether the tile of that source id shows the colours of `shown`."""

        async def checked() -> bool:
            tiles = {one["source"]: one for one in (await self.server.api.tiles(ROOM))["tiles"]}
            if tile not in tiles:
                return not seen
            error = await self.bob.error(quadrant_points(tiles[tile], CANVAS), shown)
            return error <= COLOUR_TOLERANCE if seen else error > 2 * COLOUR_TOLERANCE

        await until(f"Bob sees {tile}: {seen}", checked)
