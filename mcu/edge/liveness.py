"""Whether a peer is still there: judged by what was heard of it. Pure; `now` is an argument, seconds.

Heard is what only the peer can have sent: a packet that its SRTP key opens, an authenticated ICE check, an answer to
one of ours. Who only listens says little (a report a second, in Firefox less), so silence is met with checks of our
own (RFC 7675) long before anything follows from it.
"""

from __future__ import annotations

from enum import Enum

PROBE_AFTER = 0.5
"Seconds of silence after which the peer is asked."
PROBE_EVERY = 0.3
"Seconds between two such checks: four go out before silence counts, so that a lost one or two change nothing."
AWAY_AFTER = 1.6
"Seconds of silence after which a participant is shown as disconnected. With a tick and an encode, within 2 s."
GONE_AFTER = 8.0
"Seconds of silence after which the transport is freed: within 10 s with all that hangs on it."
LONGEST_LOOK = 0.25
"Seconds that one look may add to a silence."
BACK_WITHIN = 1.0
"Seconds within which two signs of life must come for one who was away to be back: a straggler is none."


class Vital(Enum):
    LIVE = "live"
    AWAY = "away"
    GONE = "gone"


class Liveness:
    """Of one peer, from its connection at `now` on. Silence is counted from look to look, so that a process that was
    held up itself does not take that for everybody's silence."""

    def __init__(self, now: float) -> None:
        self.away = False
        self.silence = 0.0
        self._last_look = now
        self._last_heard = now
        self._last_probe = float("-inf")
        self._sign = float("-inf")

    def judge(self, heard: float, now: float) -> Vital:
        """heard: when it was heard of last. To be asked every few ms; returns what it is now."""
        looked, self._last_look = self._last_look, now
        fresh = heard > self._last_heard
        if fresh:
            self._last_heard = heard
            self.silence = min(now - heard, LONGEST_LOOK)
        else:
            self.silence += min(now - looked, LONGEST_LOOK)
        if self.silence > GONE_AFTER:
            return Vital.GONE
        if not self.away:
            self.away = self.silence > AWAY_AFTER
            self._sign = float("-inf")
        elif fresh:
            self.away = heard - self._sign > BACK_WITHIN
            self._sign = heard
            self._last_probe = float("-inf")  # ask at once: the answer is the second sign
        return self.vital

    @property
    def vital(self) -> Vital:
        """At the last look, as long as it is not gone."""
        return Vital.AWAY if self.away else Vital.LIVE

    def should_probe(self, now: float) -> bool:
        """Whether to send a check now; True at most every PROBE_EVERY."""
        silent = self.away or self.silence > PROBE_AFTER
        if not silent or now - self._last_probe < PROBE_EVERY:
            return False
        self._last_probe = now
        return True
