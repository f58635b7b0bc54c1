"""A line that becomes thin and wide again: how soon the picture fits it, what the sound hears, and the way back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from support.network.page import inbound

from benchmarks.network.party import RTT, SUBJECT, Party, party
from benchmarks.network.row import Figure, Row, at_most

WIDE, THIN = 2_500_000, 350_000
QUEUE = 0.3
"Seconds of packets that the line keeps, as routers do."
QUEUED = 0.1
"Seconds in the line's queue that are as good as none: more, and it does not fit."
SETTLE = 5.0
FIT, BACK = 3.0, 20.0
BACK_DEADLINE = 30.0
SAMPLE = 0.05
SAMPLES_A_SECOND = 48_000


@dataclass(slots=True)
class Line:
    """What was put into the line, and how long its queue was, sampled from without. rate: bit/s."""

    rate: float
    began: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, float]] = field(default_factory=list)
    dropped: int = 0
    _last: tuple[float, int, int] | None = None
    _queue: float = 0.0

    def look(self, counters: dict[str, int]) -> None:
        now = time.monotonic()
        octets, dropped = counters["bytes"], counters["dropped"]
        if self._last is not None:
            then, before, dropped_before = self._last
            self.dropped += dropped - dropped_before
            self._queue = max(0.0, self._queue + 8 * (octets - before) / self.rate - (now - then))
            if dropped > dropped_before:
                self._queue = QUEUE
            self.samples.append((now - self.began, self._queue))
        self._last = (now, octets, dropped)

    def fits_after(self, within: float) -> float:
        """Seconds until the queue was short and stayed so, of the first `within`."""
        return max((at for at, queue in self.samples if at <= within and queue > QUEUED), default=0.0)

    def longest(self, after: float) -> float:
        return max((queue for at, queue in self.samples if at > after), default=0.0)


async def heard(call: Party) -> dict[str, Any]:
    return (await inbound(call.subject))["audio"]


def concealed(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Share of what was played that was made up."""
    played = after["totalSamplesReceived"] - before["totalSamplesReceived"]
    return float((after["concealedSamples"] - before["concealedSamples"]) / max(1, played))


async def observe(call: Party, line: Line, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        line.look((await call.net.stats())["links"][SUBJECT]["down"])
        await asyncio.sleep(SAMPLE)


async def tier(call: Party) -> str:
    found = await call.server.api.get(f"/v1/rooms/network/participants/{call.subject_id}")
    return str(found["tier"])


async def full_after(call: Party) -> float:
    """Seconds until the picture is as large as the canvas again."""
    began = time.monotonic()
    while time.monotonic() - began < BACK_DEADLINE:
        if await call.subject.evaluate(f"{call.subject.video}.videoWidth") == 1280:
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    return BACK_DEADLINE


async def measure(seed: int, seconds: float) -> list[Figure]:
    async with party(seed) as call:
        await call.net.set(SUBJECT, "down", delay=RTT / 2, rate=WIDE, queue=QUEUE)
        start = await heard(call)
        await asyncio.sleep(SETTLE)
        clean = concealed(start, await heard(call))
        wide = await tier(call)
        await call.net.set(SUBJECT, "down", delay=RTT / 2, rate=THIN, queue=QUEUE)
        line, at_drop = Line(THIN), await heard(call)
        await observe(call, line, FIT)
        at_fit, thin = await heard(call), await tier(call)
        await observe(call, line, seconds)
        at_rise, stayed = await heard(call), await tier(call)
        await call.net.set(SUBJECT, "down", delay=RTT / 2, rate=WIDE, queue=QUEUE)
        back = await full_after(call)
        at_end, trouble = await heard(call), await call.trouble()
    first = concealed(at_drop, at_fit) * FIT * 1000
    note = f"{wide} > {thin} > {stayed} > {reached(back)}; {line.dropped} dropped by the line {trouble}"
    return [
        at_most("fits a line of 350 kb/s after", line.fits_after(FIT + seconds), FIT, "s", note=note),
        at_most("sound made up from 3 s after the drop on", 100 * concealed(at_fit, at_rise), 0.5, "%", 100 * clean),
        at_most("sound made up while the line rises again", 100 * concealed(at_rise, at_end), 0.5, "%", 100 * clean),
        at_most("sound made up within 3 s of the drop", first, QUEUE * 1000, "ms", note="the line's queue: 300 ms"),
        at_most("full step again after", back, BACK, "s"),
    ]


def reached(back: float) -> str:
    return "full" if back < BACK_DEADLINE else "not full"


ROWS = (Row("downlink-rate", measure, "downlink 2500, 350, 2500 kb/s", seconds=20),)
