"""A clean call of four: how long a picture takes through the server, measured from outside.

In: when a client hands over an encoded frame. Out: when the composite's last packet that shows that frame reached
another client's socket. Neither encodes or decodes within that time: what is sent was encoded before, what comes is
decoded afterwards, to read the counters in it. What RTP, SRTP and the test's own event loop take at both ends is in it.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
from support.aiortc_client import no_decoding
from support.meeting import tiles_of
from support.network.watcher import Tile
from support.replay_client import ReplayClient
from support.server import running_server

from benchmarks.network.party import QUARTERS, ROOM, SLOTS, moving
from benchmarks.network.row import Figure, Row, at_most

KEPT = 90
"Frames of which the last packet's arrival is remembered."


class Stopwatch:
    """Reads the counters of one client's composite. ages: seconds, of each picture when it came out; others: composites
    of another tier than 720p, which are left out."""

    def __init__(self, client: ReplayClient) -> None:
        self.ages: list[float] = []
        self.tiles: list[tuple[Tile, ReplayClient]] = []
        self._arrived: dict[int, float] = {}
        self._client = client
        self._receiver = next(t.receiver for t in client.pc.getTransceivers() if t.kind == "video")
        self.others = 0
        # aiortc's estimate of a busy machine's line would ask for a lower tier, and 720p is what is measured.
        self._receiver._RTCRtpReceiver__remote_bitrate_estimator = None
        self._take = self._receiver._handle_rtp_packet
        self._receiver._handle_rtp_packet = self._note

    async def _note(self, packet: Any, arrival_time_ms: int) -> None:
        if packet.marker:
            self._arrived[packet.timestamp] = asyncio.get_running_loop().time()
            if len(self._arrived) > KEPT:
                del self._arrived[next(iter(self._arrived))]
        await self._take(packet, arrival_time_ms)

    async def run(self) -> None:
        """Until it is cancelled."""
        seen = None
        while True:
            frame = self._client.latest
            if frame is None or frame is seen:
                await asyncio.sleep(0.002)
                continue
            seen = frame
            origin = self._receiver._RTCRtpReceiver__timestamp_mapper._origin
            arrived = self._arrived.get((frame.pts + origin) & 0xFFFFFFFF)
            if arrived is not None:
                self._look(frame.to_ndarray()[: frame.height], arrived)

    def _look(self, luma: np.ndarray, arrived: float) -> None:
        if luma.shape != (720, 1280):
            self.others += 1
            return
        for tile, sender in self.tiles:
            number, first = tile.read(luma), tile.number < 0
            if number != tile.number and number < len(sender.camera.sent):
                tile.number = number
                if not first:
                    self.ages.append(arrived - sender.camera.sent[number])


async def clean(seed: int, seconds: float) -> list[Figure]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server())
        await server.api.call("PUT", f"/v1/layouts/{QUARTERS}", {"slots": SLOTS})
        clients = [ReplayClient(moving(n), watch=n == 0) for n in range(4)]
        stopwatch = None
        for client in clients:
            stack.push_async_callback(client.close)
            await client.join(server.url, ROOM)
            if stopwatch is None:
                stopwatch = Stopwatch(client)
                await client.wait_live()
                stack.enter_context(no_decoding())
        assert stopwatch is not None
        await server.api.call("PUT", f"/v1/rooms/{ROOM}/layout", {"layout": QUARTERS})
        await asyncio.sleep(3)
        by_id = {await client.participant(): client for client in clients}
        for tile in (await tiles_of(server.api, ROOM, len(clients)))["tiles"]:
            place = Tile(*(round(tile[side]) for side in ("x", "y", "width", "height")))
            stopwatch.tiles.append((place, by_id[tile["participant"]]))
        reading = asyncio.create_task(stopwatch.run())
        await asyncio.sleep(seconds)
        reading.cancel()
        stats = await server.api.get(f"/v1/rooms/{ROOM}/stats")
    p50, p95 = (float(np.percentile(stopwatch.ages, share)) * 1000 for share in (50, 95))
    own = stats["latency_ms"]["video"]
    note = f"{len(stopwatch.ages)} pictures; the server's own meter: {own['p50']:.0f} / {own['p95']:.0f} ms"
    if stopwatch.others:
        note += f"; {stopwatch.others} composites of another tier left out"
    return [
        at_most("picture in to picture out, median", p50, 40, "ms", None, note),
        at_most("picture in to picture out, 95 %", p95, 70, "ms"),
    ]


ROWS = (Row("clean", clean, "a clean call of four, moving pictures and voices, 720p", seconds=20),)
