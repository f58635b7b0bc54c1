"""What comes out of the video assembler: frames, requests, counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixdown.codecs.encoded import CodecId, packet_value


@packet_value
class AssembledFrame:
    """A whole frame, decodable after those released before it.

    first, last: extended sequence numbers; timestamp: unwrapped, 1/90000 s; data: VP8 frame, or Annex B with parameter
    sets before each IDR; layer_sync: VP8's Y bit, or a key frame.
    """

    first: int
    last: int
    timestamp: int
    codec: CodecId
    data: bytes
    key: bool
    temporal_layer: int = 0
    layer_sync: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after a poll. nack: 16-bit sequence numbers; frames: those that giving up a gap has set free."""

    nack: list[int] = field(default_factory=list)
    pli: bool = False
    frames: list[AssembledFrame] = field(default_factory=list)


@dataclass(slots=True)
class AssemblerCounters:
    """Since the stream began. late: came after their frame was given up or released; lost: packets given up;
    skipped: whole frames dropped for want of a key frame; malformed: frames that were no frames."""

    packets: int = 0
    empty: int = 0
    duplicates: int = 0
    late: int = 0
    lost: int = 0
    frames: int = 0
    key_frames: int = 0
    skipped: int = 0
    malformed: int = 0
    overflows: int = 0
    restarts: int = 0
    nacks: int = 0
    plis: int = 0
