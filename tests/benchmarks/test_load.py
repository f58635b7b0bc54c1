"""The programs that load the machine."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
from pathlib import Path

import psutil

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.latency.load import REVIEW, machine_at


async def test_without_a_load_nothing_is_started():
    before = set(multiprocessing.active_children())
    async with machine_at(0.0):
        assert set(multiprocessing.active_children()) == before


async def test_what_was_started_has_ended_afterwards():
    async with machine_at(0.3) as seen:
        started = multiprocessing.active_children()
        async with asyncio.timeout(60):
            while not seen:
                await asyncio.sleep(REVIEW / 2)
    assert started and not any(psutil.pid_exists(one.pid) and one.is_alive() for one in started)
