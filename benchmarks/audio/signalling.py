"""How a client joins a room: Mixdown's HTTP API, and Janus' WebSocket API with its AudioBridge."""

from __future__ import annotations

import asyncio
import itertools
import json
from types import TracebackType
from typing import Any, Protocol

import httpx2
from websockets.asyncio.client import ClientConnection, connect

DEADLINE = 20.0


class Signalling(Protocol):
    """stereo: what clients are to offer."""

    stereo: bool

    async def join(self, name: str, offer: str) -> str:
        """The answer's SDP."""


class Mixdown:
    """Within `async with`. settings: of Janus alone."""

    stereo = True

    def __init__(self, url: str, room: str, settings: dict[str, Any]) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=30)
        self._room = room

    async def __aenter__(self) -> Mixdown:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def join(self, name: str, offer: str) -> str:
        body = {"name": name, "sdp": offer, "type": "offer"}
        answer = await self._http.post(f"/v1/rooms/{self._room}/participants", json=body)
        answer.raise_for_status()
        return str(answer.json()["sdp"])


class Janus:
    """One session with a handle for each participant. Within `async with`; the room is made there. settings: "room":
    of its making, "join": of each participant's."""

    def __init__(self, url: str, room: str, settings: dict[str, Any]) -> None:
        self.stereo = bool(settings.get("room", {}).get("spatial_audio"))
        self._url, self._room = url, int(room)
        self._settings = settings
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._socket: ClientConnection | None = None
        self._session = 0
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Janus:
        self._socket = await connect(self._url, subprotocols=["janus-protocol"], max_queue=None)  # type: ignore[list-item]
        self._reading = asyncio.create_task(self._read())
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]
        handle = await self._attach()
        await self._message(handle, {"request": "create", "room": self._room} | self._settings["room"])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def join(self, name: str, offer: str) -> str:
        handle = await self._attach()
        body = {"request": "join", "room": self._room, "display": name} | self._settings["join"]
        await self._message(handle, body)
        configured = await self._message(handle, {"request": "configure", "muted": False}, offer)
        return str(configured["jsep"]["sdp"])

    async def _attach(self) -> int:
        answer = await self._ask({"janus": "attach", "plugin": "janus.plugin.audiobridge", "session_id": self._session})
        return int(answer["data"]["id"])

    async def _message(self, handle: int, body: dict[str, Any], offer: str | None = None) -> dict[str, Any]:
        """The plugin's answer. Raises RuntimeError with what it refuses."""
        words: dict[str, Any] = {"janus": "message", "session_id": self._session, "handle_id": handle, "body": body}
        if offer is not None:
            words["jsep"] = {"type": "offer", "sdp": offer}
        answer = await self._ask(words)
        data = answer.get("plugindata", {}).get("data", {})
        if "error" in data or "error" in answer:
            raise RuntimeError(f"Janus refuses {body['request']}: {data.get('error') or answer.get('error')}")
        return answer

    async def _ask(self, words: dict[str, Any]) -> dict[str, Any]:
        """The last answer to a request: an `ack` says only that there will be one."""
        assert self._socket is not None
        number = str(next(self._numbers))
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send(json.dumps(words | {"transaction": number}))
            async with asyncio.timeout(DEADLINE):
                return await future
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        assert self._socket is not None
        async for text in self._socket:
            message = json.loads(text)
            future = self._waiting.get(message.get("transaction", ""))
            if message.get("janus") != "ack" and future is not None and not future.done():
                future.set_result(message)
