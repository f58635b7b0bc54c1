"""A line that becomes thin and wide again: how soon the picture fits it, what the sound hears, and the way back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from support.network.emulator import Network
from support.network.page import inbound
from support.page_client import PageClient

from benchmarks.network.downlink import direct
from benchmarks.network.party import RTT, SUBJECT, party
from benchmarks.network.row import Figure, Row, at_most

WIDE, THIN = 2_500_000, 350_000
QUEUE = 0.3
"Seconds of packets that the line keeps, as routers do."
QUEUED = 0.1
"Seconds in the line's queue that are as good as none: more, and it does not fit."
SETTLE = 5.0
FIT, BACK = 3.0, 20.0
BACK_DEADLINE = 24.0
CALM = 1.0
"Seconds for which the queue must be short before it is believed; a probe later on may make it longer for a moment."
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

    def fits_after(self) -> float:
        """Seconds until the queue was short, and short for a second."""
        fitted = 0.0
        for at, queue in self.samples:
            if queue > QUEUED:
                fitted = at
            elif at - fitted > CALM:
                return fitted
        return self.samples[-1][0] if self.samples else 0.0

    def longest(self, after: float) -> float:
        return max((queue for at, queue in self.samples if at > after), default=0.0)


def concealed(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Share of what was played that was made up."""
    played = after["totalSamplesReceived"] - before["totalSamplesReceived"]
    return float((after["concealedSamples"] - before["concealedSamples"]) / max(1, played))


@dataclass(frozen=True, slots=True)
class Seen:
    """fits, back: seconds. clean, later, rising: shares of sound that were made up, before, from FIT after the drop on,
    and from the rise on; first: seconds of it within FIT of the drop. longest: of the queue, once it fitted."""

    fits: float
    back: float
    clean: float
    first: float
    later: float
    rising: float
    longest: float
    note: str


async def observe(net: Network, client: PageClient, seconds: float) -> Seen:
    """The whole schedule."""

    async def heard() -> dict[str, Any]:
        return (await inbound(client))["audio"]

    async def watch(line: Line, duration: float) -> None:
        end = time.monotonic() + duration
        while time.monotonic() < end:
            line.look((await net.stats())["links"][SUBJECT]["down"])
            await asyncio.sleep(SAMPLE)

    await net.set(SUBJECT, "down", delay=RTT / 2, rate=WIDE, queue=QUEUE)
    start = await heard()
    await asyncio.sleep(SETTLE)
    at_drop, wide = await heard(), await height(client)
    await net.set(SUBJECT, "down", delay=RTT / 2, rate=THIN, queue=QUEUE)
    line = Line(THIN)
    await watch(line, FIT)
    at_fit, thin = await heard(), await height(client)
    await watch(line, seconds)
    at_rise, stayed = await heard(), await height(client)
    await net.set(SUBJECT, "down", delay=RTT / 2, rate=WIDE, queue=QUEUE)
    back = await whole_after(client, wide)
    at_end = await heard()
    fits = line.fits_after()
    return Seen(
        fits,
        back,
        concealed(start, at_drop),
        concealed(at_drop, at_fit) * FIT,
        concealed(at_fit, at_rise),
        concealed(at_rise, at_end),
        line.longest(fits + SAMPLE),
        f"{wide}p, {thin}p, {stayed}p; {line.dropped} dropped by the line",
    )


async def height(client: PageClient) -> int:
    return int(await client.evaluate(f"{client.video}.videoHeight"))


async def whole_after(client: PageClient, wanted: int) -> float:
    """Seconds until the picture is as large as before."""
    began = time.monotonic()
    while time.monotonic() - began < BACK_DEADLINE and await height(client) < wanted:
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def measure(seed: int, seconds: float) -> list[Figure]:
    async with direct(seed) as (net, client):
        beside = await observe(net, client, seconds)
    async with party(seed) as call:
        seen = await observe(call.net, call.subject, seconds)
        trouble = f"{await call.trouble()} {call.steps()}"
    note = f"{seen.note}; direct {beside.note} {trouble}"
    queue = f"longest queue once it fitted {seen.longest:.2f} s, direct {beside.longest:.2f} s"
    return [
        at_most("fits a line of 350 kb/s after", seen.fits, FIT, "s", round(beside.fits, 2), note),
        at_most(
            "sound made up within 3 s of the drop",
            1000 * seen.first,
            1000 * beside.first,
            "ms",
            note="the direct call's",
        ),
        at_most(
            "sound made up later on the thin line", 100 * seen.later, 0.5, "%", round(100 * beside.later, 2), queue
        ),
        at_most("sound made up while the line rises", 100 * seen.rising, 0.5, "%", round(100 * beside.rising, 2)),
        at_most("as large as before after", seen.back, BACK, "s", round(beside.back, 1)),
    ]


ROWS = (Row("downlink-rate", measure, "downlink 2500, 350, 2500 kb/s", seconds=12),)
