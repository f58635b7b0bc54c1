"""`/v1/rooms/{room}/participants`: joining, coming back, changing, leaving."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from mixdown.mcu.api.auth import Who
from mixdown.mcu.api.callers import caller_of
from mixdown.mcu.api.rooms import RoomId
from mixdown.mcu.api.schemas import (
    AnswerModel,
    CandidatesBody,
    JoinBody,
    JoinedModel,
    OfferBody,
    ParticipantModel,
    ParticipantPatch,
)
from mixdown.mcu.api.services import Known
from mixdown.mcu.errors import BadOffer, Conflict, Forbidden, NotAuthorised
from mixdown.mcu.link.messages import SourceKind
from mixdown.mcu.rooms.participant import LeftReason, Role
from mixdown.mcu.rooms.policy import Actor, Right, require
from mixdown.mcu.rooms.presence import Wish

MAX_SDP = 65_536
"Bytes."
_OWN = frozenset(
    ("name", "audio_muted", "video_muted", "gain_db", "view", "hide_self", "max_bitrate", "hand_raised", "screen")
)
_MODERATED = frozenset(("audio_muted", "video_muted", "gain_db", "pinned", "hand_raised", "screen"))

router = APIRouter(prefix="/v1/rooms/{room}/participants", tags=["participants"])
ParticipantId = Annotated[str, Path(alias="participant", max_length=64)]


@router.post("", status_code=HTTPStatus.CREATED, response_model=JoinedModel)
async def join(
    room_id: RoomId,
    body: JoinBody,
    request: Request,
    response: Response,
    known: Known,
    who: Who,
    reopen: Annotated[bool, Query(description="Lifts the 410 of a room that was ended.")] = False,
) -> Any:
    """Takes an offer and answers it. With the token of an earlier join the participant comes back as itself."""
    found = None if body.token is None else known.presence.whose(body.token)
    own = found is not None and found[0].id == room_id
    if not (known.open_join or own or who.is_admin):
        raise NotAuthorised("To join, send the admin secret as a bearer token.")
    if body.role is Role.MODERATOR and not own:
        require(who, Right.ADMINISTER)
    if reopen:
        require(who, Right.ADMINISTER)
        known.registry.reopen(room_id)
    wish = Wish(
        name=body.name,
        sdp=_sdp(body.sdp),
        view=body.view,
        role=body.role,
        tracks={mid: SourceKind(kind.value) for mid, kind in body.tracks.items()},
        token=body.token,
        caller=caller_of(request, known.trusted_proxies),
        admin=who.is_admin,
    )
    joined = await known.presence.join(room_id, wish)
    response.headers["Location"] = f"/v1/rooms/{joined.room.id}/participants/{joined.participant.id}"
    return JoinedModel(
        id=joined.participant.id,
        sdp=joined.sdp,
        room=joined.room.id,
        view=joined.participant.view,
        token=joined.token,
    )


@router.get("", response_model=list[ParticipantModel])
async def list_participants(room_id: RoomId, known: Known, who: Who) -> Any:
    require(who, Right.READ, room_id)
    room = known.registry.get(room_id)
    await known.stats.refresh(room)
    return [known.presence.describe(room, one) for one in room.seated()]


@router.get("/{participant}", response_model=ParticipantModel)
async def get_participant(room_id: RoomId, participant: ParticipantId, known: Known, who: Who) -> Any:
    require(who, Right.READ, room_id)
    room = known.registry.get(room_id)
    one = room.participant(participant)
    await known.stats.refresh(room)
    return known.presence.describe(room, one)


@router.patch("/{participant}", response_model=ParticipantModel)
async def change_participant(
    room_id: RoomId, participant: ParticipantId, body: ParticipantPatch, known: Known, who: Who
) -> Any:
    """Oneself, or as a moderator the others: mute but not unmute, gain, pin."""
    changes = body.changes()
    room = known.registry.get(room_id)
    _require_change(who, room_id, participant, frozenset(changes))
    one = room.participant(participant)
    if changes.pop("hide_self", False):
        raise Conflict("Pictures without oneself are not available on this server: there is no encoder for them.")
    known.presence.change(room, one, changes, who)
    return known.presence.describe(room, one)


def _require_change(who: Actor, room: str, participant: str, fields: frozenset[str]) -> None:
    """A participant may change itself, a moderator a few things of others, an admin everything."""
    own = who.participant == participant and who.room == room
    if own and fields <= _OWN:
        return
    require(who, Right.MODERATE, room, participant)
    allowed = _MODERATED | _OWN if own else _MODERATED
    if not who.is_admin and not fields <= allowed:
        raise Forbidden(f"A moderator may not change {', '.join(sorted(fields - allowed))}.")


@router.delete("/{participant}", status_code=HTTPStatus.NO_CONTENT)
async def remove_participant(room_id: RoomId, participant: ParticipantId, known: Known, who: Who) -> None:
    """Leaves, or is removed by a moderator: then its token is worth nothing any more."""
    own = who.participant == participant and who.room == room_id
    if not own:
        require(who, Right.MODERATE, room_id)
    room = known.registry.get(room_id)
    reason = LeftReason.LEFT if own else LeftReason.REMOVED
    await known.presence.leave(room, room.participant(participant), reason)


@router.post("/{participant}/offer", response_model=AnswerModel)
async def renegotiate(room_id: RoomId, participant: ParticipantId, body: OfferBody, known: Known, who: Who) -> Any:
    require(who, Right.CHANGE_SELF, room_id, participant)
    room = known.registry.get(room_id)
    answer = await known.presence.renegotiate(room, room.participant(participant), _sdp(body.sdp))
    return AnswerModel(sdp=answer.sdp)


@router.patch("/{participant}/candidates", status_code=HTTPStatus.NO_CONTENT)
async def add_candidates(
    room_id: RoomId, participant: ParticipantId, body: CandidatesBody, known: Known, who: Who
) -> None:
    require(who, Right.CHANGE_SELF, room_id, participant)
    known.registry.get(room_id).participant(participant)
    await known.presence.edge.add_candidates(participant, body.candidates)


def _sdp(text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadOffer("The SDP has characters that no text can have.") from None
    if size > MAX_SDP:
        raise BadOffer(f"The SDP has {size} bytes; {MAX_SDP} are the limit.")
    return text
