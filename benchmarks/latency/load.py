"""Other work on the machine: programs that compute for as much of the time as keeps all processors at a given load."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.sharedctypes import Synchronized

import psutil

SLICE = 0.01
"Seconds of one turn of a program: it computes for a share of them and sleeps for the rest."
REVIEW = 0.5
GAIN = 0.5


def burn(share: Synchronized[float]) -> None:
    """Ends with its parent."""
    parent = os.getppid()
    while os.getppid() == parent:
        begun = time.monotonic()
        while time.monotonic() < begun + SLICE * share.value:
            sum(range(200))
        time.sleep(max(0.0, begun + SLICE - time.monotonic()))


@asynccontextmanager
async def machine_at(load: float) -> AsyncIterator[list[float]]:
    """load: share of all processors' time, 0: nothing is added. Yields what it was, every half second."""
    seen: list[float] = []
    context = multiprocessing.get_context("spawn")
    share: Synchronized[float] = context.Value("d", 0.0)
    programs = [context.Process(target=burn, args=(share,), daemon=True) for _ in range(os.cpu_count() or 1)]
    for program in programs if load else ():
        program.start()
    steering = asyncio.create_task(_steer(load, share, seen))
    try:
        yield seen
    finally:
        steering.cancel()
        for program in programs if load else ():
            program.kill()
            program.join()


async def _steer(load: float, share: Synchronized[float], seen: list[float]) -> None:
    psutil.cpu_percent()
    while True:
        await asyncio.sleep(REVIEW)
        now = psutil.cpu_percent() / 100
        seen.append(now)
        share.value = min(1.0, max(0.0, share.value + GAIN * (load - now)))
