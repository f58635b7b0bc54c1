"""Row of the table: the same room of 64 with real clients against `mixdown serve`, sockets, DTLS and SRTP included."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from benchmarks.sound.call import tone_packets

PEOPLE = 64
TALKERS = 3
SECONDS = 20.0
SETTLE = 4.0
LOOP = 50


def full_house(seed: int) -> dict[str, float]:
    """The server's own figures, by its stats: encodes, late ticks, CPU, delay."""
    return asyncio.run(_full_house(seed))


async def _full_house(seed: int) -> dict[str, float]:
    from support.audience import audience
    from support.server import running_server

    dice = random.Random(seed)
    loud = [tone_packets(dice.uniform(200, 2000), LOOP, bitrate=32_000) for _ in range(TALKERS)]
    hiss = tone_packets(120.0, LOOP, amplitude=0.0002, bitrate=32_000)  # under the gate, as open microphones are
    voices = [*loud, *[hiss] * (PEOPLE - TALKERS)]
    async with running_server("--max-participants", str(PEOPLE)) as server, audience(server.url, "house", voices):
        await asyncio.sleep(SETTLE)
        before = await _stats(server.api, "house")
        await asyncio.sleep(SECONDS)
        after = await _stats(server.api, "house")
    ticks = {key: after["ticks"]["audio"][key] - before["ticks"]["audio"][key] for key in ("count", "late", "skipped")}
    return {
        "encodes": float(len(after["mixes"])),
        "listeners": float(sum(mix["listeners"] for mix in after["mixes"])),
        "late_percent": 100 * (ticks["late"] + ticks["skipped"]) / max(1, ticks["count"]),
        "cpu_cores": after["cpu_cores"]["total"],
        "p50_ms": after["latency_ms"]["audio"]["p50"],
        "p95_ms": after["latency_ms"]["audio"]["p95"],
    }


async def _stats(api: Any, room: str) -> dict[str, Any]:
    found: dict[str, Any] = await api.get(f"/v1/rooms/{room}/stats")
    return found
