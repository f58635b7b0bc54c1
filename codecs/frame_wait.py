"""Encoded video that waits before its decoder, so that its picture is not shown before its sound is heard."""

from __future__ import annotations

from collections import deque

from mixdown.codecs.encoded import EncodedFrame

CAPACITY = 10
"Frames that wait at most. Over it the oldest goes to the decoder, early: nothing is dropped here."
LEAD = 0.033
"Seconds, about a tick: what is due at the next tick goes to its decoder before it, at this one or as it comes."
SMOOTHING = 0.05
JUMP = 1.0
"Seconds of transit that begin a new time line."


class FrameWait:
    """Pure; not thread-safe. wait: seconds."""

    def __init__(self) -> None:
        self.wait = 0.0
        self.soonest: float | None = None
        "The fastest transit (arrival less media time) lately; None before the first frame."
        self.usual: float | None = None
        "What it is on average: a frame's due time is reckoned from it."
        self._frames: deque[EncodedFrame] = deque()
        self._next_tick = float("-inf")

    def __len__(self) -> int:
        return len(self._frames)

    def push(self, frame: EncodedFrame, now: float) -> list[EncodedFrame]:
        """What goes to the decoder now: this frame, unless it has to wait for a tick after the next; or one that made
        room for it. Held back until the next tick, it would only be shown by the one behind that."""
        self._learn(now - frame.rtp_time / frame.codec.clock_rate)
        self._frames.append(frame)
        return self._ready(max(now, self._next_tick))

    def ticked(self, now: float) -> None:
        """A tick is at `now`: to be called at each."""
        self._next_tick = now + LEAD

    def due(self) -> list[EncodedFrame]:
        """The frames that the next tick is to show, in order."""
        return self._ready(self._next_tick)

    def _ready(self, until: float) -> list[EncodedFrame]:
        ready = []
        while self._frames and (len(self._frames) > CAPACITY or self.due_at(self._frames[0]) <= until):
            ready.append(self._frames.popleft())
        return ready

    def clear(self) -> int:
        """Forget all; returns how many waited."""
        count = len(self._frames)
        self._frames.clear()
        return count

    def due_at(self, frame: EncodedFrame) -> float:
        """When its picture may be shown at the soonest, if pictures have to wait; else -inf."""
        if self.wait == 0.0 or self.usual is None:
            return float("-inf")
        return frame.rtp_time / frame.codec.clock_rate + self.usual + self.wait

    def _learn(self, transit: float) -> None:
        if self.usual is None or self.soonest is None or abs(transit - self.usual) > JUMP:
            self.usual = self.soonest = transit
            return
        self.usual += SMOOTHING * (transit - self.usual)
        # Rises slowly, so that it follows a drifting clock: 1 ms a second at 30 frames.
        self.soonest = min(transit, self.soonest + 3e-5)
