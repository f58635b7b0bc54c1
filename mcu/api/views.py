"""`/v1/rooms/{room}/layout` and `/v1/rooms/{room}/views`: a room's pictures."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path

from mixdown.mcu.api.auth import Who
from mixdown.mcu.api.rooms import RoomId
from mixdown.mcu.api.schemas import Slug, TilesModel, ViewBody, ViewModel, ViewOptions
from mixdown.mcu.api.services import Known, Services
from mixdown.mcu.errors import Conflict, Forbidden, NotFound, Unavailable
from mixdown.mcu.link.messages import Canvas, RequestKind, ViewDocument
from mixdown.mcu.rooms.policy import Right, require
from mixdown.mcu.rooms.room import MAIN, Room
from mixdown.mcu.rooms.views import RESERVED, document_name, require_view

MAX_VIEWS = 16
"Of one room."

router = APIRouter(prefix="/v1/rooms/{room}", tags=["views"])
View = Annotated[Slug, Path(alias="view")]


@router.put("/layout", response_model=ViewModel)
async def lay_out(room_id: RoomId, body: ViewOptions, known: Known, who: Who) -> Any:
    """Lays out the main view."""
    require(who, Right.MODERATE, room_id)
    room = known.registry.get(room_id)
    view = _document(MAIN, body, room.views[MAIN].canvas, room, known)
    known.registry.change_view(room, view)
    return _model(view)


@router.get("/views", response_model=list[ViewModel])
async def list_views(room_id: RoomId, known: Known, who: Who) -> Any:
    """Those that were made or used so far."""
    require(who, Right.READ, room_id)
    return [_model(view) for view in known.registry.get(room_id).views.values()]


@router.get("/views/{view}", response_model=ViewModel)
async def get_view(room_id: RoomId, view: View, known: Known, who: Who) -> Any:
    require(who, Right.READ, room_id)
    return _model(_find(known, room_id, view))


@router.put("/views/{view}", response_model=ViewModel)
async def put_view(room_id: RoomId, view: View, body: ViewBody, known: Known, who: Who) -> Any:
    """Makes or replaces a further picture of the room."""
    require(who, Right.MODERATE, room_id)
    room = known.registry.get(room_id)
    if view in RESERVED and view != MAIN:
        raise Forbidden(f"The view {view!r} is built in, and read only.")
    if view not in room.views and len(room.views) >= MAX_VIEWS:
        raise Unavailable(f"A room has {MAX_VIEWS} views at most.", retry_after=60)
    old = room.views.get(view, room.views[MAIN])
    canvas = Canvas(**body.canvas.model_dump()) if body.canvas else old.canvas
    document = _document(view, body, canvas, room, known)
    known.registry.change_view(room, document)
    return _model(document)


@router.delete("/views/{view}", status_code=HTTPStatus.NO_CONTENT)
async def delete_view(room_id: RoomId, view: View, known: Known, who: Who) -> None:
    require(who, Right.MODERATE, room_id)
    room = known.registry.get(room_id)
    if view in RESERVED:
        raise Forbidden(f"The view {view!r} is built in, and stays.")
    if view not in room.views:
        raise NotFound(f"There is no view {view!r} in room {room.id!r}.")
    watchers = sum(one.view == view for one in room.participants.values())
    if watchers:
        raise Conflict(f"{watchers} participants watch the view {view!r}.")
    known.registry.remove_view(room, view)


@router.get("/views/{view}/tiles", response_model=TilesModel)
async def get_tiles(room_id: RoomId, view: View, known: Known, who: Who) -> Any:
    """Where everybody is in the picture, as drawn at that tick."""
    require(who, Right.READ, room_id)
    document = _find(known, room_id, view)
    return await known.requests.ask(RequestKind.TILES, room_id, document.name)


def _find(known: Services, room_id: str, view: str) -> ViewDocument:
    room = known.registry.get(room_id)
    require_view(room, view)
    known.presence.provide_view(room, view)
    return room.views[document_name(view)]


def _document(name: str, body: ViewOptions, canvas: Canvas, room: Room, known: Services) -> ViewDocument:
    sources = set(room.source_ids())
    for source in (*body.order, *body.pinned):
        if source is not None and source not in sources:
            raise NotFound(f"There is no source {source!r} in room {room.id!r}.")
    return ViewDocument(
        name=name,
        layout=known.layouts.get(body.layout),
        canvas=canvas,
        order=tuple(body.order),
        pinned=tuple(body.pinned),
        fit=body.fit.value,
        show_names=body.show_names,
        background=body.background,
        glide_ms=body.glide_ms,
    )


def _model(view: ViewDocument) -> dict[str, Any]:
    return asdict(view) | {"layout": view.layout.name}
