"""Who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mixdown.mcu.errors import Forbidden, NotAuthorised
from mixdown.mcu.rooms.participant import MutedBy, Role


class Right(Enum):
    READ = "read this room"
    CHANGE_SELF = "change this participant"
    MODERATE = "moderate this room"
    ADMINISTER = "administer this server"


class Rank(Enum):
    ANYBODY = "anybody"
    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a call. room, participant, role: of a member, None for the others."""

    rank: Rank
    room: str | None = None
    participant: str | None = None
    role: Role | None = None

    @property
    def is_admin(self) -> bool:
        return self.rank is Rank.ADMIN

    @property
    def muter(self) -> MutedBy:
        return MutedBy.ADMIN if self.is_admin else MutedBy.MODERATOR


ADMIN = Actor(Rank.ADMIN)
ANYBODY = Actor(Rank.ANYBODY)


def may(actor: Actor, right: Right, room: str | None = None, participant: str | None = None) -> bool:
    """room, participant: what the right is wanted for."""
    if actor.rank is Rank.ADMIN:
        return True
    if actor.rank is Rank.ANYBODY or room is None or actor.room != room:
        return False
    match right:
        case Right.READ:
            return True
        case Right.CHANGE_SELF:
            return actor.participant == participant
        case Right.MODERATE:
            return actor.role is Role.MODERATOR
        case Right.ADMINISTER:
            return False


def require(actor: Actor, right: Right, room: str | None = None, participant: str | None = None) -> None:
    """Raises NotAuthorised if nobody in particular asks, Forbidden if one asks who may not."""
    if may(actor, right, room, participant):
        return
    if actor.rank is Rank.ANYBODY:
        raise NotAuthorised(f"To {right.value}, send the admin secret or a participant's token as a bearer token.")
    raise Forbidden(f"This token may not {right.value}.")
