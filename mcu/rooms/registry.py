"""All rooms of this server: made, found, changed, dropped; told to the mixer and kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from mixdown.mcu.clock import now as monotonic
from mixdown.mcu.clock import rfc3339
from mixdown.mcu.errors import Conflict, Gone, NotFound, Unavailable
from mixdown.mcu.link.messages import Canvas, CloseRoom, MixerPort, ViewDocument
from mixdown.mcu.observe.events import Event, EventLog
from mixdown.mcu.rooms.participant import Participant
from mixdown.mcu.rooms.room import MAIN, Room, RoomSettings
from mixdown.mcu.rooms.store import Store
from mixdown.mixer.layout import LayoutSpec

GRID = LayoutSpec("grid")
GONE_SECONDS = 60.0
"How long a room that an admin ended answers 410."


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """max_participants, empty_timeout: of rooms that do not say otherwise."""

    auto_create: bool = True
    max_rooms: int = 1000
    max_participants: int = 256
    empty_timeout: float = 300.0


@dataclass(slots=True)
class EventCounters:
    published: int = 0
    overflowed: int = 0


class Registry:
    """Lives on the event loop. clock: monotonic seconds, for tests."""

    def __init__(
        self,
        mixer: MixerPort,
        store: Store,
        limits: RoomLimits | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.limits = limits or RoomLimits()
        self.clock = clock
        self.events = EventCounters()
        self._mixer = mixer
        self._store = store
        self._rooms: dict[str, Room] = {}
        self._gone: dict[str, float] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(tuple(self._rooms.values()))

    def __len__(self) -> int:
        return len(self._rooms)

    def restore(self) -> int:
        """Brings back what the store knows, everybody away; tells the mixer. Returns the number of rooms."""
        records, people = self._store.load()
        for record in records:
            room = Room.from_record(record, self.clock(), self._event_log(record["id"]))
            for one in people.get(room.id, ()):
                participant = Participant.from_record(one, self.clock())
                room.participants[participant.id] = participant
                room.empty_since = None
            self._rooms[room.id] = room
            self._mixer.send(room.document())
        for orphans in people.keys() - self._rooms.keys():
            for one in people[orphans]:
                self._store.drop(orphans, one["id"])
        return len(records)

    def get(self, room: str) -> Room:
        found = self._rooms.get(room)
        if found is None:
            raise NotFound(f"There is no room {room!r}.")
        return found

    def find(self, room: str) -> Room | None:
        return self._rooms.get(room)

    def create(
        self,
        room: str,
        layout: LayoutSpec = GRID,
        canvas: Canvas | None = None,
        settings: RoomSettings | None = None,
    ) -> Room:
        """Raises Conflict, Gone, Unavailable."""
        if room in self._rooms:
            raise Conflict(f"The room {room!r} exists already.")
        self._refuse_gone(room)
        if len(self._rooms) >= self.limits.max_rooms:
            raise Unavailable("This server holds as many rooms as it may.", retry_after=60)
        view = ViewDocument(MAIN, layout, canvas or Canvas())
        defaults = RoomSettings(self.limits.max_participants, self.limits.empty_timeout)
        now = self.clock()
        made = Room(room, rfc3339(), settings or defaults, {MAIN: view}, now, self._event_log(room), empty_since=now)
        self._rooms[room] = made
        self.changed(made)
        made.events.publish("room_started")
        return made

    def open(self, room: str) -> Room:
        """For a join: the room, made if there is none and that is allowed. Raises Gone, NotFound, Unavailable."""
        self._refuse_gone(room)
        if room in self._rooms or not self.limits.auto_create:
            return self.get(room)
        made = self.create(room)
        made.kept = False
        return made

    def reopen(self, room: str) -> None:
        """An ended room may be joined again at once."""
        self._gone.pop(room, None)

    def _refuse_gone(self, room: str) -> None:
        until = self._gone.get(room)
        if until is not None and self.clock() < until:
            raise Gone(f"The room {room!r} was ended.")

    def changed(self, room: Room) -> None:
        """Tells the mixer the whole room and keeps its record."""
        self._mixer.send(room.document())
        self._store.put(room.id, room.record())

    def keep(self, room: Room, participant: Participant) -> None:
        """Keeps a participant's record, once the others know of it."""
        if participant.joined:
            self._store.put(room.id, participant.record(), participant.id)

    def forget(self, room: Room, participant: Participant) -> None:
        self._store.drop(room.id, participant.id)

    def change_settings(self, room: Room, settings: RoomSettings) -> None:
        room.settings = settings
        self._store.put(room.id, room.record())

    def change_view(self, room: Room, view: ViewDocument) -> None:
        """Replaces or adds a view. A new canvas of `main` is the canvas of the views that exist on demand, too."""
        room.views[view.name] = view
        self.changed(room)

    def change_canvas(self, room: Room, canvas: Canvas) -> None:
        room.views = {name: replace(view, canvas=canvas) for name, view in room.views.items()}
        self.changed(room)

    def remove_view(self, room: Room, name: str) -> None:
        del room.views[name]
        room.tiles.pop(name, None)
        self.changed(room)

    def drop(self, room: Room, reason: str, *, gone: bool = False) -> None:
        """Forgets a room that nobody is in any more. gone: joins are answered 410 for a while."""
        if self._rooms.get(room.id) is not room:
            return  # dropped before; another one may have its name by now
        del self._rooms[room.id]
        if gone:
            self._gone[room.id] = self.clock() + GONE_SECONDS
        self._mixer.send(CloseRoom(room.id))
        self._store.drop(room.id)
        room.events.publish("room_finished", reason=reason)
        room.events.close()

    def sweep(self) -> None:
        """Drops rooms that have been empty for long enough, and what is no longer to be remembered."""
        now = self.clock()
        for room in self:
            if room.empty_since is not None and now - room.empty_since >= room.settings.empty_timeout:
                self.drop(room, "empty")
        self._gone = {room: until for room, until in self._gone.items() if now < until}

    def close(self) -> None:
        """Ends the listeners; the rooms stay in the store."""
        for room in self:
            room.events.close()

    def _event_log(self, room: str) -> EventLog:
        return EventLog(room, self._count_event, self._count_overflow)

    def _count_event(self, event: Event) -> None:
        self.events.published += 1

    def _count_overflow(self) -> None:
        self.events.overflowed += 1
