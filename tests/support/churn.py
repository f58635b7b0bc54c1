"""Many joins and leaves, in a process of its own: `python -m support.churn URL ROOM COUNT`."""

from __future__ import annotations

import asyncio
import sys

from support.aiortc_client import AiortcClient, no_decoding
from support.sources import Source, source

TOGETHER = 4
SMALL = (160, 90)


async def come_and_go(url: str, room: str, n: int) -> None:
    whole = source(n % 16)
    small = Source(whole.name, whole.colours, whole.tone, *SMALL, fps=10)
    client = AiortcClient(small, video="H264" if n % 2 else "VP8")
    try:
        await client.join(url, room)
        await client.wait_connected()
        await asyncio.sleep(0.1)  # some media each way
        if n % 3 or "--all" in sys.argv:  # every third just goes
            await client.leave()
    finally:
        await client.close()


async def churn(url: str, room: str, count: int) -> None:
    limit = asyncio.Semaphore(TOGETHER)

    async def one(n: int) -> None:
        async with limit:
            await come_and_go(url, room, n)

    with no_decoding():
        async with asyncio.TaskGroup() as group:
            for n in range(count):
                group.create_task(one(n))


if __name__ == "__main__":
    asyncio.run(churn(sys.argv[1], sys.argv[2], int(sys.argv[3])))
