"""One system with a room of people, some of whom talk: its CPU, and what came out."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.audio.janus import JanusServer, running_janus
from benchmarks.clients import Clients, clients
from benchmarks.record import ROOT
from mixdown.mcu.config import Settings

sys.path.insert(0, str(ROOT / "tests"))

from support.server import Server, running_server

ROOM = "1234"
SETTLE = 3.0
"Seconds after others have begun to talk: who was heard before is let go, buffers have settled."
SYSTEMS = ("mixdown", "janus", "janus-mono")
"Ours, whose mixes are stereo; Janus with stereo mixes (`spatial_audio`), and as it is by default."


@dataclass(frozen=True, slots=True)
class Mixed:
    """cores: CPU seconds a second of the server's processes, user and system. own_under_others: dB, by how much the
    least of the ears' own voices is weaker in what it is sent than in what others are sent; None if one talks alone to
    ears that send no voice. packets: a second, at the ear that got fewest. encodes, late: Mixdown's own accounts."""

    cores: float
    own_under_others: float | None
    heard_db: float
    packets: float
    encodes: int | None
    late: float | None


def opus(settings: Settings) -> dict[str, int]:
    """What both encode with."""
    return {"bitrate": settings.opus_bitrate, "complexity": settings.opus_complexity}


def janus_settings(system: str) -> dict[str, Any]:
    same = opus(Settings())
    room = {"sampling_rate": 48_000, "spatial_audio": system == "janus", "default_bitrate": same["bitrate"]}
    return {
        "room": room | {"default_expectedloss": 0, "audiolevel_ext": True, "permanent": False},
        "join": {"quality": same["complexity"], "bitrate": same["bitrate"], "expected_loss": 0},
    }


def crowd(system: str, url: str, people: int) -> AbstractAsyncContextManager[Clients]:
    """Everybody joined, nobody talks."""
    words = (system.partition("-")[0], url, ROOM, "--people", str(people))
    return clients("benchmarks.audio.crowd", *words, "--settings", json.dumps(janus_settings(system)))


async def measure(system: str, people: int, talking: Sequence[int], seconds: float) -> dict[int, dict[str, Any]]:
    """In a fresh server, by how many talk."""
    made = running_server("--max-participants", str(people)) if system == "mixdown" else running_janus()
    async with made as server, crowd(system, server.url, people) as everybody:
        return {count: asdict(await _talk(server, everybody, count, seconds)) for count in talking}


async def _talk(server: Server | JanusServer, everybody: Clients, count: int, seconds: float) -> Mixed:
    await everybody.ask(f"talk {count}")
    await asyncio.sleep(SETTLE)
    ticks, ears = await _ticks(server), await everybody.ask("hear")
    begun, spent = time.monotonic(), server.cpu_seconds()
    await asyncio.sleep(seconds)
    cores = (server.cpu_seconds() - spent) / (time.monotonic() - begun)
    heard, after = await everybody.ask("hear"), await _ticks(server)
    elapsed = time.monotonic() - begun
    packets = min((b["packets"] - a["packets"]) / elapsed for a, b in zip(ears, heard, strict=True))
    under, quietest = separation(heard, count)
    return Mixed(cores, under, quietest, packets, _encodes(after), _late(ticks, after))


def separation(ears: Sequence[dict[str, Any]], talking: int) -> tuple[float | None, float]:
    """(how far the own voice is under what others hear of it, dB of the quietest voice that is to be heard)."""
    tones = {ear["ear"]: ear["tones"] for ear in ears}
    worst, quietest = None, 0.0
    for talker in range(min(talking, 3)):
        others = [levels[talker] for ear, levels in tones.items() if ear != talker]
        quietest = min([quietest, *others])
        if talker in tones:
            under = min(others) - tones[talker][talker]
            worst = under if worst is None else min(worst, under)
    return worst, quietest


async def _ticks(server: Server | JanusServer) -> dict[str, Any] | None:
    if isinstance(server, JanusServer):
        return None
    found: dict[str, Any] = await server.api.get(f"/v1/rooms/{ROOM}/stats")
    return found


def _encodes(after: dict[str, Any] | None) -> int | None:
    return None if after is None else len(after["mixes"])


def _late(before: dict[str, Any] | None, after: dict[str, Any] | None) -> float | None:
    """The share of ticks."""
    if before is None or after is None:
        return None
    then, now = before["ticks"]["audio"], after["ticks"]["audio"]
    bad = sum(now[name] - then[name] for name in ("late", "skipped"))
    return float(bad / max(1, now["count"] - then["count"]))
