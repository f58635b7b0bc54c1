"""A process of clients: started with everybody joined, then asked by lines, each answered with a line of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.record import ROOT

READY_SECONDS = 120.0
"For everybody to join, and for any answer."
LONGEST_ANSWER = 1 << 22
"Bytes."


class Clients:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, words: str) -> Any:
        """RuntimeError if the process has ended, TimeoutError after READY_SECONDS."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n".encode())
        await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> Any:
        """As `ask`."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), READY_SECONDS)
        if not line:
            raise RuntimeError("a process of clients ended; what it said stands above")
        return json.loads(line)


@asynccontextmanager
async def clients(module: str, *words: str) -> AsyncIterator[Clients]:
    """Runs `python -m module words`, which says when everybody has joined and is connected."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        limit=LONGEST_ANSWER,
    )
    try:
        everybody = Clients(process)
        await everybody.answer()
        yield everybody
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
