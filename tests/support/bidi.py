"""As much of WebDriver BiDi (https://w3c.github.io/webdriver-bidi/) as the tests need, over its WebSocket."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from support.namespace import Namespace
from websockets.asyncio.client import ClientConnection, connect


class BidiError(Exception):
    pass


class Bidi:
    """One session with a browser. Commands may overlap; events are not asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ids = itertools.count(1)
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, port: int, place: Namespace | None = None, timeout: float = 30.0) -> Bidi:
        """place: where the browser runs, None for here."""
        url = f"ws://127.0.0.1:{port}/session"
        async with asyncio.timeout(timeout):
            while True:
                try:
                    sock = await asyncio.to_thread(place.connected, port) if place else None
                    socket = await connect(url, max_size=None, ping_interval=None, sock=sock)
                    break
                except OSError:
                    await asyncio.sleep(0.1)
        session = cls(socket)
        await session.command("session.new", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})
        return session

    async def _read(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            future = self.waiting.pop(message.get("id"), None)
            if future is None or future.done():
                continue
            if message["type"] == "error":
                future.set_exception(BidiError(f"{message['error']}: {message['message']}"))
            else:
                future.set_result(message["result"])

    async def command(self, method: str, params: dict[str, Any], timeout: float = 60.0) -> Any:
        number = next(self.ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        await self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(timeout):
            return await future

    async def close(self) -> None:
        await self.socket.close()
        await self.reader


async def evaluate(session: Bidi, context: str, expression: str) -> Any:
    """The JSON value of an expression in a page; a promise is awaited."""
    wrapped = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
    answer = await session.command(
        "script.evaluate",
        {"expression": wrapped, "target": {"context": context}, "awaitPromise": True, "userActivation": True},
    )
    if answer["type"] == "exception":
        raise BidiError(answer["exceptionDetails"]["text"])
    text = answer["result"].get("value")
    return None if text is None else json.loads(text)
