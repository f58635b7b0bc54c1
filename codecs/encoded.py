"""The encoded frame: one video frame or one audio packet, the one kind of media that crosses between processes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def packet_value(cls: type[T]) -> type[T]:
    """A slotted dataclass that is frozen for type checkers only: making one takes a quarter of the time, which counts
    where one is made for each packet. Nobody changes one."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


class MediaKind(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


class CodecId(StrEnum):
    """Names as in SDP rtpmap lines (RFC 8866). clock_rate: of RTP, Hz; G.722 counts 8000 although it samples at 16000
    (RFC 3551, 4.5.2)."""

    VP8 = "VP8"
    H264 = "H264"
    OPUS = "opus"
    G722 = "G722"
    PCMU = "PCMU"
    PCMA = "PCMA"

    def __init__(self, name: str) -> None:
        # Attributes, not properties: they are asked for with each frame.
        self.kind = MediaKind.VIDEO if name in ("VP8", "H264") else MediaKind.AUDIO
        self.clock_rate = 90_000 if self.kind is MediaKind.VIDEO else 48_000 if name == "opus" else 8_000


@packet_value
class EncodedFrame:
    """One video frame (VP8: the bare frame, RFC 7741; H.264: Annex B with start codes) or one audio packet.

    stream: source id on the way in, rendition or mix id on the way out.
    epoch: counts restarts of the stream (a new transport, a new encoder); times and sequences start anew with it.
    sequence, last_sequence: extended (unwrapped) RTP sequence numbers of its first and last packet; on the way out
      the frame's running number.
    rtp_time: unwrapped, in units of the codec's RTP clock; on the way out counted from the room's start.
    duration: RTP clock units, 0 if unknown.
    level: 0..127, -dBov (RFC 6464), None if unknown.
    arrival: seconds on the edge's monotonic clock when the last packet came; on the way out when the tick began.
    protected: on the way out, of a mix for listeners who lose packets: with in-band FEC, and sent with copies to those
      who take them (RFC 2198).
    redundant: a copy of a lost audio packet, out of a later one (RFC 2198); so its arrival says nothing of its way.
    """

    stream: str
    epoch: int
    codec: CodecId
    sequence: int
    last_sequence: int
    rtp_time: int
    data: bytes
    marker: bool = True
    duration: int = 0
    key: bool = False
    temporal_layer: int = 0
    layer_sync: bool = False
    level: int | None = None
    arrival: float = 0.0
    redundant: bool = False
    protected: bool = False


class TierName(Enum):
    """Steps of a view's quality, best first."""

    FULL = "full"
    MEDIUM = "medium"
    LOW = "low"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Tier:
    """What a rendition of a view is encoded at. kbps: video bit rate, sound and overhead not included."""

    name: TierName
    width: int
    height: int
    fps: int
    kbps: int
