"""How soon a mute or a gain is heard: from the HTTP call's start to the packet at another client that has it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from support.phone_client import PhoneClient
from support.rtp_ear import RtpEar
from support.server import running_server
from support.sources import source

from mixdown.codecs.opus import OpusDecoder
from mixdown.mixer.levels import level_dbov

ROOM = "reaction"
SILENT = -50.0
"dBov, over which nothing of a voice may be heard that is muted."
GAIN = -12.0
NEAR = 1.5
"dB: how near a level is to what it is to become."
STEADY, TICK = 0.2, 0.02
"Seconds between two changes, and up to a tick more."

Act = Callable[[], Awaitable[object]]


class Levels:
    """Decodes what an ear gets, packet by packet."""

    def __init__(self, ear: RtpEar) -> None:
        self._ear = ear
        self._decoder = OpusDecoder()
        self.latest = 0.0

    async def reached(self, right: Callable[[float], bool], since: float, timeout: float = 3.0) -> float:
        """When the first packet came, after `since`, whose level is right. dBov."""
        packets = self._ear.notes["audio"].packets
        deadline, heard = time.monotonic() + timeout, 0
        while time.monotonic() < deadline:
            while packets:
                packet = packets.popleft()
                self.latest = level_dbov(self._decoder.decode(packet.data))
                heard += packet.at > since
                if packet.at > since and right(self.latest):
                    return packet.at
            await self._ear.next(timeout)
        raise TimeoutError(f"not heard in {timeout} s, {heard} packets, the last at {self.latest:.0f} dBov")

    async def seconds(self, act: Act, right: Callable[[float], bool]) -> float:
        """From the beginning of `act` to the packet in which it is heard."""
        await asyncio.sleep(STEADY)
        await self.reached(lambda level: not right(level), time.monotonic())
        await asyncio.sleep(random.uniform(0.0, TICK))  # or it would begin with a packet each time
        began = time.monotonic()
        acting = asyncio.ensure_future(act())
        try:
            return await self.reached(right, began) - began
        finally:
            await acting


async def reactions(times: int) -> dict[str, list[float]]:
    """what -> seconds of each of so many changes."""
    async with running_server() as server, RtpEar() as ear:
        talker = PhoneClient(source(0, "Talker"), "opus")
        try:
            await talker.join(server.url, ROOM)
            await ear.join(server.url, ROOM, ("audio",), role="moderator")
            await ear.wait("audio")
            path = f"/v1/rooms/{ROOM}/participants/{talker.joined['id']}"

            async def change(token: str, **fields: object) -> None:
                headers = {"Authorization": f"Bearer {token}"}
                answer = await server.api.raw("PATCH", path, json=fields, headers=headers)
                answer.raise_for_status()

            return await _changes(Levels(ear), change, talker.joined["token"], ear.token, times)
        finally:
            await talker.close()


async def _changes(
    levels: Levels, change: Callable[..., Awaitable[None]], own: str, moderator: str, times: int
) -> dict[str, list[float]]:
    await levels.reached(lambda level: level > SILENT + NEAR, 0.0, 10.0)
    await asyncio.sleep(1.0)
    await levels.reached(lambda level: True, time.monotonic())
    loud = levels.latest

    def silent(level: float) -> bool:
        return level < SILENT

    def back(level: float) -> bool:
        return level > loud - NEAR

    def lower(level: float) -> bool:
        return abs(level - loud - GAIN) < NEAR

    taken: dict[str, list[float]] = {name: [] for name in ("own_mute", "own_unmute", "moderator_mute", "gain")}
    for _ in range(times):
        taken["own_mute"].append(await levels.seconds(lambda: change(own, audio_muted=True), silent))
        taken["own_unmute"].append(await levels.seconds(lambda: change(own, audio_muted=False), back))
        taken["moderator_mute"].append(await levels.seconds(lambda: change(moderator, audio_muted=True), silent))
        await levels.seconds(lambda: change(own, audio_muted=False), back)
        down = await levels.seconds(lambda: change(moderator, gain_db=GAIN), lower)
        up = await levels.seconds(lambda: change(moderator, gain_db=0.0), back)
        taken["gain"].append(max(down, up))
    return taken
