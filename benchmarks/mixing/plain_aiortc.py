"""The same crowd in a mixer of plain aiortc (plain_mcu.py): an encoder for each peer, with SRTP and sound."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import psutil

from benchmarks.mixing.loads import Load
from benchmarks.mixing.room import WARM_UP, crowd
from benchmarks.record import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from support.net import free_port

START_SECONDS = 10.0


def available(load: Load) -> bool:
    """It needs nothing but aiortc; it does one codec for in and out, and its viewers are no different from others."""
    return not load.viewers and load.codec == load.receive == "VP8"


def measure(load: Load, seconds: float) -> dict[str, float]:
    """cores: of its process; fps: pictures at the worst client that looked; kbps: to one client, sound included."""
    return asyncio.run(_measure(load, seconds))


async def _measure(load: Load, seconds: float) -> dict[str, float]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.mixing.plain_mcu", str(port)), cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        await _listening(port)
        async with crowd(f"http://127.0.0.1:{port}", "bench", load) as people:
            await asyncio.sleep(WARM_UP)
            watched = psutil.Process(process.pid)
            times, begun, before = watched.cpu_times(), time.monotonic(), await people.mark()
            await asyncio.sleep(seconds)
            after, elapsed, heard = watched.cpu_times(), time.monotonic() - begun, await people.mark()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    seen = min(b["pictures"] - a["pictures"] for a, b in zip(before, heard, strict=True))
    size = heard[0]["bytes"] - before[0]["bytes"]
    cores = (sum(after[:2]) - sum(times[:2])) / elapsed
    return {"cores": cores, "fps": seen / elapsed, "kbps": size * 8 / 1000 / elapsed}


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return
