"""How a picture runs, from the times at which it changed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MORE = 0.15


@dataclass(frozen=True, slots=True)
class Run:
    """count: freezes, intervals over max(3 x average, average + 150 ms), as W3C webrtc-stats has it; total: seconds in
    them; longest: of all intervals; span: seconds that were looked at; fps: changes a second."""

    count: int
    total: float
    longest: float
    span: float
    fps: float

    @property
    def a_minute(self) -> float:
        return self.count * 60 / self.span if self.span else float("inf")


def freezes(times: Sequence[float]) -> Run:
    """times: seconds, rising, of each change."""
    if len(times) < 2:
        return Run(1, 0.0, float("inf"), 0.0, 0.0)
    gaps = np.diff(np.asarray(times, dtype=float))
    average, span = float(gaps.mean()), float(times[-1] - times[0])
    long = gaps[gaps > max(3 * average, average + MORE)]
    return Run(len(long), float(long.sum()), float(gaps.max()), span, len(gaps) / span)
