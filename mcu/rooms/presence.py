"""Who is in which room: joining, coming back, leaving, being lost."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mixdown.mcu.clock import rfc3339
from mixdown.mcu.edge.types import JoinAnswer, JoinRequest, PeerState, PeerStateChanged, PeerTierChanged
from mixdown.mcu.errors import BadRequest, Forbidden, Gone, Locked, NotFound, Unavailable
from mixdown.mcu.link.messages import SourceKind
from mixdown.mcu.rooms import describe
from mixdown.mcu.rooms.participant import LeftReason, MutedBy, Participant, Role, clean_name
from mixdown.mcu.rooms.policy import Actor
from mixdown.mcu.rooms.ports import EdgePort
from mixdown.mcu.rooms.registry import Registry
from mixdown.mcu.rooms.room import MAIN, Room
from mixdown.mcu.rooms.tokens import digest, new_id, new_token
from mixdown.mcu.rooms.views import on_demand, require_view, resolve

CONNECT_SECONDS = 20.0
"A transport that is not up by then is dropped."
RESUME_SECONDS = 60.0
"A lost participant may come back as itself for this long."
MAX_REMOVED = 4096
"Tokens of removed participants that are remembered, oldest forgotten first."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants of a join. view, role: None for what it had, or the defaults. admin: an admin asks: a lock
    keeps others out, not who looks after the room."""

    name: str
    sdp: str
    view: str | None = None
    role: Role | None = None
    tracks: dict[str, SourceKind] = field(default_factory=dict)
    token: str | None = None
    admin: bool = False
    caller: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Joined:
    room: Room
    participant: Participant
    token: str
    sdp: str


class Presence:
    """Lives on the event loop. measured: of a room's sources, by id, what the mixer said last."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._edge: EdgePort | None = None
        self._tokens: dict[str, tuple[str, str]] = {}
        self._removed: OrderedDict[str, None] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}
        self.measured: Callable[[Room], Mapping[str, dict[str, Any]]] = lambda room: {}
        self.failed_joins = 0
        self.stale_states = 0

    @property
    def edge(self) -> EdgePort:
        if self._edge is None:
            raise Unavailable("The server is starting.", retry_after=1)
        return self._edge

    def attach(self, edge: EdgePort) -> None:
        self._edge = edge

    def restore(self) -> None:
        """After the registry's: the tokens of those who may come back."""
        for room in self._registry:
            for participant in room.participants.values():
                self._tokens[participant.token_digest] = (room.id, participant.id)

    # ---- joining ------------------------------------------------------------------------------------------------

    def whose(self, token: str) -> tuple[Room, Participant] | None:
        """The participant that a token belongs to."""
        found = self._tokens.get(digest(token))
        room = self._registry.find(found[0]) if found else None
        participant = room.participants.get(found[1]) if found and room else None
        return (room, participant) if room and participant else None

    async def join(self, room_id: str, wish: Wish) -> Joined:
        """Takes an offer; a known token comes back as itself.

        Raises BadRequest, BadOffer, NotAcceptable, NotFound, Forbidden, Gone, Locked, TooMany, Unavailable.
        """
        if not clean_name(wish.name):
            raise BadRequest("The name has no printable character.")
        room = self._registry.open(room_id)
        try:
            require_view(room, wish.view or MAIN)
            return await self._join(room, wish)
        except BaseException:
            self.failed_joins += 1
            self._drop_if_unused(room)
            raise

    async def _join(self, room: Room, wish: Wish) -> Joined:
        if wish.token is not None:
            if digest(wish.token) in self._removed:
                raise Forbidden("This participant was removed from the room.")
            known = self.whose(wish.token)
            if known and known[0] is room:
                return await self._come_back(room, known[1], wish, wish.token)
        return await self._come_new(room, wish)

    async def _come_new(self, room: Room, wish: Wish) -> Joined:
        if room.settings.locked and not (wish.admin and wish.role is Role.VIEWER):
            raise Locked(f"The room {room.id!r} takes nobody in.")
        if len(room.participants) >= room.settings.max_participants:
            raise Unavailable(f"The room {room.id!r} is full.", retry_after=10)
        token = new_token()
        one = Participant(
            id=new_id(),
            name=clean_name(wish.name),
            role=wish.role or Role.PARTICIPANT,
            token_digest=digest(token),
            seat=room.take_seat(),
            joined_at=rfc3339(),
            view=wish.view or MAIN,
            since=self._registry.clock(),
        )
        room.participants[one.id] = one
        room.empty_since = None
        try:
            answer = await self._connect(room, one, wish)
        except BaseException:
            self._take_out(room, one)
            raise
        self._tokens[one.token_digest] = (room.id, one.id)
        return Joined(room, one, token, answer.sdp)

    async def _come_back(self, room: Room, one: Participant, wish: Wish, token: str) -> Joined:
        async with self._locks.setdefault(one.id, asyncio.Lock()):
            self._still_in(room, one)
            before = (one.epoch, one.state, one.since, one.view)
            one.view = wish.view or one.view
            one.epoch += 1
            one.state, one.since = PeerState.CONNECTING, self._registry.clock()
            try:
                answer = await self._connect(room, one, wish)
            except BaseException:
                one.epoch, one.state, one.since, one.view = before
                self._recheck(room, one)
                raise
            one.name = clean_name(wish.name)
            self._changed(room, one)
            return Joined(room, one, token, answer.sdp)

    async def _connect(self, room: Room, one: Participant, wish: Wish) -> JoinAnswer:
        """The edge's answer; the participant may have been removed meanwhile."""
        self.provide_view(room, one.view)
        seen = resolve(one.view, one.max_bitrate)
        answer = await self.edge.join(
            JoinRequest(
                room=room.id,
                participant=one.id,
                sdp=wish.sdp,
                epoch=one.epoch,
                view=seen.view,
                tier=seen.tier,
                viewer=one.viewer,
                tracks=wish.tracks,
                caller=wish.caller,
                canvas=room.views[seen.view].canvas if seen.view in room.views else None,
            )
        )
        try:
            self._still_in(room, one)
        except (Gone, NotFound):
            await self.edge.leave(one.id)
            raise
        one.sources = answer.sources
        wanted = resolve(one.view, one.max_bitrate)
        if wanted != seen:  # changed while there was no transport to tell of it
            self.edge.set_view(one.id, wanted.view, wanted.tier)
        return answer

    def provide_view(self, room: Room, name: str) -> None:
        """Makes a view that exists on demand."""
        view = on_demand(room, name)
        if view is not None:
            self._registry.change_view(room, view)

    def _still_in(self, room: Room, one: Participant) -> None:
        if self._registry.find(room.id) is not room:
            raise Gone(f"The room {room.id!r} was ended.")
        if room.participants.get(one.id) is not one:
            raise NotFound(f"There is no participant {one.id!r} any more.")

    def _recheck(self, room: Room, one: Participant) -> None:
        """After a resume that failed: what the old transport told meanwhile went unheard."""
        if room.participants.get(one.id) is not one:
            return
        report = self.edge.report(one.id)
        state = report.state if report else PeerState.DISCONNECTED
        if state is not one.state:
            self.on_state(PeerStateChanged(room.id, one.id, one.epoch, state))

    async def renegotiate(self, room: Room, one: Participant, sdp: str) -> JoinAnswer:
        answer = await self.edge.renegotiate(one.id, sdp)
        self._still_in(room, one)
        one.sources = answer.sources
        self._changed(room, one)
        return answer

    # ---- changing -----------------------------------------------------------------------------------------------

    def change(self, room: Room, one: Participant, changes: Mapping[str, Any], actor: Actor) -> None:
        """changes: by the names of the API. Raises BadRequest, Forbidden, NotFound; then nothing is changed."""
        name = clean_name(changes["name"]) if "name" in changes else one.name
        if not name:
            raise BadRequest("The name has no printable character.")
        if "view" in changes:
            require_view(room, changes["view"])
        self._mute(one, changes, actor)
        one.name = name
        for key in ("gain_db", "pinned", "hand_raised", "view", "max_bitrate", "role"):
            if key in changes:
                setattr(one, key, changes[key])
        if "view" in changes or "max_bitrate" in changes:
            self.provide_view(room, one.view)
            seen = resolve(one.view, one.max_bitrate)
            if one.state is not PeerState.DISCONNECTED:
                self.edge.set_view(one.id, seen.view, seen.tier)
        if changes.get("screen") is not False:
            self._changed(room, one)
            return
        for kind in (SourceKind.SCREEN, SourceKind.SCREEN_AUDIO):
            self.edge.end_source(one.id, kind)
        by = _muter(actor, own=actor.participant == one.id)
        self._changed(room, one, screen_ended_by=by.value)

    def _mute(self, one: Participant, changes: Mapping[str, Any], actor: Actor) -> None:
        """Another one's microphone or camera may be switched off, but only its owner or an admin switches it on."""
        wanted = changes.get("audio_muted", one.audio_muted)
        own = actor.participant == one.id
        unveils = one.video_muted and changes.get("video_muted") is False
        if ((one.audio_muted and not wanted) or unveils) and not own and not actor.is_admin:
            raise Forbidden("A moderator may mute, not unmute.")
        if wanted != one.audio_muted:
            one.audio_muted = wanted
            one.muted_by = _muter(actor, own=own) if wanted else None
        off = changes.get("video_muted", one.video_muted)
        if off != one.video_muted:
            one.video_muted = off
            one.video_muted_by = _muter(actor, own=own) if off else None

    def _changed(self, room: Room, one: Participant, **more: Any) -> None:
        """more: what the event tells besides, for those who hear it."""
        self._registry.keep(room, one)
        if one.joined:
            self._registry.changed(room)
            room.events.publish("participant_changed", participant=self.describe(room, one), **more)

    def describe(self, room: Room, one: Participant) -> dict[str, Any]:
        report = self._edge.report(one.id) if self._edge else None
        return describe.participant(room, one, report, self.measured(room))

    # ---- leaving ------------------------------------------------------------------------------------------------

    async def leave(self, room: Room, one: Participant, reason: LeftReason) -> None:
        """Out for good. Who was removed by somebody else cannot come back by its token."""
        if room.participants.get(one.id) is not one:
            return
        if reason is LeftReason.REMOVED:
            self._removed[one.token_digest] = None
            if len(self._removed) > MAX_REMOVED:
                self._removed.popitem(last=False)
        last = self.describe(room, one)
        self._take_out(room, one)
        if one.joined:
            self._registry.forget(room, one)
            self._registry.changed(room)
            room.events.publish("participant_left", participant=last, reason=reason.value)
        else:
            self._drop_if_unused(room)
        await self.edge.leave(one.id)

    async def end(self, room: Room) -> None:
        """Ends a room for everybody; joins are answered 410 for a while."""
        people = room.seated()
        for one in people:
            last = self.describe(room, one)
            self._take_out(room, one)
            self._registry.forget(room, one)
            if one.joined:
                room.events.publish("participant_left", participant=last, reason=LeftReason.FINISHED.value)
        self._registry.drop(room, "ended", gone=True)
        await asyncio.gather(*(self.edge.leave(one.id) for one in people))

    def _take_out(self, room: Room, one: Participant) -> None:
        room.participants.pop(one.id, None)
        self._tokens.pop(one.token_digest, None)
        self._locks.pop(one.id, None)
        if room.active_speaker == one.id:
            room.active_speaker = None
        if not room.participants and room.empty_since is None:
            room.empty_since = self._registry.clock()

    def _drop_if_unused(self, room: Room) -> None:
        """A room made by a join that failed is not kept: else anybody could fill the server with rooms."""
        if not room.kept and not room.participants:
            self._registry.drop(room, "unused")

    # ---- the transports' news -----------------------------------------------------------------------------------

    def on_state(self, change: PeerStateChanged) -> None:
        room = self._registry.find(change.room)
        one = room.participants.get(change.participant) if room else None
        if room is None or one is None or one.epoch != change.epoch:
            self.stale_states += 1
            return
        match change.state:
            case PeerState.CONNECTED:
                self._connected(room, one)
            case PeerState.DISCONNECTED:
                self._lost(room, one)
            case PeerState.CONNECTING:
                one.state, one.since = change.state, self._registry.clock()

    def on_tier(self, change: PeerTierChanged) -> None:
        """Its line became too thin for the picture that it was sent, or wide enough for a better one."""
        room = self._registry.find(change.room)
        one = room.participants.get(change.participant) if room else None
        if room is None or one is None or one.epoch != change.epoch:
            self.stale_states += 1
        elif one.joined:
            room.events.publish(
                "tier_changed", participant=one.id, tier=change.tier.value, limited_by=change.limited_by
            )

    def _connected(self, room: Room, one: Participant) -> None:
        first, one.joined, room.kept = not one.joined, True, True
        one.state, one.since = PeerState.CONNECTED, self._registry.clock()
        if not first:
            self._changed(room, one)
            return
        self._registry.keep(room, one)
        self._registry.changed(room)
        room.events.publish("participant_joined", participant=self.describe(room, one))

    def _lost(self, room: Room, one: Participant) -> None:
        if not one.joined:
            self.failed_joins += 1
            self._take_out(room, one)
            self._drop_if_unused(room)
            return
        if one.state is PeerState.DISCONNECTED:
            return  # it was silent first, and is given up now
        one.state, one.since, one.speaking = PeerState.DISCONNECTED, self._registry.clock(), False
        self._changed(room, one)

    async def sweep(self) -> None:
        """Drops who did not connect in time and who did not come back."""
        now = self._registry.clock()
        for room in self._registry:
            for one in room.seated():
                age = now - one.since
                if room.participants.get(one.id) is not one:
                    continue  # removed while another one was closed
                if one.state is PeerState.CONNECTING and age >= CONNECT_SECONDS:
                    self._lost(room, one)
                    await self.edge.leave(one.id)
                elif one.state is PeerState.DISCONNECTED and age >= RESUME_SECONDS:
                    await self.leave(room, one, LeftReason.LOST)


def _muter(actor: Actor, *, own: bool) -> MutedBy:
    return MutedBy.SELF if own else actor.muter
