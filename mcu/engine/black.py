"""Cameras that are off but send: a browser's `track.enabled = false` makes uniform black frames."""

from __future__ import annotations

from mixdown.mixer.media import I420Frame, Plane

CHECK_INTERVAL = 0.3
"Seconds between looks at a picture."
BLACK_LUMA = 24
"Nothing brighter than this (limited range: black is 16, coding noise included) ..."
FLAT = 6
"... and nothing in the picture differing more than this."
CHROMA_OFF = 6
"How far the colour may be from grey (128)."


class BlackWatch:
    """Since when a picture has been uniform black. `now`: monotonic seconds."""

    def __init__(self) -> None:
        self._checked = float("-inf")
        self._since: float | None = None

    def look(self, frame: I420Frame, now: float) -> None:
        """A few times a second, at 64 points."""
        if now - self._checked < CHECK_INTERVAL:
            return
        self._checked = now
        if not is_black(frame):
            self._since = None
        elif self._since is None:
            self._since = now

    def black_for(self, now: float) -> float:
        """Seconds."""
        return 0.0 if self._since is None else now - self._since


def is_black(frame: I420Frame) -> bool:
    luma = _points(frame.y)
    darkest, brightest = int(luma.min()), int(luma.max())
    if brightest > BLACK_LUMA or brightest - darkest > FLAT:
        return False
    return all(int(abs(_points(plane).astype(int) - 128).max()) <= CHROMA_OFF for plane in (frame.u, frame.v))


def _points(plane: Plane) -> Plane:
    """About 8 by 8 points, off the edges, where encoders leave borders."""
    height, width = plane.shape
    return plane[height // 16 :: max(1, height // 8), width // 16 :: max(1, width // 8)]
