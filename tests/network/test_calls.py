"""A call over a bad line, in short: what no load excuses. The promised figures are in benchmarks/show_network.py."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from support.chromium import EXECUTABLE

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.network.blackout import its_tile, own_picture
from benchmarks.network.party import RTT, SUBJECT, party

pytestmark = [
    pytest.mark.usefixtures("network_possible"),
    pytest.mark.skipif(not Path(EXECUTABLE).exists(), reason="chromium is not installed: apt-get install chromium"),
]
DIRECTIONS = ("up", "down")


async def test_loss_and_a_blackout_cost_moments() -> None:
    async with party(seed=1) as call:
        await call.net.set(SUBJECT, "up", delay=RTT / 2, loss=0.05)
        runs = await call.watch(10)
        assert (await call.net.stats())["links"][SUBJECT]["up"]["lost"] > 20
        assert runs[call.subject_id].fps > 10
        assert runs[call.subject_id].longest < 1.5
        assert all(runs[other].fps > 15 for other in call.others)

        for direction in DIRECTIONS:
            await call.net.set(SUBJECT, direction, blackout=True)
        await asyncio.sleep(1)
        for direction in DIRECTIONS:
            await call.net.set(SUBJECT, direction, delay=RTT / 2)
        assert max(await asyncio.gather(own_picture(call), its_tile(call))) < 3
        assert (await call.watch(3))[call.subject_id].fps > 10
