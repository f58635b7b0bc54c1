"""A participant: what of it outlives its transport."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mixdown.mcu.edge.types import PeerState
from mixdown.mcu.link.messages import ParticipantDocument, SourceKind

NAME_LENGTH = 200
"Characters of a name that are kept."
_JOINERS = frozenset("\u200c\u200d")
"Format characters without which Persian, the Indic scripts and emoji are misspelt."


class Role(StrEnum):
    VIEWER = "viewer"
    PARTICIPANT = "participant"
    MODERATOR = "moderator"


class MutedBy(StrEnum):
    """Who switched a microphone or a camera off: only its owner or an admin switches it on again."""

    SELF = "self"
    MODERATOR = "moderator"
    ADMIN = "admin"


class LeftReason(StrEnum):
    LEFT = "left"
    REMOVED = "removed"
    LOST = "lost"
    FAILED = "failed"
    "Its transport never came up."
    FINISHED = "finished"
    "The room was ended for everybody."


def clean_name(name: str) -> str:
    """One line of text without control characters, bidi overrides and lone surrogates; '' if nothing is left."""
    kept = (c if _printable(c) else " " for c in unicodedata.normalize("NFC", name))
    return " ".join("".join(kept).split())[:NAME_LENGTH].strip()


def _printable(character: str) -> bool:
    return character in _JOINERS or not unicodedata.category(character).startswith("C")


@dataclass(slots=True)
class Participant:
    """One who takes part, connected or not.

    epoch: of its transport, as the edge was told. seat: position among the tiles, never reused in a room.
    since: monotonic seconds of the last change of `state`. joined: it was connected at least once, so the others know
    of it. sources: what its transport may send. max_bitrate: bit/s it wants to receive at most, None: no limit.
    """

    id: str
    name: str
    role: Role
    token_digest: str
    seat: int
    joined_at: str
    view: str = "main"
    state: PeerState = PeerState.CONNECTING
    since: float = 0.0
    epoch: int = 0
    joined: bool = False
    audio_muted: bool = False
    muted_by: MutedBy | None = None
    video_muted: bool = False
    video_muted_by: MutedBy | None = None
    gain_db: float = 0.0
    pinned: bool = False
    hand_raised: bool = False
    max_bitrate: int | None = None
    speaking: bool = False
    sources: tuple[SourceKind, ...] = field(default=())

    @property
    def viewer(self) -> bool:
        return self.role is Role.VIEWER

    def document(self) -> ParticipantDocument:
        """A transport that is being replaced counts as connected: its tile keeps the last picture meanwhile."""
        return ParticipantDocument(
            id=self.id,
            name=self.name,
            viewer=self.viewer,
            connected=self.state is not PeerState.DISCONNECTED,
            audio_muted=self.audio_muted,
            video_muted=self.video_muted,
            gain_db=self.gain_db,
            pinned=self.pinned,
            hand_raised=self.hand_raised,
        )

    def record(self) -> dict[str, Any]:
        """What is kept over a restart of the server, as JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.value,
            "token_digest": self.token_digest,
            "seat": self.seat,
            "joined_at": self.joined_at,
            "view": self.view,
            "epoch": self.epoch,
            "audio_muted": self.audio_muted,
            "muted_by": self.muted_by.value if self.muted_by else None,
            "video_muted": self.video_muted,
            "video_muted_by": self.video_muted_by.value if self.video_muted_by else None,
            "gain_db": self.gain_db,
            "pinned": self.pinned,
            "hand_raised": self.hand_raised,
            "max_bitrate": self.max_bitrate,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any], now: float) -> Participant:
        """Back from the store: everybody is away, and has the usual time to come back."""
        values = dict(record)
        values["role"] = Role(values["role"])
        for key in ("muted_by", "video_muted_by"):
            values[key] = MutedBy(values[key]) if values.get(key) else None
        return cls(**values, state=PeerState.DISCONNECTED, since=now, joined=True)
