"""Real calls (aiortc's peer connections) through the HTTP API of a whole server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import httpx2
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from support.serving import Served, served

DEADLINE = 10.0


class Caller:
    """One peer connection with camera and microphone; frames: how many composites it has had."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection()
        self.id = ""
        self.token = ""
        self.seen = asyncio.Event()
        self._watching: list[asyncio.Task[None]] = []

    async def join(self, client: httpx2.AsyncClient, name: str, token: str | None = None) -> None:
        self.connection.addTrack(AudioStreamTrack())
        self.connection.addTrack(VideoStreamTrack())
        self.connection.on("track", self._watch)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        body = {"name": name, "sdp": self.connection.localDescription.sdp, "type": "offer"}
        if token:
            body["token"] = token
        answer = await client.post("/v1/rooms/demo/participants", json=body)
        assert answer.status_code == 201, answer.text
        joined = answer.json()
        self.id, self.token = joined["id"], joined["token"]
        await self.connection.setRemoteDescription(RTCSessionDescription(joined["sdp"], "answer"))

    def _watch(self, track: object) -> None:
        if getattr(track, "kind", "") == "video":
            self._watching.append(asyncio.create_task(self._look(track)))

    async def _look(self, track: object) -> None:
        frame = await track.recv()  # type: ignore[attr-defined]
        assert (frame.width, frame.height) == (1280, 720)
        self.seen.set()

    async def close(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await self.connection.close()


@asynccontextmanager
async def caller(client: httpx2.AsyncClient, name: str, token: str | None = None) -> AsyncIterator[Caller]:
    one = Caller()
    try:
        await one.join(client, name, token)
        async with asyncio.timeout(DEADLINE):
            await one.seen.wait()
        yield one
    finally:
        await one.close()


@asynccontextmanager
async def asking(server: Served) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.url, timeout=DEADLINE) as client:
        yield client


async def until(client: httpx2.AsyncClient, path: str, wanted: object) -> object:
    """Asks until `wanted(body)` holds."""
    async with asyncio.timeout(DEADLINE):
        while True:
            body = (await client.get(path)).json()
            if wanted(body):  # type: ignore[operator]
                return body
            await asyncio.sleep(0.05)


async def test_two_call_see_each_other_and_one_comes_back(tmp_path: Path) -> None:
    async with served(tmp_path) as server, asking(server) as client, caller(client, "Ada") as ada:
        async with caller(client, "Ben") as ben:
            tiles = (await client.get("/v1/rooms/demo/views/main/tiles")).json()
            assert {tile["source"] for tile in tiles["tiles"]} == {f"{ada.id}-camera", f"{ben.id}-camera"}
            jpeg = (await client.get("/v1/rooms/demo/snapshot.jpg?width=320")).content
            assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)
            stats = (await client.get("/v1/rooms/demo/stats")).json()
            (rendition,) = stats["renditions"]
            assert (rendition["view"], rendition["subscribers"]) == ("main", 2)
            assert stats["cpu_cores"]["total"] >= stats["cpu_cores"]["rest"] >= 0
            people = await until(client, "/v1/rooms/demo/participants", lambda b: all(p["video"]["visible"] for p in b))
            assert [p["name"] for p in people] == ["Ada", "Ben"]
        async with caller(client, "Ben", ben.token) as again:
            assert again.id == ben.id
        assert (await client.delete(f"/v1/rooms/demo/participants/{ben.id}")).status_code == 204
        await until(
            client,
            "/v1/rooms/demo/views/main/tiles",
            lambda b: [t["participant"] for t in b["tiles"]] == [ada.id],
        )


async def test_a_caller_comes_back_to_a_restarted_server(tmp_path: Path) -> None:
    async with served(tmp_path) as server, asking(server) as client, caller(client, "Ada") as ada:
        pass
    async with served(tmp_path) as server, asking(server) as client:
        (known,) = (await client.get("/v1/rooms/demo/participants")).json()
        assert (known["id"], known["state"]) == (ada.id, "disconnected")
        async with caller(client, "Ada", ada.token) as again:
            assert again.id == ada.id


async def test_an_offer_that_is_none(tmp_path: Path) -> None:
    async with served(tmp_path) as server, asking(server) as client:
        for sdp in ("v=0", "\x00", "m=audio", "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 X 0\r\n"):
            answer = await client.post("/v1/rooms/demo/participants", json={"name": "Ada", "sdp": sdp})
            assert answer.status_code == 400, answer.text
        assert (await client.get("/v1/rooms")).json() == []
