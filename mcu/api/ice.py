"""`/v1/ice-servers`: the STUN and TURN servers that a page is to use."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from mixdown.mcu.api.auth import Who
from mixdown.mcu.api.services import Known
from mixdown.mcu.edge.turn import login
from mixdown.mcu.errors import NotAuthorised
from mixdown.mcu.rooms.policy import ANYBODY

router = APIRouter(prefix="/v1/ice-servers", tags=["ice-servers"])


class IceServerModel(BaseModel):
    """As RTCIceServer of a browser."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServersModel(BaseModel):
    """lifetime: seconds for which the credentials are good for a new connection."""

    ice_servers: list[IceServerModel]
    lifetime: int


@router.get("", response_model=IceServersModel, response_model_exclude_none=True)
async def ice_servers(response: Response, known: Known, who: Who) -> Any:
    """For whoever may join. Logins of TURN servers are made anew for each call where the servers share a secret."""
    if who == ANYBODY and not known.open_join:
        raise NotAuthorised("Send the admin secret or a participant's token.")
    response.headers["Cache-Control"] = "no-store"
    servers = []
    for server in known.ice_servers:
        username, credential = login(server)
        servers.append(IceServerModel(urls=[server.url], username=username, credential=credential))
    return IceServersModel(ice_servers=servers, lifetime=known.turn_lifetime)
