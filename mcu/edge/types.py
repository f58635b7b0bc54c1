"""What the edge is asked and what it tells: the values at its border with rooms."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mixdown.codecs.encoded import CodecId, Tier, TierName
from mixdown.codecs.h264 import level_of
from mixdown.mcu.link.messages import Canvas, SourceKind


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """media_address: local address of the media sockets, None for all; announced_address: what candidates name
    instead of it (1:1 NAT); port_range: UDP ports, inclusive, None for any; ice_servers: STUN and TURN for the
    server's own gathering; loopback: take part in calls from this machine's own 127.0.0.1, for callers that are on it;
    kernel_filter: have the kernel drop what strangers send."""

    media_address: str | None = None
    announced_address: str | None = None
    port_range: tuple[int, int] | None = None
    ice_servers: tuple[IceServer, ...] = ()
    loopback: bool = True
    kernel_filter: bool = True
    join_deadline: float = 15.0
    "Seconds within which ICE and DTLS must be through."
    max_half_open: int = 64
    "Joins under way at once, over all addresses."
    max_half_open_per_caller: int = 16
    "Of one caller's address (IPv6: its /64), unless it is this machine's or unknown."
    opus_red: bool = True
    "Whether peers that can send each Opus packet twice (RFC 2198) are asked to."


@dataclass(frozen=True, slots=True)
class IceServer:
    """url: stun:host:port, turn:host:port?transport=udp (RFC 7064, RFC 7065). secret: shared with a TURN server, which
    takes logins that are made from it for `lifetime` seconds (see turn.py); else username and credential stay."""

    url: str
    username: str | None = None
    credential: str | None = None
    secret: str | None = None
    lifetime: int = 86_400


class PeerState(StrEnum):
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """tracks: mid -> what it carries; empty: guessed as API.md says. viewer: its media is not taken.
    epoch: counts this participant's transports, so that what an old one still says can be told apart.
    caller: address that the offer came from, '' if it is not known (behind a proxy). canvas: of the view, None: any."""

    room: str
    participant: str
    sdp: str
    epoch: int = 0
    view: str = "main"
    tier: TierName = TierName.FULL
    viewer: bool = False
    tracks: dict[str, SourceKind] = field(default_factory=dict)
    caller: str = "127.0.0.1"
    canvas: Canvas | None = None

    @property
    def level(self) -> int:
        """H.264 level_idc that the whole of that canvas needs, 0 if it is not known."""
        if self.canvas is None:
            return 0
        return level_of(Tier(TierName.FULL, self.canvas.width, self.canvas.height, self.canvas.fps, 0))


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """sdp: the answer. audio, video: what the peer is sent in, None where it takes none. sources: what it may send."""

    sdp: str
    audio: CodecId | None
    video: CodecId | None
    sources: tuple[SourceKind, ...]


@dataclass(frozen=True, slots=True)
class PeerReport:
    """A peer's transport as it is now. loss: 0..1 of what is sent to it, as it reports; rtt_ms, remb_bps: None until
    reported; limited_by: "bandwidth" or "choice", why it gets no better picture, None if it gets the best;
    level_dbov: 0 loudest .. 127 silent, of its microphone; video_*: of its camera, 0 until a key frame."""

    state: PeerState
    audio: CodecId | None
    video: CodecId | None
    tier: TierName
    loss: float
    rtt_ms: float | None
    remb_bps: int | None
    level_dbov: int
    packets_sent: int
    bytes_sent: int
    packets_received: int
    bytes_received: int
    limited_by: str | None = None


@dataclass(frozen=True, slots=True)
class PeerTierChanged:
    """Told to the rooms: a peer is sent another step of its picture. limited_by: as in PeerReport."""

    room: str
    participant: str
    epoch: int
    tier: TierName
    limited_by: str | None


@dataclass(frozen=True, slots=True)
class PeerStateChanged:
    """Told to the rooms. A peer that is DISCONNECTED was silent for too long and may be CONNECTED again, or has been
    closed: then the edge has no report of it any more. `epoch` as in its JoinRequest."""

    room: str
    participant: str
    epoch: int
    state: PeerState
