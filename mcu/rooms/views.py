"""The views of a room by the names that clients use, and the tier that a limit on the bit rate leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixdown.codecs.encoded import TierName
from mixdown.mcu.errors import NotFound
from mixdown.mcu.link.messages import ViewDocument
from mixdown.mcu.rooms.room import MAIN, Room
from mixdown.mixer.layout import parse_layout_name

LOW = "low"
ON_DEMAND = {"auto-speaker": "speaker", "auto-grid": "grid"}
"Views that exist in every room from their first use, and their layouts."
RESERVED = frozenset((MAIN, LOW, *ON_DEMAND))

_TOTALS = ((TierName.FULL, 2_000_000), (TierName.MEDIUM, 700_000), (TierName.LOW, 200_000))
"bit/s of each tier of a 1280x720 view, with sound and overhead."


@dataclass(frozen=True, slots=True)
class Seen:
    """What a participant watches: a view of the room document, at one tier."""

    view: str
    tier: TierName


def exists(room: Room, name: str) -> bool:
    return name in room.views or name in RESERVED


def require_view(room: Room, name: str) -> None:
    """Raises NotFound."""
    if not exists(room, name):
        raise NotFound(f"There is no view {name!r} in room {room.id!r}.")


def resolve(name: str, max_bitrate: int | None) -> Seen:
    """`low` is `main` fixed at its lowest tier."""
    if name == LOW:
        return Seen(MAIN, TierName.LOW)
    return Seen(name, tier_within(max_bitrate))


def document_name(name: str) -> str:
    """The view whose picture `name` shows."""
    return MAIN if name == LOW else name


def tier_within(max_bitrate: int | None) -> TierName:
    """The best tier whose total is within `max_bitrate`, bit/s; sound alone under the lowest."""
    if max_bitrate is None:
        return TierName.FULL
    return next((tier for tier, total in _TOTALS if total <= max_bitrate), TierName.AUDIO)


def on_demand(room: Room, name: str) -> ViewDocument | None:
    """The view to add to the room before somebody watches `name`, if there is one to add."""
    layout = ON_DEMAND.get(name)
    if layout is None or name in room.views:
        return None
    return replace(room.views[MAIN], name=name, layout=parse_layout_name(layout), order=(), pinned=())
