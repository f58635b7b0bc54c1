"""A room: its settings, its views and who is in it. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mixdown.mcu.errors import NotFound
from mixdown.mcu.link.messages import Canvas, RoomDocument, ViewDocument
from mixdown.mcu.observe.events import EventLog
from mixdown.mcu.rooms.layouts import from_record, to_record
from mixdown.mcu.rooms.participant import Participant
from mixdown.mixer.layout import LayoutSpec

MAIN = "main"


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """empty_timeout: seconds after which a room that nobody is in is dropped."""

    max_participants: int = 256
    empty_timeout: float = 300.0
    locked: bool = False


@dataclass(slots=True)
class Room:
    """views: by name, `main` always among them. participants: by id. empty_since: monotonic seconds, None while
    somebody is in. kept: an admin made it, or somebody was connected; else a join that fails takes it along.
    tiles: what the mixer last said of each view."""

    id: str
    created_at: str
    settings: RoomSettings
    views: dict[str, ViewDocument]
    started: float
    events: EventLog
    participants: dict[str, Participant] = field(default_factory=dict)
    empty_since: float | None = None
    kept: bool = True
    revision: int = 0
    next_seat: int = 0
    active_speaker: str | None = None
    tiles: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take_seat(self) -> int:
        seat, self.next_seat = self.next_seat, self.next_seat + 1
        return seat

    def participant(self, participant: str) -> Participant:
        found = self.participants.get(participant)
        if found is None:
            raise NotFound(f"There is no participant {participant!r} in room {self.id!r}.")
        return found

    def seated(self) -> list[Participant]:
        return sorted(self.participants.values(), key=lambda p: p.seat)

    def document(self) -> RoomDocument:
        """The whole room for the mixer, under a new revision. Who never was connected has no tile yet, so that a join
        that fails does not move the others' tiles."""
        self.revision += 1
        people = tuple(p.document() for p in self.seated() if p.joined)
        return RoomDocument(self.id, self.revision, tuple(self.views.values()), people)

    def source_ids(self) -> Iterator[str]:
        for participant in self.seated():
            if not participant.viewer:
                yield f"{participant.id}-camera"
                yield f"{participant.id}-screen"

    def record(self) -> dict[str, Any]:
        """What is kept over a restart of the server, as JSON."""
        return {
            "id": self.id,
            "created_at": self.created_at,
            "settings": asdict(self.settings),
            "views": [_view_record(view) for view in self.views.values()],
            "next_seat": self.next_seat,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any], now: float, events: EventLog) -> Room:
        views = [_view_from_record(view) for view in record["views"]]
        return cls(
            id=record["id"],
            created_at=record["created_at"],
            settings=RoomSettings(**record["settings"]),
            views={view.name: view for view in views},
            started=now,
            events=events,
            empty_since=now,
            next_seat=record["next_seat"],
        )


def _view_record(view: ViewDocument) -> dict[str, Any]:
    return asdict(replace(view, layout=LayoutSpec("grid"))) | {"layout": to_record(view.layout)}


def _view_from_record(record: dict[str, Any]) -> ViewDocument:
    values = dict(record)
    values["layout"] = from_record(values["layout"])
    values["canvas"] = Canvas(**values["canvas"])
    values["order"] = tuple(values["order"])
    values["pinned"] = tuple(values["pinned"])
    return ViewDocument(**values)
