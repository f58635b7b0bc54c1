"""When a stream that needs a key frame asks for one (PLI, RFC 4585). Pure: `now` is an argument, seconds."""

from __future__ import annotations

INTERVAL = 0.5
"Seconds between two requests for the same loss."
AT_START = 0.2
"Seconds. A stream begins with a key frame as a rule: time for it to arrive."
SPACING = 0.1
"Seconds between two requests, whatever they are for."


class KeyRequest:
    """Of one stream; asked only while a key frame is wanted."""

    def __init__(self) -> None:
        self._due = 0.0
        self._last = float("-inf")

    def begin(self, now: float) -> None:
        """The stream began, or began anew."""
        self._due = max(now + AT_START, self._last + SPACING)

    def soon(self) -> None:
        """Nothing but a key frame helps."""
        self._due = self._last + SPACING

    def patiently(self) -> None:
        """A key frame would help, a repair would do."""
        self._due = self._last + INTERVAL

    def take(self, now: float) -> bool:
        """Whether to ask now; the next one is due later then."""
        if now < self._due:
            return False
        self._last = now
        self._due = now + INTERVAL
        return True
