"""The HTTP API as the tests call it."""

from __future__ import annotations

from typing import Any

import httpx2


class Api:
    """Calls that must succeed raise otherwise; `raw` gives the answer as it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx2.AsyncClient(base_url=url, timeout=20.0)

    async def raw(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return await self.client.request(method, path, **more)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def join(self, room: str, name: str, sdp: str, **more: Any) -> dict[str, Any]:
        body = {"name": name, "sdp": sdp, "type": "offer", **more}
        joined: dict[str, Any] = await self.call("POST", f"/v1/rooms/{room}/participants", body)
        return joined

    async def leave(self, room: str, participant: str) -> None:
        await self.call("DELETE", f"/v1/rooms/{room}/participants/{participant}")

    async def tiles(self, room: str, view: str = "main") -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"/v1/rooms/{room}/views/{view}/tiles")
        return found

    async def close(self) -> None:
        await self.client.aclose()
