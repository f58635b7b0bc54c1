"""A room's costs and health: what the mixer measured, joined with what the edge and the process spent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mixdown.mcu.clock import now as monotonic
from mixdown.mcu.clock import process_cpu
from mixdown.mcu.errors import MixdownError
from mixdown.mcu.link.messages import RequestKind
from mixdown.mcu.rooms.ports import EdgePort
from mixdown.mcu.rooms.registry import Registry
from mixdown.mcu.rooms.requests import MixerRequests
from mixdown.mcu.rooms.room import Room

Json = dict[str, Any]

WINDOW = 6
"Samples kept, one a second: rates are over the last five seconds."
FRESH = 1.0
"Seconds for which what the mixer said of sources is not asked again."
AT_ONCE = 16
"Rooms that the mixer is asked about at once: other questions have to find their place beside them."
MIXER_PARTS = ("decode", "compose", "encode", "audio")


@dataclass(slots=True)
class Meter:
    """CPU seconds spent so far, read off now and then. Bounded: the oldest reading goes."""

    readings: deque[tuple[float, tuple[float, ...]]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def add(self, now: float, *spent: float) -> None:
        if not self.readings or now - self.readings[-1][0] >= 0.5:
            self.readings.append((now, spent))

    def cores(self, now: float, *spent: float) -> tuple[float, ...]:
        """Cores used since the oldest reading; zeros until there is one to compare with."""
        if not self.readings or now - self.readings[0][0] < 0.2:
            return tuple(0.0 for _ in spent)
        then, before = self.readings[0]
        return tuple(max(0.0, (s - b) / (now - then)) for s, b in zip(spent, before, strict=True))


class StatsCollector:
    """Lives on the event loop. clock, cpu: seconds, for tests."""

    def __init__(
        self,
        registry: Registry,
        requests: MixerRequests,
        edge: Callable[[], EdgePort],
        clock: Callable[[], float] = monotonic,
        cpu: Callable[[], float] = process_cpu,
    ) -> None:
        self._registry = registry
        self._requests = requests
        self._edge = edge
        self._clock = clock
        self._cpu = cpu
        self._process = Meter()
        self._rooms: dict[str, Meter] = {}
        self._measured: dict[str, tuple[float, dict[str, Json]]] = {}

    def sample(self) -> None:
        """Once a second. Rooms that nobody is in are not looked at."""
        now = self._clock()
        self._process.add(now, self._cpu())
        occupied = {room.id for room in self._registry if room.participants}
        for room in occupied:
            self._rooms.setdefault(room, Meter()).add(now, *self._edge().cpu(room))
        self._rooms = {room: meter for room, meter in self._rooms.items() if room in occupied}
        self._measured = {room: found for room, found in self._measured.items() if room in occupied}

    def measured(self, room: Room) -> Mapping[str, Json]:
        """By source id, what the mixer said of a room's sources last; empty if it was not asked yet."""
        return self._measured.get(room.id, (0.0, {}))[1]

    async def refresh(self, room: Room) -> None:
        """Sees to it that `measured` is no older than a second, if the mixer answers (its silence is counted there)."""
        if room.participants and self._clock() - self._measured.get(room.id, (float("-inf"), {}))[0] > FRESH:
            with suppress(MixdownError):
                await self._mixer(room)

    async def room(self, room: Room) -> Json:
        """The body of `GET /v1/rooms/{room}/stats`. Raises Unavailable if the mixer does not answer."""
        others = [other for other in self._registry if other.participants and other is not room]
        measured = {room.id: await self._mixer(room)}
        for start in range(0, len(others), AT_ONCE):
            measured |= await self._measure(others[start : start + AT_ONCE])
        parts = {name: self._parts(name, body) for name, body in measured.items()}
        cores = {**parts[room.id], "rest": self._rest(room, [room, *others], parts.values())}
        cores["total"] = sum(cores.values())
        return {**measured[room.id], "room": room.id, "cpu_cores": {k: round(v, 4) for k, v in cores.items()}}

    async def _measure(self, rooms: list[Room]) -> dict[str, Json]:
        """What the mixer says of rooms, by id; those that it says nothing of are left out."""
        answers = await asyncio.gather(*(self._mixer(room) for room in rooms), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, MixdownError):
                raise answer
        return {room.id: answer for room, answer in zip(rooms, answers, strict=True) if isinstance(answer, dict)}

    async def _mixer(self, room: Room) -> Json:
        body = dict(await self._requests.ask(RequestKind.STATS, room.id))
        if room.participants:
            self._measured[room.id] = (self._clock(), {source["id"]: source for source in body.get("sources", ())})
        return body

    def _parts(self, room: str, body: Json) -> dict[str, float]:
        now = self._clock()
        receive, send = self._rooms.get(room, Meter()).cores(now, *self._edge().cpu(room))
        mixer = body.get("cpu_cores", {})
        return {"receive": receive, **{part: float(mixer.get(part, 0.0)) for part in MIXER_PARTS}, "send": send}

    def _rest(self, room: Room, occupied: list[Room], parts: Iterable[dict[str, float]]) -> float:
        """What no part accounts for (HTTP, ICE, the loop itself), shared out by participants."""
        (spent,) = self._process.cores(self._clock(), self._cpu())
        rest = max(0.0, spent - sum(sum(one.values()) for one in parts))
        people = sum(len(other.participants) for other in occupied)
        return rest * len(room.participants) / people if people else 0.0
