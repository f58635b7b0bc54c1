"""`/v1/rooms`: rooms, what is in them, what they cost, how they look."""

from __future__ import annotations

import secrets
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from mixdown.mcu.api.auth import Who
from mixdown.mcu.api.schemas import RoomCreate, RoomModel, RoomPatch, Slug, SourceModel
from mixdown.mcu.api.services import Known
from mixdown.mcu.errors import BadRequest
from mixdown.mcu.link.messages import Canvas, RequestKind
from mixdown.mcu.rooms import describe
from mixdown.mcu.rooms.policy import Right, require
from mixdown.mcu.rooms.room import MAIN, RoomSettings
from mixdown.mcu.rooms.views import document_name, require_view

router = APIRouter(prefix="/v1/rooms", tags=["rooms"])
RoomId = Annotated[Slug, Path(alias="room")]


@router.post("", status_code=HTTPStatus.CREATED, response_model=RoomModel)
async def create_room(body: RoomCreate, response: Response, known: Known, who: Who) -> Any:
    require(who, Right.ADMINISTER)
    limits = known.registry.limits
    settings = RoomSettings(
        limits.max_participants if body.max_participants is None else body.max_participants,
        limits.empty_timeout if body.empty_timeout is None else body.empty_timeout,
        body.locked,
    )
    canvas = Canvas(body.canvas.width, body.canvas.height, body.canvas.fps)
    layout = known.layouts.get(body.layout)
    room = known.registry.create(body.id or secrets.token_hex(5), layout, canvas, settings)
    response.headers["Location"] = f"/v1/rooms/{room.id}"
    return describe.room(room)


@router.get("", response_model=list[RoomModel])
async def list_rooms(known: Known, who: Who) -> Any:
    require(who, Right.ADMINISTER)
    return [describe.room(room) for room in known.registry]


@router.get("/{room}", response_model=RoomModel)
async def get_room(room_id: RoomId, known: Known, who: Who) -> Any:
    require(who, Right.READ, room_id)
    return describe.room(known.registry.get(room_id))


@router.patch("/{room}", response_model=RoomModel)
async def change_room(room_id: RoomId, body: RoomPatch, known: Known, who: Who) -> Any:
    """A moderator may lock it and lay it out; the rest is the admin's."""
    changes = body.changes()
    lesser = changes.keys() <= {"locked", "layout"}
    require(who, Right.MODERATE if lesser else Right.ADMINISTER, room_id)
    room = known.registry.get(room_id)
    if "layout" in changes:
        known.registry.change_view(room, replace(room.views[MAIN], layout=known.layouts.get(changes.pop("layout"))))
    if "canvas" in changes:
        known.registry.change_canvas(room, Canvas(**changes.pop("canvas").model_dump()))
    if changes:
        known.registry.change_settings(room, replace(room.settings, **changes))
    return describe.room(room)


@router.delete("/{room}", status_code=HTTPStatus.NO_CONTENT)
async def end_room(room_id: RoomId, known: Known, who: Who) -> None:
    """Ends it for everybody. Joins are answered 410 for a minute."""
    require(who, Right.ADMINISTER)
    await known.presence.end(known.registry.get(room_id))


@router.get("/{room}/sources", response_model=list[SourceModel])
async def list_sources(room_id: RoomId, known: Known, who: Who) -> Any:
    """Everything with a tile or a voice."""
    require(who, Right.READ, room_id)
    return list(describe.sources(known.registry.get(room_id)))


@router.get("/{room}/stats")
async def room_stats(room_id: RoomId, known: Known, who: Who) -> dict[str, Any]:
    """Costs and health."""
    require(who, Right.READ, room_id)
    return await known.stats.room(known.registry.get(room_id))


@router.get(
    "/{room}/snapshot.jpg",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def snapshot(
    room_id: RoomId,
    known: Known,
    who: Who,
    view: Annotated[Slug, Query()] = MAIN,
    width: Annotated[int, Query(ge=0, le=1920)] = 0,
) -> Response:
    """The composite as it is now. width: pixels, 0 for the canvas's."""
    require(who, Right.READ, room_id)
    room = known.registry.get(room_id)
    require_view(room, view)
    if 0 < width < 16:
        raise BadRequest("A picture is at least 16 pixels wide.")
    known.presence.provide_view(room, view)
    jpeg = await known.requests.ask(RequestKind.SNAPSHOT, room.id, document_name(view), width)
    return Response(bytes(jpeg), media_type="image/jpeg", headers={"Cache-Control": "no-store"})
