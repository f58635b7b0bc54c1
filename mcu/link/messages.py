"""Control messages of the link. Encoded frames cross beside them; nothing else does.

Towards the mixer: the room document (whole, whenever it changes), sources, subscribers, feedback, requests.
From the mixer: routes, key-frame requests for sources, what the room sees and hears, replies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, TierName
from mixdown.mixer.layout import LayoutSpec


class SourceKind(StrEnum):
    """As in `GET /v1/rooms/{room}/sources`."""

    CAMERA = "camera"
    SCREEN = "screen"
    MICROPHONE = "microphone"
    SCREEN_AUDIO = "screen-audio"
    FEED = "feed"

    def __init__(self, name: str) -> None:
        # An attribute, not a property: it is asked for with each frame.
        self.media = MediaKind.AUDIO if name in ("microphone", "screen-audio") else MediaKind.VIDEO


# ---- the room document -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Canvas:
    """A view's picture. width, height: even, 160..1920 pixels; fps: 5..60."""

    width: int = 1280
    height: int = 720
    fps: int = 30


@dataclass(frozen=True, slots=True)
class ViewDocument:
    """A named picture of a room. order and pinned hold source ids; None in order is a hole."""

    name: str
    layout: LayoutSpec
    canvas: Canvas = Canvas()
    order: tuple[str | None, ...] = ()
    pinned: tuple[str, ...] = ()
    fit: str = "crop"
    show_names: bool = True
    background: str = "#101418"
    glide_ms: int = 0


@dataclass(frozen=True, slots=True)
class ParticipantDocument:
    """What the mixer must know of a participant. A viewer has neither tile nor voice."""

    id: str
    name: str
    viewer: bool = False
    connected: bool = True
    audio_muted: bool = False
    video_muted: bool = False
    gain_db: float = 0.0
    pinned: bool = False
    hand_raised: bool = False


@dataclass(frozen=True, slots=True)
class RoomDocument:
    """All of a room that outlives its mixer. Sent whole at each change; participants in the order of their seats."""

    id: str
    revision: int
    views: tuple[ViewDocument, ...]
    participants: tuple[ParticipantDocument, ...] = ()


# ---- towards the mixer -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CloseRoom:
    room: str


@dataclass(frozen=True, slots=True)
class SourceOpened:
    """From now on frames of `source` may come. The same source with a higher epoch: its transport was replaced."""

    room: str
    source: str
    participant: str
    kind: SourceKind
    epoch: int


@dataclass(frozen=True, slots=True)
class SourceClosed:
    """Ignored unless `epoch` is the source's current one."""

    room: str
    source: str
    epoch: int


@dataclass(frozen=True, slots=True)
class SourceFrame:
    room: str
    frame: EncodedFrame


@dataclass(frozen=True, slots=True)
class SenderReport:
    """An RTCP SR of a source (RFC 3550, 6.4.1). ntp: 64 bit; rtp_time: unwrapped like the frames'."""

    room: str
    source: str
    ntp: int
    rtp_time: int
    cname: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A peer wants one medium; the mixer answers with a Route. participant: whose voice is left out of the mix. level:
    the highest H.264 level_idc that it decodes (31 is level 3.1), 0 for any."""

    room: str
    subscriber: str
    participant: str
    kind: MediaKind
    codec: CodecId
    view: str = "main"
    tier: TierName = TierName.FULL
    level: int = 0


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    room: str
    subscriber: str
    kind: MediaKind


@dataclass(frozen=True, slots=True)
class KeyFrameRequest:
    """PLI or FIR from a subscriber, or a subscriber that has just been routed."""

    room: str
    subscriber: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a peer's transport reports of the way to it. remb: bit/s; loss: 0..1; rtt: seconds."""

    room: str
    subscriber: str
    remb: int | None
    loss: float
    rtt: float | None


class RequestKind(StrEnum):
    STATS = "stats"
    TILES = "tiles"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Request:
    """Asks the mixer; answered by one Reply of the same id. width: of a snapshot, pixels, 0 for the canvas's."""

    id: int
    kind: RequestKind
    room: str
    view: str = "main"
    width: int = 0


ToMixer = (
    RoomDocument
    | CloseRoom
    | SourceOpened
    | SourceClosed
    | SourceFrame
    | SenderReport
    | Subscribe
    | Unsubscribe
    | KeyFrameRequest
    | Feedback
    | Request
)


# ---- from the mixer ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Route:
    """`subscriber` is fed by `stream` from now on. Video starts (or switches) at that stream's next key frame; audio
    with the stream's next packet, and the last Route before a tick's packets is the one that holds for that tick.
    kbps: of the view's picture at FULL, MEDIUM and LOW; empty for sound."""

    subscriber: str
    kind: MediaKind
    stream: str
    kbps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """No frame of a rendition or mix will come any more."""

    stream: str


@dataclass(frozen=True, slots=True)
class SourceKeyFrameWanted:
    """The decoder of a source needs a key frame: the edge sends a PLI to its peer."""

    source: str


@dataclass(frozen=True, slots=True)
class SourceWanted:
    """The largest tile that a source has now: height in canvas pixels, 0 if nobody sees it."""

    source: str
    height: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """A participant began or stopped to be heard."""

    room: str
    participant: str
    speaking: bool


@dataclass(frozen=True, slots=True)
class ActiveSpeaker:
    room: str
    participant: str | None


@dataclass(frozen=True, slots=True)
class LayoutChanged:
    """`tiles`: the body of `GET .../views/{view}/tiles`, as drawn from that tick on."""

    room: str
    view: str
    tiles: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """To a Request. value: the JSON body, or JPEG bytes for a snapshot; None with the reason in `error`."""

    id: int
    value: Any
    error: str | None = None


FromMixer = (
    EncodedFrame
    | Route
    | StreamEnded
    | SourceKeyFrameWanted
    | SourceWanted
    | Speaking
    | ActiveSpeaker
    | LayoutChanged
    | Reply
)
ToEdge = EncodedFrame | Route | StreamEnded | SourceKeyFrameWanted | SourceWanted


class MixerPort(Protocol):
    """The way towards the mixer. `send` never blocks and may be called from any thread."""

    def send(self, message: ToMixer) -> None: ...


@dataclass(slots=True)
class FromMixerHandlers:
    """Who takes what comes from the mixer; called on the event loop, in order."""

    edge: Callable[[ToEdge], None]
    rooms: Callable[[Speaking | ActiveSpeaker | LayoutChanged | Reply], None]
    dropped: dict[str, int] = field(default_factory=dict)
