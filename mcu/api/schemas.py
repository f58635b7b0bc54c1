"""The shapes of bodies, as they stand in the OpenAPI document."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from mixdown.mcu.edge.types import PeerState
from mixdown.mcu.link.messages import SourceKind
from mixdown.mcu.rooms.participant import MutedBy, Role
from mixdown.mixer.layout import Fit, SlotRole

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,95}$")]
LayoutName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Sdp = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Side = Annotated[int, Field(ge=160, le=1920, multiple_of=2)]
Gain = Annotated[float, Field(ge=-60, le=20, allow_inf_nan=False)]


class Body(BaseModel):
    """What a client sends: unknown members are a mistake that it should hear of."""

    model_config = ConfigDict(extra="forbid")


class Patch(Body):
    """A body of changes: members that are absent stay as they are, and null is a value only where it means one."""

    nullable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _no_null(self) -> Patch:
        for name in self.model_fields_set - self.nullable:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None


class CanvasModel(Body):
    width: Side = 1280
    height: Side = 720
    fps: int = Field(default=30, ge=5, le=60)


class RoomCreate(Body):
    id: Slug | None = None
    layout: LayoutName = "grid"
    canvas: CanvasModel = CanvasModel()
    max_participants: int | None = Field(default=None, ge=1, le=10_000)
    empty_timeout: float | None = Field(default=None, ge=0, le=31_536_000, allow_inf_nan=False)
    locked: StrictBool = False


class RoomPatch(Patch):
    layout: LayoutName | None = None
    canvas: CanvasModel | None = None
    max_participants: int | None = Field(default=None, ge=1, le=10_000)
    empty_timeout: float | None = Field(default=None, ge=0, le=31_536_000, allow_inf_nan=False)
    locked: StrictBool | None = None


class RoomModel(BaseModel):
    """participants: how many. views: those that were used or made so far; the built-in ones exist on demand."""

    id: str
    created_at: str
    layout: str
    order: list[str | None]
    pinned: list[str]
    fit: str
    show_names: bool
    background: str
    canvas: CanvasModel
    max_participants: int
    empty_timeout: float
    locked: bool
    participants: int
    active_speaker: str | None
    views: list[str]


class TrackKind(StrEnum):
    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"
    SCREEN_AUDIO = "screen-audio"


class JoinBody(Body):
    name: Name
    sdp: Sdp
    type: Literal["offer"] = "offer"
    view: Slug | None = None
    role: Role | None = None
    tracks: dict[Annotated[str, StringConstraints(max_length=16)], TrackKind] = Field(default={}, max_length=8)
    token: str | None = Field(default=None, max_length=512)


class JoinedModel(BaseModel):
    id: str
    sdp: str
    type: Literal["answer"] = "answer"
    room: str
    view: str
    token: str


class OfferBody(Body):
    sdp: Sdp
    type: Literal["offer"] = "offer"


class AnswerModel(BaseModel):
    sdp: str
    type: Literal["answer"] = "answer"


class CandidatesBody(Body):
    """Each as in `a=candidate:` (RFC 8839, 5.1), or the empty string at their end."""

    candidates: list[Annotated[str, StringConstraints(max_length=512)]] = Field(max_length=20)


class ParticipantPatch(Patch):
    """max_bitrate: bit/s, null for no limit. screen: false ends the screen share, with its sound."""

    nullable: ClassVar[frozenset[str]] = frozenset({"max_bitrate"})

    name: Name | None = None
    audio_muted: StrictBool | None = None
    video_muted: StrictBool | None = None
    gain_db: Gain | None = None
    pinned: StrictBool | None = None
    view: Slug | None = None
    hide_self: StrictBool | None = None
    max_bitrate: int | None = Field(default=None, ge=0, le=1_000_000_000)
    hand_raised: StrictBool | None = None
    role: Role | None = None
    screen: Literal[False] | None = None


class AudioModel(BaseModel):
    """level_dbov: 0 loudest, 127 silent."""

    codec: str | None
    muted: bool
    muted_by: MutedBy | None
    level_dbov: int
    speaking: bool


class VideoModel(BaseModel):
    """codec: what it is sent. width, height, fps: of its camera. visible: its camera has a tile in `main`."""

    codec: str | None
    muted: bool
    muted_by: MutedBy | None
    width: int
    height: int
    fps: float
    visible: bool


class ParticipantModel(BaseModel):
    """tier: the step of its picture that it is sent now; limited_by: why it is not the best: its line, or a choice."""

    id: str
    name: str
    role: Role
    joined_at: str
    state: PeerState
    view: str
    tier: str
    limited_by: Literal["bandwidth", "choice"] | None
    audio: AudioModel
    video: VideoModel
    screen: bool
    gain_db: float
    pinned: bool
    hand_raised: bool
    loss: float
    rtt_ms: float | None


class InvitationModel(BaseModel):
    """url: by which others join the room."""

    url: str


class SourceModel(BaseModel):
    id: str
    participant: str | None
    kind: SourceKind
    name: str
    live: bool
    muted: bool
    visible: bool


class ViewOptions(Body):
    """order, pinned: source ids; null in order is a hole."""

    layout: LayoutName
    order: list[SourceId | None] = Field(default=[], max_length=256)
    pinned: list[SourceId] = Field(default=[], max_length=49)
    fit: Fit = Fit.CROP
    show_names: StrictBool = True
    background: Colour = "#101418"
    glide_ms: int = Field(default=300, ge=0, le=5000)


class ViewBody(ViewOptions):
    layout: LayoutName = "grid"
    canvas: CanvasModel | None = None


class ViewModel(BaseModel):
    name: str
    layout: str
    order: list[str | None]
    pinned: list[str]
    fit: str
    show_names: bool
    background: str
    glide_ms: int
    canvas: CanvasModel


class RectModel(BaseModel):
    x: int
    y: int
    width: int
    height: int


class TileModel(RectModel):
    source: str
    participant: str | None
    kind: str
    z: int
    target: RectModel


class TilesModel(BaseModel):
    """In canvas pixels, as drawn at `tick`. hidden: ids of sources without a tile."""

    tick: int
    rtp_time: int
    settled: bool
    tiles: list[TileModel]
    hidden: list[str]


class AreaModel(Body):
    """Fractions of the canvas, as text: `2/3`, `0.25`, `1`."""

    left: str
    top: str
    width: str
    height: str


class SlotModel(Body):
    id: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[\w-]+$")]
    area: AreaModel
    role: SlotRole = SlotRole.ANY
    fit: Fit | None = None
    z: int = Field(default=0, ge=-100, le=100)


class LayoutBody(Body):
    slots: list[SlotModel] = Field(min_length=1, max_length=49)


class LayoutModel(BaseModel):
    name: str
    built_in: bool
    aliases: list[str]
    slots: list[SlotModel]


class SessionBody(Body):
    secret: str = Field(min_length=1, max_length=512)
