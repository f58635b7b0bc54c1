"""A participant in a process of its own, which can be killed: python -m support.expendable URL ROOM NUMBER

Prints its id once it is connected; then sends until it dies.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from support.replay_client import ReplayClient
from support.sources import source


async def live(url: str, room: str, number: int) -> None:
    client = ReplayClient(replace(source(number, "Expendable"), moving=True))
    await client.join(url, room)
    while client.pc.connectionState != "connected":
        await asyncio.sleep(0.02)
    print(client.joined["id"], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2], int(sys.argv[3])))
