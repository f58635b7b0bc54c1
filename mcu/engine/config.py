"""What of the engine can be set."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def default_decoder_threads() -> int:
    """As many as there are processors, at least 2 so that one slow picture does not stop all, at most 4."""
    return min(4, max(2, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """decoder_threads: 1..; opus_bitrate: bit/s of a mix; opus_complexity: 0..10; opus_dtx: whether a silent mix is
    not sent; noise_suppression: 0..4, of telephone legs, 0 for none; the rest: seconds."""

    decoder_threads: int = field(default_factory=default_decoder_threads)
    decoder_idle: float = 2.0
    "A decoder thread without work ends after this long."
    picture_timeout: float = 2.0
    "A camera without frames for this long, or black for this long, is shown as its card."
    close_deadline: float = 3.0
    opus_bitrate: int = 48_000
    opus_complexity: int = 5
    opus_dtx: bool = False
    noise_suppression: int = 0
