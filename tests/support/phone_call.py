"""A call of clients with one codec each, against a server of its own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from support.phone_client import PhoneClient
from support.server import running_server
from support.sources import Source, source

CODECS = ("opus", "G722", "PCMU")
SETTLE = 4.0
"Seconds; long enough for everybody's mix to be his own."


async def phone_call(first: int = 0) -> dict[str, tuple[float, float]]:
    """codec -> (dB of the quieter of the others' tones, dB of one's own). first: which tones."""
    async with running_server() as server, AsyncExitStack() as stack:
        clients = []
        for n, codec in enumerate(CODECS):
            client = PhoneClient(_source(first + n, codec), codec)
            stack.push_async_callback(client.close)
            await client.join(server.url, "phones")
            clients.append(client)
        await asyncio.sleep(SETTLE)
        tones = [client.source.tone for client in clients]
        heard = {}
        for n, client in enumerate(clients):
            levels = await client.levels(tones)
            heard[client.codec] = (min(levels[:n] + levels[n + 1 :]), levels[n])
        return heard


def _source(n: int, codec: str) -> Source:
    return source(n, f"With {codec}")
