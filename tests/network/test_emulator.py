"""The emulator with real sockets in real namespaces."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from support.leftovers import clear_leftovers
from support.network.emulator import Network, emulated, ip

pytestmark = pytest.mark.usefixtures("network_possible")

COUNT = 1000
TALK = f"""
import socket, sys, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talker:
    for n in range({COUNT}):
        talker.sendto(b'\\x80' + n.to_bytes(2, 'big') + bytes(500), (sys.argv[1], int(sys.argv[2])))
        time.sleep(0.0005)
"""


async def heard_from(net: Network, name: str, address: str | None = None) -> list[int]:
    """The numbers of those of COUNT datagrams from `name` that reach the server, in the order of their arrival."""
    numbers: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((net.server, 0))
        listener.setblocking(False)
        command = [*net.command(name), sys.executable, "-c", TALK, net.server, str(listener.getsockname()[1])]
        talker = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        loop = asyncio.get_running_loop()
        try:
            while True:
                datagram, (host, _) = await asyncio.wait_for(loop.sock_recvfrom(listener, 2048), 2)
                assert host == (address or net.address(name))
                numbers.append(int.from_bytes(datagram[1:3], "big"))
        except TimeoutError:
            assert await talker.wait() == 0
    return numbers


async def test_seeded_loss_is_the_same_in_every_run() -> None:
    runs = []
    for _ in range(2):
        async with emulated(["ann"], seed=5) as net:
            await net.set("ann", "up", loss=0.1, delay=0.01)
            runs.append(await heard_from(net, "ann"))
            stats = await net.stats()
            assert stats["links"]["ann"]["up"]["lost"] == COUNT - len(runs[-1])
    assert runs[0] == runs[1] == sorted(runs[0])
    assert 60 < COUNT - len(runs[0]) < 140


async def test_blackout_by_schedule_and_a_new_address() -> None:
    async with emulated(["ann", "bob"]) as net:
        await net.schedule("ann", "up", [(0, {"blackout": True}), (0.01, {"blackout": True})])
        assert await heard_from(net, "ann") == []
        assert len(await heard_from(net, "bob")) == COUNT
        await net.set("ann", "up")
        new = net.move("ann", 77)
        assert len(await heard_from(net, "ann", new)) == COUNT


async def test_no_namespace_is_left() -> None:
    async with emulated(["ann"]) as net:
        assert net.namespace("ann") in _namespaces()
    assert net.namespace("ann") not in _namespaces()


def test_what_a_killed_run_left_is_cleared_and_nothing_else() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, alive, foreign = f"mx{gone.pid}ann", f"mx{os.getpid()}left", "mxnobody"
    for name in (dead, alive, foreign):
        ip("netns", "add", name)
    sleeper = subprocess.Popen(["ip", "netns", "exec", dead, "sleep", "1000"])
    try:
        while not subprocess.run(["ip", "netns", "pids", dead], capture_output=True, text=True, check=True).stdout:
            time.sleep(0.01)
        assert dead in clear_leftovers()
        assert sleeper.wait(5) == -signal.SIGKILL
        assert dead not in _namespaces()
        assert alive in _namespaces()
        assert foreign in _namespaces()
    finally:
        sleeper.kill()
        for name in (alive, foreign):
            ip("netns", "del", name)


def _namespaces() -> str:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
