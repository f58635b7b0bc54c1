"""A join page left open: what it holds on to, minute by minute, while the room goes on around it.

    python -m benchmarks.show_pages [--minutes 30]

Chromium in a room of two, its list of people open. Every second brings three events (hand, mute, layout), so that half
an hour has as many as a working day of meetings. Flat means: listeners and nodes as after the first minute, memory
within 10 %.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.record import machine, save

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.chromium import chromium, chromium_client
from support.page_client import source_script
from support.page_health import Held, held, stir
from support.server import running_server
from support.sources import source
from support.wrtc_client import WrtcClient

ROOM = "left-open"
HEAP_GROWTH = 1.10
FEW = 10
"Listeners or nodes more or less: a toast, a row."


async def measure(minutes: float) -> list[Held]:
    """After each minute."""
    async with running_server() as server, chromium() as browser:
        me = source(0, "Left open")  # without the probe, which keeps the time of each frame
        client = await chromium_client(browser, me, script=source_script(me))
        guest = WrtcClient(source(1))
        try:
            await guest.join(server.url, ROOM)
            await guest.wait_live()
            await client.join(server.url, ROOM)
            await client.evaluate("document.querySelector('mx-stage [data-part=people]').click()")
            loop, seen = asyncio.get_running_loop(), []
            end = loop.time() + minutes * 60
            while loop.time() < end:
                minute = loop.time() + 60
                while loop.time() < minute:
                    await stir(server, ROOM, await guest.participant(), 1)
                    await asyncio.sleep(1)
                seen.append(await held(client.page.page))  # type: ignore[attr-defined]
            return seen
        finally:
            await guest.close()


def flat(seen: list[Held]) -> bool:
    first, last = seen[0], seen[-1]
    same = abs(last.listeners - first.listeners) <= FEW and abs(last.nodes - first.nodes) <= FEW
    return same and last.heap <= first.heap * HEAP_GROWTH


def show(seen: list[Held]) -> None:
    table = Table(title="A join page left open")
    for column in ("minute", "listeners", "nodes", "memory, MB"):
        table.add_column(column, justify="right")
    step = max(1, len(seen) // 12)
    for n in sorted({*range(0, len(seen), step), len(seen) - 1}):
        table.add_row(str(n + 1), str(seen[n].listeners), str(seen[n].nodes), f"{seen[n].heap / 1e6:.2f}")
    Console().print(table, "Flat." if flat(seen) else "NOT FLAT.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    seen = asyncio.run(measure(parser.parse_args().minutes))
    show(seen)
    save("pages", {"machine": machine(), "minutes": [asdict(one) for one in seen], "flat": flat(seen)})
    sys.exit(0 if flat(seen) else 1)


if __name__ == "__main__":
    main()
