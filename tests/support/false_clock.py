"""A server whose wall clock is stepped while it runs (libfaketime), and what of it a participant would notice."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from support.measure import SAMPLE_RATE, FrameTimes, decode_audio
from support.page_client import PageClient
from support.server import Server

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOUR = 3600
NOTICED_WITHIN = 1
"""Seconds for which the library keeps what it has read. Reading the file at each call of a wall clock, or taking a lock
at each as its variant for threads does, costs more time than the server has: libvpx makes many such calls."""
SMOOTHING = SAMPLE_RATE // 100
SILENT_DB = -20.0
"Under the tone's usual level."


class FalseClock:
    """The wall clock of processes that run with `environment`; their monotonic clocks are the machine's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wall-clock"
        self.step(0)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(NOTICED_WITHIN),
            "DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """Within NOTICED_WITHIN the wall clock is that much ahead of the machine's."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}")
        fresh.replace(self._file)


@asynccontextmanager
async def server_with_false_clock(folder: Path) -> AsyncIterator[tuple[Server, FalseClock]]:
    """Ends in time, with exit code 0 and no traceback in its log."""
    clock = FalseClock(folder)
    server = Server(folder)
    server.environment = clock.environment
    try:
        await server.start()
        yield server, clock
        assert await server.stop() == 0, server.log.read_text()[-4000:]
        server.check_log()
    finally:
        await server.api.close()
        if server._process is not None and server._process.returncode is None:
            server._process.kill()
            await server._process.wait()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds at a participant. silence: seconds of the longest hole in somebody's tone."""

    frames: FrameTimes
    silence: float


async def watch(page: PageClient, tone: int, seconds: float) -> Stretch:
    await page.start_watch()
    recorded = await page.evaluate(f"__probe.of({page.video}).record({seconds * 1000})")
    frames = await page.end_watch()
    return Stretch(frames, longest_silence(decode_audio(base64.b64decode(recorded)), tone))


async def watch_a_step(page: PageClient, tone: int, seconds: float, clock: FalseClock, to: int) -> Stretch:
    """The clock steps about in the middle."""

    async def step() -> None:
        await asyncio.sleep(seconds / 2 - NOTICED_WITHIN)
        clock.step(to)

    seen, _ = await asyncio.gather(watch(page, tone, seconds), step())
    return seen


def longest_silence(samples: npt.NDArray[np.float32], tone: int) -> float:
    """Seconds for which a tone that usually sounds is not heard. samples: float32 (n,) at 48 kHz."""
    turned = samples * np.exp(-2j * np.pi * tone * np.arange(len(samples)) / SAMPLE_RATE)
    level = np.abs(np.convolve(turned, np.ones(SMOOTHING) / SMOOTHING, "valid"))
    silent = level < np.median(level) * 10 ** (SILENT_DB / 20)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], silent.view(np.int8), [0]))))
    return float(max(edges[1::2] - edges[::2], default=0) / SAMPLE_RATE)
