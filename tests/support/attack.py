"""An attacker in a process of its own, so that what it does costs the other clients nothing: python -m support.attack
URL ROOM NUMBER SEED

Prints its id once it is connected, and behaves; each line on stdin is a number of seconds to misbehave for, answered by
how many bad packets that were. It leaves when stdin ends.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from support.attacker import Attacker
from support.sources import source


async def attack(url: str, room: str, number: int, seed: int) -> None:
    client = Attacker(replace(source(number, "Attacker"), moving=True))
    await client.join(url, room)
    while client.pc.connectionState != "connected":
        await asyncio.sleep(0.02)
    print(client.joined["id"], flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(await client.misbehave(float(line), seed), flush=True)
    await client.close()


if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
