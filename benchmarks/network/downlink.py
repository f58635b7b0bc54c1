"""A receiver whose packets get lost on the way down, beside the same loss in a call between two Chromium directly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from support.chromium import chromium_client
from support.direct_call import connect
from support.network.emulator import Network, emulated
from support.network.page import chromium_in, inbound
from support.page_client import PageClient

from benchmarks.network.party import RTT, SETTLE, SUBJECT, moving, party
from benchmarks.network.row import Figure, Row, at_most

MORE = 1.2
"Times the direct call's figure."
LOSSES = (0.02, 0.05)
CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Seen:
    """What getStats counted, by minute: freezes, seconds frozen, milliseconds of concealed sound. note: the rest."""

    freezes: float
    frozen: float
    concealed: float
    note: str


async def observe(client: PageClient, seconds: float) -> Seen:
    before = await inbound(client)
    await asyncio.sleep(seconds)
    after = await inbound(client)

    def grown(kind: str, name: str) -> float:
        return float(after[kind].get(name, 0) - before[kind].get(name, 0))

    minutes = (after["video"]["timestamp"] - before["video"]["timestamp"]) / 60_000
    kbps = grown("video", "bytesReceived") * 8 / 60_000 / minutes
    height, fps = after["video"].get("frameHeight"), grown("video", "framesDecoded") / 60 / minutes
    asked = f"{grown('video', 'nackCount'):.0f} NACK {grown('video', 'pliCount'):.0f} PLI"
    note = f"{fps:.1f} fps {height}p {kbps:.0f} kb/s {asked}"
    return Seen(
        grown("video", "freezeCount") / minutes,
        grown("video", "totalFreezesDuration") / minutes,
        grown("audio", "concealedSamples") / 48 / minutes,
        note,
    )


@asynccontextmanager
async def direct(seed: int) -> AsyncIterator[tuple[Network, PageClient]]:
    """A 720p picture from one Chromium to another. The receiver."""
    async with (
        emulated([CALLER, SUBJECT], seed) as net,
        chromium_in(net, CALLER) as far,
        chromium_in(net, SUBJECT) as near,
    ):
        for direction in ("up", "down"):
            await net.set(SUBJECT, direction, delay=RTT / 2)
        caller = await chromium_client(far, replace(moving(4, "Caller"), width=1280, height=720))
        subject = await chromium_client(near, moving(0, "Subject"))
        await connect(caller, subject)
        await asyncio.sleep(SETTLE)
        await net.reseed()
        yield net, subject


async def _lossy(net: Network, client: PageClient, loss: float, seconds: float) -> Seen:
    await net.set(SUBJECT, "down", delay=RTT / 2, loss=loss)
    return await observe(client, seconds)


async def downlink(seed: int, seconds: float) -> list[Figure]:
    async with direct(seed) as (net, client):
        beside = [await _lossy(net, client, loss, seconds) for loss in LOSSES]
    async with party(seed) as call:
        seen = [await _lossy(call.net, call.subject, loss, seconds) for loss in LOSSES]
        trouble = f"{await call.trouble()} {call.steps()}"
    pairs = zip(LOSSES, seen, beside, strict=True)
    return [
        one for loss, ours, control in pairs for one in figures(f"{loss:.0%} downlink loss", ours, control, trouble)
    ]


def figures(name: str, seen: Seen, control: Seen, trouble: str) -> list[Figure]:
    note = f"{seen.note}; direct {control.note} {trouble}"
    pairs: list[tuple[str, str, Any]] = [
        ("freezes a minute", "", "freezes"),
        ("frozen, of a minute", "s", "frozen"),
        ("sound concealed, of a minute", "ms", "concealed"),
    ]
    found = []
    for what, unit, field in pairs:
        value, beside = getattr(seen, field), getattr(control, field)
        found.append(at_most(f"{what}, {name}", value, MORE * beside, unit, round(beside, 2), note))
        note = ""
    return found


ROWS = (Row("downlink", downlink, "downlink loss 2 and 5 %, RTT 50 ms", seconds=15),)
