"""`/v1/rooms/{room}/invitation`: the link by which others come in, as text and as a picture for a phone's camera."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlsplit

import qrcode
from fastapi import APIRouter, Query, Request, Response

from mixdown.mcu.api.auth import Who, is_local_name
from mixdown.mcu.api.rooms import RoomId
from mixdown.mcu.api.schemas import InvitationModel
from mixdown.mcu.api.services import Known, Services
from mixdown.mcu.rooms.policy import Right, require

QUIET_ZONE = 4
"Modules around the code that stay light (ISO/IEC 18004, 6.3.8)."

router = APIRouter(prefix="/v1/rooms/{room}", tags=["rooms"])
Origin = Annotated[
    str | None,
    Query(
        max_length=300,
        pattern=r"^https?://[^\s/?#@]+$",
        description="Of the page that asks, behind a proxy; else as the request names this server.",
    ),
]


@router.get("/invitation", response_model=InvitationModel)
async def invitation(room_id: RoomId, request: Request, known: Known, who: Who, origin: Origin = None) -> Any:
    """The link to pass on. Asked for by a name that only this machine has, it is the one for the local network."""
    require(who, Right.READ, room_id)
    return InvitationModel(url=_link(known.registry.get(room_id).id, request, known, origin))


@router.get(
    "/invitation.svg",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
async def picture(room_id: RoomId, request: Request, known: Known, who: Who, origin: Origin = None) -> Response:
    """The link as a QR code."""
    require(who, Right.READ, room_id)
    link = _link(known.registry.get(room_id).id, request, known, origin)
    return Response(qr_svg(link), media_type="image/svg+xml")


def _link(room: str, request: Request, known: Services, origin: str | None) -> str:
    base = origin or f"{request.url.scheme}://{request.url.netloc}"
    others = known.lan_urls() if is_local_name(_host(base)) else ()
    return f"{others[0] if others else base}/?room={room}"


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def qr_svg(text: str) -> str:
    """Dark on light whatever the page's colours are, as cameras want it; a unit is a module."""
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make()
    rows = code.get_matrix()
    size = len(rows)
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size * 8}" height="{size * 8}" viewBox="0 0 {size} {size}" '
        f'shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/>'
        f'<path d="{dark}" fill="#000"/></svg>'
    )
