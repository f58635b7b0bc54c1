"""When an encoder is made to give a key frame. A key frame costs every watcher quality, so requests are merged."""

from __future__ import annotations

from collections import deque

WINDOW = 30.0
"Seconds for which what a subscriber was granted counts against it."
PAUSE, PAUSE_MOST = 1.0, 4.0
"""Seconds after the last one that served it that an impatient subscriber waits; doubled with each more that it was
granted, up to the most. So several such share their key frames."""


class Governor:
    """One per encoder. Forces at most one key frame in `interval` seconds. A subscriber that was granted `patience` of
    them lately waits longer and longer for a further one, but never longer than PAUSE_MOST: it may be really stuck, and
    asks seldom. What others ask for meanwhile serves it too.

    Requests of the same subscriber for the same key frame count once, also those that cross it on its way; only what
    was granted counts against it.
    """

    def __init__(self, interval: float = 0.5, patience: int = 3) -> None:
        self._interval = interval
        self._patience = patience
        self._last: float | None = None
        self._pending: dict[str, float] = {}
        "Who waits, and from when on it may have one."
        self._served: frozenset[str] = frozenset()
        "Who had asked for the last key frame."
        self._granted: dict[str, deque[float]] = {}
        self.requests = 0
        self.merged = 0
        self.deferred = 0
        self.forced = 0

    def request(self, subscriber: str, now: float) -> None:
        """A PLI or FIR, or a subscriber's first need. now: monotonic seconds."""
        self.requests += 1
        if subscriber in self._pending or (subscriber in self._served and self._just_made(now)):
            self.merged += 1
            return
        granted = self._granted.setdefault(subscriber, deque())
        self._expire(granted, now)
        self.merged += bool(self._pending)
        due = now
        if len(granted) >= self._patience:
            due = max(now, granted[-1] + min(PAUSE_MOST, PAUSE * 2 ** (len(granted) - self._patience)))
            self.deferred += due > now
        granted.append(due)
        self._pending[subscriber] = due

    def take(self, now: float) -> bool:
        """Asked before each frame: True means this one is to be a key frame, and counts as made."""
        if not self._pending or self._just_made(now) or min(self._pending.values()) > now:
            return False
        self.made(now)
        self.forced += 1
        return True

    def made(self, now: float) -> None:
        """The encoder gave a key frame (also by itself, as its first is): whoever waits is served."""
        served = frozenset(self._pending)
        self._served = served | self._served if self._just_made(now) else served  # told when forced, and when encoded
        self._last = now
        for subscriber, due in self._pending.items():
            if due > now:  # another's: not its own grant
                granted = self._granted[subscriber]
                granted.pop()
                granted[-1] = now
        self._pending.clear()
        for subscriber in [name for name, granted in self._granted.items() if self._expire(granted, now)]:
            del self._granted[subscriber]

    def forget(self, subscriber: str) -> None:
        """The subscriber left."""
        self._pending.pop(subscriber, None)
        self._served -= {subscriber}
        self._granted.pop(subscriber, None)

    def _just_made(self, now: float) -> bool:
        return self._last is not None and now - self._last < self._interval

    def _expire(self, granted: deque[float], now: float) -> bool:
        """Drops what is older than the window; whether nothing is left."""
        while granted and now - granted[0] >= WINDOW:
            granted.popleft()
        return not granted
