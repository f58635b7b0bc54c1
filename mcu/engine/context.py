"""What the parts of one room's engine share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mixdown.mcu.engine.config import EngineConfig
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.decoder_pool import DecoderPool
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.meter import CpuMeter, LatencyMeter
from mixdown.mcu.link.messages import FromMixer


@dataclass(frozen=True, slots=True)
class RoomContext:
    """origin: the zero of the room's media clock, monotonic seconds."""

    room: str
    origin: float
    config: EngineConfig
    deliver: Callable[[FromMixer], None]
    crew: Crew
    pool: DecoderPool
    faults: Faults
    cpu: CpuMeter
    video_latency: LatencyMeter = field(default_factory=LatencyMeter)
    audio_latency: LatencyMeter = field(default_factory=LatencyMeter)
