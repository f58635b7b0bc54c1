"""What a received packet costs, beside stock aiortc: benchmarks/receive.py, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.network.row import Figure, Row, at_most

TARGET = 0.7


async def receive(seed: int, seconds: float) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "receive.json"
        words = ["-m", "benchmarks.receive", "--rounds", "3", "--seconds", str(seconds), "--json", str(path)]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.DEVNULL)
        await process.wait()
        result = json.loads(path.read_text())["result"]
    ours, stock = sorted(result["mixdown_us"])[1], sorted(result["stock_us"])[1]
    note = f"{ours} us against {stock} us, {result['packets_a_second']} packets a second"
    return [at_most("CPU per received packet, of stock aiortc's", result["ratio"], TARGET, note=note)]


ROWS = (Row("receive", receive, "receive path against stock aiortc's", seconds=4),)
