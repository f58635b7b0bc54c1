"""Strangers who flood, participants who turn bad, participants who are killed: what the others notice of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.aiortc_client import no_decoding
from support.freezes import Run
from support.hostile import media_addresses
from support.meeting import tiles_of
from support.namespace import namespace
from support.network.watcher import Watcher
from support.replay_client import ReplayClient
from support.server import Server, running_server

from benchmarks.network.party import QUARTERS, ROOM, SETTLE, SLOTS, milliseconds, moving
from benchmarks.network.row import Figure, Row, at_least, at_most

FLOOD_RATE = 20_000
"Datagrams a second."
LONGER = 100.0
"Milliseconds by which the longest interval may differ between two stretches of the same good call: three frames."
START = 20.0
"Seconds that a client's process may take to be in the call, or to leave it."
TESTS = Path(__file__).resolve().parents[2] / "tests"


@dataclass(slots=True)
class Crowd:
    """The watcher sees everybody's tile; good: those who stay as they are, by participant."""

    server: Server
    watcher: Watcher
    clients: list[ReplayClient]
    good: list[str]

    async def watch(self, seconds: float) -> list[Run]:
        """Of the good ones' tiles."""
        self.watcher.begin()
        await asyncio.sleep(seconds)
        runs = self.watcher.runs()
        return [runs[one] for one in self.good]

    async def connected(self) -> int:
        people = await self.server.api.get(f"/v1/rooms/{ROOM}/participants")
        return sum(one["state"] == "connected" for one in people)


@asynccontextmanager
async def crowd(*clients: ReplayClient) -> AsyncIterator[Crowd]:
    """Up to three who send, and the watcher, who sends too; settled."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server())
        await server.api.call("PUT", f"/v1/layouts/{QUARTERS}", {"slots": SLOTS})
        stack.enter_context(no_decoding())
        watcher = Watcher(moving(3, "Watcher"), send=True)
        for client in (*clients, watcher):
            stack.push_async_callback(client.close)
            await client.join(server.url, ROOM)
        await watcher.wait_live()
        await server.api.call("PUT", f"/v1/rooms/{ROOM}/layout", {"layout": QUARTERS})
        await asyncio.sleep(1)
        ids = [await client.participant() for client in clients]
        sources = dict(zip(ids, (client.source for client in clients), strict=True))
        watcher.look_at(await tiles_of(server.api, ROOM, len(clients) + 1), sources)
        await asyncio.sleep(SETTLE)
        yield Crowd(server, watcher, list(clients), ids)


def undisturbed(name: str, clean: list[Run], run: list[Run]) -> list[Figure]:
    """Freezes as in the clean stretch of the same call, of the worst tile each."""
    usual, seen = max(one.a_minute for one in clean), max(one.a_minute for one in run)
    longest, control = milliseconds(max(one.longest for one in run)), milliseconds(max(one.longest for one in clean))
    return [
        at_most(f"freezes a minute of the others, {name}", seen, usual, "", usual),
        at_most(f"longest interval of the others, {name}", longest, control + LONGER, "ms", control),
    ]


async def strangers(seed: int, seconds: float) -> list[Figure]:
    """20 000 datagrams a second from another namespace, to every media socket of the call."""
    with namespace() as outside:
        cable = outside.plug(0)
        outside.address(cable, cable.client())
        async with crowd(*(ReplayClient(moving(n)) for n in range(3))) as call:
            found = {one for client in call.clients for one in media_addresses(client.joined["sdp"])}
            targets = sorted(one for one in found if one[0] == cable.router)
            assert targets, "the server does not listen where strangers are"
            cpu = call.server.cpu_seconds()
            clean = await call.watch(seconds)
            usual, cpu = call.server.cpu_seconds() - cpu, call.server.cpu_seconds()
            words = [sys.executable, "-m", "support.flood", str(seconds), str(FLOOD_RATE), json.dumps(targets)]
            thrower = await asyncio.create_subprocess_exec(*outside.command(*words), stdout=subprocess.PIPE, cwd=TESTS)
            run = await call.watch(seconds)
            during = call.server.cpu_seconds() - cpu
            out, _ = await thrower.communicate()
            stayed = await call.connected()
            async with asyncio.timeout(5):
                counted = (await call.server.api.raw("GET", "/metrics")).text
    refused = "kernel_filter_refused" in counted
    return [
        at_least("datagrams a second", int(out) / seconds, 0.97 * FLOOD_RATE),
        at_most(
            "cores more than without",
            (during - usual) / seconds,
            0.3,
            "",
            round(usual / seconds, 3),
            "control: the call alone; " + ("the kernel took no filter" if refused else "dropped by the kernel"),
        ),
        *undisturbed("flood", clean, run),
        at_least("participants who stayed", stayed, 4),
    ]


@asynccontextmanager
async def attacker(server: Server, seed: int) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Its participant, connected and behaving so far; and its process, see tests/support/attack.py."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "support.attack", server.url, ROOM, "2", str(seed)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=TESTS,
    )
    assert process.stdin is not None
    try:
        yield await _line(process, START), process
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(START):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process, seconds: float) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        return (await process.stdout.readline()).decode().strip()


async def malformed(seed: int, seconds: float) -> list[Figure]:
    async with (
        crowd(ReplayClient(moving(0)), ReplayClient(moving(1))) as call,
        attacker(call.server, seed) as (bad, process),
    ):
        await asyncio.sleep(2)
        sources = dict(zip(call.good, (client.source for client in call.clients), strict=True))
        call.watcher.look_at(await tiles_of(call.server.api, ROOM, 4), sources)
        clean, usual = await _watched(call, seconds)
        assert process.stdin is not None
        process.stdin.write(f"{seconds}\n".encode())
        run, during = await _watched(call, seconds)
        sent = int(await _line(process, seconds + START))
        stayed = await call.connected()
        began = time.monotonic()
        await call.server.api.call("DELETE", f"/v1/rooms/{ROOM}/participants/{bad}", None)
        closed = time.monotonic() - began
    note = f"{sent} bad packets; {during:.2f} cores, without them {usual:.2f}"
    return [
        *undisturbed("malformed", clean, run),
        at_least("participants who stayed, its own included", stayed, 4, note=note),
        at_most("seconds to close it", closed, 1, "s", note="the log had no traceback, or this row would have failed"),
    ]


async def _watched(call: Crowd, seconds: float) -> tuple[list[Run], float]:
    """How the good ones' tiles ran, and the server's cores."""
    before = call.server.cpu_seconds()
    runs = await call.watch(seconds)
    return runs, (call.server.cpu_seconds() - before) / seconds


async def killed(seed: int, seconds: float) -> list[Figure]:
    """SIGKILL: no goodbye of any kind. When its tile becomes a card, as others see it; when its sockets are gone."""
    async with crowd(ReplayClient(moving(0)), ReplayClient(moving(1))) as call:
        descriptors = call.server.process.num_fds()
        victim = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "support.expendable", call.server.url, ROOM, "2"),
            stdout=subprocess.PIPE,
            cwd=TESTS,
        )
        try:
            assert victim.stdout is not None
            async with asyncio.timeout(20):
                participant = (await victim.stdout.readline()).decode().strip()
            await asyncio.sleep(2)
            call.watcher.look_at(await tiles_of(call.server.api, ROOM, 4), {participant: None})
            await asyncio.sleep(3)
            tile = call.watcher.tiles_seen[participant]
            assert len(tile.changes) > 30, "its tile did not move while it lived"
        finally:
            victim.kill()
        died = time.monotonic()
        gone = await _until_gone(call, participant, died)
        freed = await _until_freed(call, descriptors, died)
        card = tile.changes[-1] - died
        still = tile.number
        await asyncio.sleep(1)
        assert tile.number == still, "its tile still moves"
        await victim.wait()
    return [
        at_most("seconds to the card in its tile", card if card > 0.5 else float("inf"), 2, "s"),
        at_most("seconds until it is disconnected", gone, 2, "s"),
        at_most("seconds until its sockets are closed", freed, 10, "s"),
    ]


async def _until_gone(call: Crowd, participant: str, died: float) -> float:
    async with asyncio.timeout(10):
        while True:
            people = await call.server.api.get(f"/v1/rooms/{ROOM}/participants")
            if next(one for one in people if one["id"] == participant)["state"] == "disconnected":
                return time.monotonic() - died
            await asyncio.sleep(0.05)


async def _until_freed(call: Crowd, descriptors: int, died: float) -> float:
    async with asyncio.timeout(20):
        while call.server.process.num_fds() > descriptors:
            await asyncio.sleep(0.1)
    return time.monotonic() - died


ROWS = (
    Row("flood", strangers, "20 000 datagrams of junk a second from another namespace", seconds=10),
    Row(
        "malformed", malformed, "a participant sends malformed RTP and RTCP, 300 streams, enormous pictures", seconds=10
    ),
    Row("killed", killed, "a participant's process is killed", seconds=10),
)
