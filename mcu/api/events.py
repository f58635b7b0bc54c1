"""`/v1/rooms/{room}/events`: a room's events over a WebSocket."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, WebSocket, WebSocketDisconnect

from mixdown.mcu.api.auth import Who, subprotocol
from mixdown.mcu.api.problems import from_error
from mixdown.mcu.api.schemas import Slug
from mixdown.mcu.api.services import Known, Services
from mixdown.mcu.errors import MixdownError
from mixdown.mcu.observe.events import Event, Subscription
from mixdown.mcu.rooms import describe
from mixdown.mcu.rooms.participant import LeftReason
from mixdown.mcu.rooms.policy import Right, require
from mixdown.mcu.rooms.room import MAIN, Room

SEND_DEADLINE = 10.0
"Seconds within which a listener must take an event."
TRY_AGAIN_LATER = 1013
GOING_AWAY = 1001
ABNORMAL_CLOSURE = 1006
EMPTY: dict[str, Any] = {"tick": 0, "rtp_time": 0, "settled": True, "tiles": [], "hidden": []}
"Tiles of a room that was never drawn."

router = APIRouter()


@router.websocket("/v1/rooms/{room}/events")
async def events(socket: WebSocket, room_id: Annotated[Slug, Path(alias="room")], known: Known, who: Who) -> None:
    """A snapshot, then every event with its number. The token goes as the subprotocol `bearer.<token>`."""
    try:
        require(who, Right.READ, room_id)
        room = known.registry.get(room_id)
    except MixdownError as error:
        await socket.send_denial_response(from_error(error))
        return
    subscription = room.events.subscribe()
    try:
        await socket.accept(subprotocol(socket))
        await _serve(socket, subscription, snapshot(known, room), who.participant)
    except* (WebSocketDisconnect, TimeoutError):
        pass  # the listener went, or takes nothing any more: this is how listening ends
    finally:
        room.events.unsubscribe(subscription)


async def _serve(socket: WebSocket, subscription: Subscription, first: Event, own: str | None) -> None:
    """own: the participant by whose token it is heard; who has left hears that, and nothing more."""
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(_until_closed(socket, subscription))
        event: Event | None = first
        while event is not None:
            await _send(socket, event)
            if _is_out(event, own):
                break
            event = await subscription.next()
        if subscription.overflowed:
            await socket.close(TRY_AGAIN_LATER, "too slow: come back for a new snapshot")
        elif not listening.done():
            await socket.close(GOING_AWAY, "nothing more will come")
        listening.cancel()


async def _send(socket: WebSocket, event: Event) -> None:
    """Raises TimeoutError, and WebSocketDisconnect where the connection is there no more."""
    try:
        async with asyncio.timeout(SEND_DEADLINE):
            await socket.send_json(event)
    except RuntimeError as error:  # pings went unanswered: uvicorn is closing by itself, and has not said so yet
        raise WebSocketDisconnect(ABNORMAL_CLOSURE) from error


def _is_out(event: Event, own: str | None) -> bool:
    """Whether its listener has left the room, which goes on without him."""
    if event["type"] != "participant_left" or event["participant"]["id"] != own:
        return False
    return bool(event["reason"] != LeftReason.FINISHED.value)


async def _until_closed(socket: WebSocket, subscription: Subscription) -> None:
    """What a listener sends is not looked at."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    subscription.close()


def snapshot(known: Services, room: Room) -> Event:
    """The room as it is; its `seq` is that of the last event in it."""
    return room.events.stamp(
        "snapshot",
        {
            "document": describe.room(room),
            "participants": [known.presence.describe(room, one) for one in room.seated() if one.joined],
            "tiles": {"view": MAIN, **room.tiles.get(MAIN, EMPTY)},
        },
    )
