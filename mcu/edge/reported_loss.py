"""A peer's losses by its receiver reports (RFC 3550, 6.4.1), over a stretch that is long enough to mean something.

A report's own fraction is of what came since the report before. A browser that sends one along with each NACK tells of
a few packets then, of which one was lost: that would be a tenth and more on a line that loses a fiftieth. Pure.
"""

from __future__ import annotations

SPAN, LONGEST = 0.9, 3.0
"Seconds that a stretch has at least; and after which it ends however little was sent."
ENOUGH = 20
"Packets that a stretch has at least, if it is not the longest."


class ReportedLoss:
    """Of one stream."""

    def __init__(self) -> None:
        self._since: tuple[float, int, int] | None = None

    def take(self, lost: int, highest: int, now: float) -> float | None:
        """lost, highest: as reported, counted from the stream's beginning. 0..1 of what was sent since the last stretch
        ended, None until this one has."""
        if self._since is None or not self._since[2] <= highest < self._since[2] + (1 << 31):
            self._since = (now, lost, highest)
            return None
        began, lost_before, highest_before = self._since
        sent, elapsed = highest - highest_before, now - began
        if elapsed < SPAN or (sent < ENOUGH and elapsed < LONGEST):
            return None
        self._since = (now, lost, highest)
        return min(1.0, max(0, lost - lost_before) / sent) if sent else 0.0
