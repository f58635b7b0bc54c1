"""A participant that turns bad, one that is killed, and strangers: the others stay, and everything is freed.

`make show-network` measures what the others notice (rows malformed, killed, flood); here it is only that they stay.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.aiortc_client import no_decoding
from support.attacker import Attacker
from support.hostile import media_addresses
from support.namespace import namespace, usable
from support.replay_client import ReplayClient
from support.server import Server, running_server
from support.sources import source

ROOM = "hostile"
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_server() as running:
        yield running


async def participant(server: Server, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = await server.api.get(f"/v1/rooms/{ROOM}/participants/{id_}")
    return found


async def connected(client: ReplayClient) -> None:
    async with asyncio.timeout(10):
        while client.pc.connectionState != "connected":
            await asyncio.sleep(0.02)


async def still_sends(server: Server, client: ReplayClient) -> bool:
    """Whether its picture still comes through: frames of it were decoded in the last second."""
    async with asyncio.timeout(10):
        while True:
            seen = await participant(server, await client.participant())
            if seen["state"] == "connected" and seen["video"]["fps"] > 10:
                return True
            await asyncio.sleep(0.2)


async def test_a_participant_that_turns_bad_hurts_nobody_else(server: Server) -> None:
    good, bad = ReplayClient(source(0)), Attacker(source(1))
    with no_decoding():
        for client in (good, bad):
            await client.join(server.url, ROOM)
            await connected(client)
        assert await still_sends(server, good)
        assert await bad.misbehave(2, seed=1) > 1000
        assert await still_sends(server, good)
        assert (await participant(server, await bad.participant()))["state"] == "connected"
        async with asyncio.timeout(1):
            await server.api.call("DELETE", f"/v1/rooms/{ROOM}/participants/{await bad.participant()}", None)
        for client in (good, bad):
            await client.close()


async def test_who_is_killed_is_disconnected_and_then_freed(server: Server) -> None:
    descriptors = server.process.num_fds()
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.expendable", server.url, ROOM, "2"), stdout=subprocess.PIPE, cwd=TESTS
    )
    assert victim.stdout is not None
    async with asyncio.timeout(20):
        id_ = (await victim.stdout.readline()).decode().strip()
    assert server.process.num_fds() > descriptors
    victim.kill()
    async with asyncio.timeout(4):
        while (await participant(server, id_))["state"] != "disconnected":
            await asyncio.sleep(0.1)
    assert server.process.num_fds() > descriptors, "it might have come back"
    async with asyncio.timeout(12):
        while server.process.num_fds() > descriptors:
            await asyncio.sleep(0.2)
    assert (await participant(server, id_))["state"] == "disconnected", "its seat is kept"
    await victim.wait()


@pytest.mark.skipif(not usable(), reason="network namespaces need root and iproute2")
async def test_a_flood_from_another_machine_does_not_end_a_call() -> None:
    with namespace() as outside, no_decoding():
        cable = outside.plug(0)
        outside.address(cable, cable.client())
        async with running_server() as server:
            client = ReplayClient(source(0))
            await client.join(server.url, ROOM)
            await connected(client)
            targets = [one for one in media_addresses(client.joined["sdp"]) if one[0] == cable.router]
            words = (sys.executable, "-m", "support.flood", "2", "20000", json.dumps(targets))
            thrower = await asyncio.create_subprocess_exec(*outside.command(*words), stdout=subprocess.PIPE, cwd=TESTS)
            out, _ = await thrower.communicate()
            assert int(out) == 40_000
            assert await still_sends(server, client)
            await client.close()
