"""Events over a WebSocket: snapshot, numbers, who may listen, who is too slow."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import WebSocketDisconnect
from support.rooms import NO_TILES, House, house
from support.serving import listening
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from mixdown.mcu.api import events
from mixdown.mcu.link.messages import ActiveSpeaker, LayoutChanged, Speaking
from mixdown.mcu.observe.events import QUEUE_LENGTH, EventLog


@asynccontextmanager
async def heard(here: House, url: str, room: str = "demo", **more: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"{url.replace('http', 'ws')}/v1/rooms/{room}/events", **more) as socket:
        yield socket


async def take(socket: ClientConnection) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(await socket.recv())
    return event


async def test_a_snapshot_and_then_every_event_in_order(tmp_path: Path) -> None:
    async with house(tmp_path) as here, listening(here.app) as url:
        ada = await here.join("Ada")
        token = [f"bearer.{ada['token']}"]
        async with heard(here, url, subprotocols=token) as socket:
            assert socket.subprotocol == token[0]
            first = await take(socket)
            assert first["type"] == "snapshot" and first["room"] == "demo"
            assert [p["name"] for p in first["participants"]] == ["Ada"]
            assert first["document"]["layout"] == "grid" and first["tiles"]["tiles"] == []

            ben = await here.join("Ben")
            here.mixer.deliver(Speaking("demo", ben["id"], True))
            here.mixer.deliver(ActiveSpeaker("demo", ben["id"]))
            here.mixer.deliver(LayoutChanged("demo", "main", dict(NO_TILES)))
            here.mixer.deliver(Speaking("demo", "nobody", True))
            await here.admin.patch(f"/v1/rooms/demo/participants/{ben['id']}", json={"name": "Benedikt"})
            await here.admin.delete("/v1/rooms/demo")
            told = [await take(socket) for _ in range(8)]
            assert [event["type"] for event in told] == [
                "participant_joined",
                "speaking_started",
                "active_speaker",
                "layout_changed",
                "participant_changed",
                "participant_left",
                "participant_left",
                "room_finished",
            ]
            assert [event["seq"] for event in told] == list(range(first["seq"] + 1, first["seq"] + 9))
            assert told[2]["participant"] == ben["id"] and told[3]["tick"] == 7
            assert told[4]["participant"]["name"] == "Benedikt"
            with pytest.raises(ConnectionClosedOK):
                await socket.recv()


async def test_who_may_listen(tmp_path: Path) -> None:
    async with house(tmp_path) as here, listening(here.app) as url:
        await here.join("Ada")
        other = await here.join("Eve", "other")
        for status, more in (
            (401, {"subprotocols": ["bearer.wrong"]}),
            (403, {"subprotocols": [f"bearer.{other['token']}"]}),
            (403, {"origin": "https://evil.example"}),
        ):
            with pytest.raises(InvalidStatus) as refused:
                async with heard(here, url, **more):
                    pass
            assert refused.value.response.status_code == status
        with pytest.raises(InvalidStatus) as refused:
            async with heard(here, url, "unknown"):
                pass
        assert refused.value.response.status_code == 404


async def test_who_was_removed_hears_nothing_more(tmp_path: Path) -> None:
    async with house(tmp_path) as here, listening(here.app) as url:
        ada, ben = await here.join("Ada"), await here.join("Ben")
        async with heard(here, url, subprotocols=[f"bearer.{ben['token']}"]) as socket:
            await take(socket)
            await here.admin.delete(f"/v1/rooms/demo/participants/{ben['id']}")
            await here.admin.patch(f"/v1/rooms/demo/participants/{ada['id']}", json={"name": "A secret"})
            assert (await take(socket))["reason"] == "removed"
            with pytest.raises(ConnectionClosedOK):
                await socket.recv()


async def test_a_listener_that_is_too_slow_is_told_so(tmp_path: Path) -> None:
    async with house(tmp_path) as here, listening(here.app) as url:
        await here.join("Ada")
        async with heard(here, url) as socket:
            await take(socket)
            log = here.services.registry.get("demo").events
            for number in range(QUEUE_LENGTH + 1):
                log.publish("active_speaker", participant=str(number))
            with pytest.raises(ConnectionClosedError) as closed:
                for _ in range(QUEUE_LENGTH + 1):
                    await take(socket)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
        assert here.services.registry.events.overflowed == 1 and log.listeners == 0


async def test_a_listener_that_goes_is_forgotten(tmp_path: Path) -> None:
    async with house(tmp_path) as here, listening(here.app) as url:
        await here.join("Ada")
        log = here.services.registry.get("demo").events
        async with heard(here, url) as socket:
            await take(socket)
            assert log.listeners == 1
        async with heard(here, url) as socket:
            await take(socket)
            await socket.send("anything")
            log.publish("active_speaker", participant=None)
            assert (await take(socket))["type"] == "active_speaker"
            assert log.listeners == 1


async def test_a_listener_that_vanishes_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with house(tmp_path) as here, listening(here.app) as url:
        await here.join("Ada")
        log = here.services.registry.get("demo").events
        async with heard(here, url) as socket:
            await take(socket)
            socket.transport.abort()
            async with asyncio.timeout(5):
                while log.listeners:
                    log.publish("active_speaker", participant=None)
                    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_listener_that_takes_nothing_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SEND_DEADLINE", 0.1)
    async with house(tmp_path) as here, listening(here.app) as url:
        await here.join("Ada")
        log = here.services.registry.get("demo").events
        async with heard(here, url, max_queue=1, max_size=None) as socket:
            await take(socket)
            socket.transport.pause_reading()
            async with asyncio.timeout(10):
                while log.listeners:
                    log.publish("active_speaker", participant=secrets.token_hex(50_000))
                    await asyncio.sleep(0.001)
            socket.transport.abort()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_queued_events_are_delivered_before_the_end() -> None:
    log = EventLog("demo")
    subscription = log.subscribe(limit=2)
    log.publish("one")
    log.close()
    log.publish("two")
    event = await subscription.next()
    assert event is not None and event["type"] == "one"
    assert await subscription.next() is None


async def test_a_listener_that_answers_no_ping_is_one_that_went() -> None:
    """uvicorn closes such a connection by itself, and refuses what is sent before that is through."""

    class Closing:
        async def send_json(self, event: object) -> None:
            raise RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'.")

    with pytest.raises(WebSocketDisconnect):
        await events._send(Closing(), {"type": "snapshot"})  # type: ignore[arg-type]
