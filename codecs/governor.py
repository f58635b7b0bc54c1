"""When an encoder is made to give a key frame. A key frame costs every watcher quality, so requests are merged."""

from __future__ import annotations

from collections import deque

LONG_WINDOWS, LONG_PATIENCE = 6, 2
"In six windows a subscriber is granted twice as many key frames as in one."


class Governor:
    """One per encoder. Forces at most one key frame in `interval` seconds, and for one subscriber at most `patience` in
    `window` seconds: who asks more often waits for the next one that comes for another reason.

    Requests of the same subscriber for the same key frame count once, also those that cross it on its way; only what
    was granted counts against it, so that a peer that is really stuck is helped in the end.
    """

    def __init__(self, interval: float = 0.5, patience: int = 3, window: float = 10.0) -> None:
        self._interval = interval
        self._patience = patience
        self._window = window
        self._last: float | None = None
        self._pending: set[str] = set()
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
        granted = self._granted.setdefault(subscriber, deque(maxlen=LONG_PATIENCE * self._patience))
        self._expire(granted, now)
        lately = sum(now - at < self._window for at in granted)
        if lately >= self._patience or len(granted) >= LONG_PATIENCE * self._patience:
            self.deferred += 1
            return
        granted.append(now)
        self.merged += bool(self._pending)
        self._pending.add(subscriber)

    def take(self, now: float) -> bool:
        """Asked before each frame: True means this one is to be a key frame, and counts as made."""
        if not self._pending or self._just_made(now):
            return False
        self.made(now)
        self.forced += 1
        return True

    def made(self, now: float) -> None:
        """The encoder gave a key frame (also by itself, as its first is): whoever waits is served."""
        served = frozenset(self._pending)
        self._served = served | self._served if self._just_made(now) else served  # told when forced, and when encoded
        self._last = now
        self._pending.clear()
        for subscriber in [name for name, granted in self._granted.items() if self._expire(granted, now)]:
            del self._granted[subscriber]

    def forget(self, subscriber: str) -> None:
        """The subscriber left."""
        self._pending.discard(subscriber)
        self._served -= {subscriber}
        self._granted.pop(subscriber, None)

    def _just_made(self, now: float) -> bool:
        return self._last is not None and now - self._last < self._interval

    def _expire(self, granted: deque[float], now: float) -> bool:
        """Drops what is older than the window; whether nothing is left."""
        while granted and now - granted[0] >= LONG_WINDOWS * self._window:
            granted.popleft()
        return not granted
