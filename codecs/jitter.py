"""The jitter buffer of one audio source: packets as they come in, packets in order and in time out.

Media time moves on only with what is played or concealed as lost. When nothing is there the buffer says EMPTY, which
stands for 20 ms that its user fills as he likes; a packet that comes after all is still played, later by that much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mixdown.codecs.encoded import EncodedFrame
from mixdown.codecs.playout import MIN_TARGET, PlayoutDelay

JUMP_SECONDS = 1.0
"A packet that is this far from where it should be in time begins a new time line."
JUMP_PACKETS = 1000
"So does one this far in sequence."
PAUSE_SECONDS = 0.2
"After that long without anything to play, packets that go on in media time as if nothing had been begin one too."
MAX_PACKETS = 120
"Bound of the buffer in packets. When it is full, the oldest is dropped."
MAX_SPAN_SECONDS = 0.8
"Bound of the buffer in media time. Over it, the oldest is dropped."
LATE_SECONDS = 0.1
"After a time with nothing to play, what is later than this is dropped while there is something after it."
EMPTY_SECONDS = 0.020


class Gap(Enum):
    """Nothing to play: silence of the sender (DTX), or his packet is not here yet."""

    EMPTY = "empty"


EMPTY = Gap.EMPTY


@dataclass(frozen=True, slots=True)
class Lost:
    """A packet is missing and its time has come. duration: RTP clock units to conceal. following: the packet right
    after what is missing, if it is here; its in-band FEC may hold a copy."""

    duration: int
    following: bytes | None


@dataclass(slots=True)
class JitterCounters:
    """Packets. lost: made up for, from FEC or by concealment. dropped: not played because the buffer was too full.
    redundant: copies of lost ones, out of later packets; they count as received, too."""

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    stale: int = 0
    dropped: int = 0
    anchors: int = 0
    redundant: int = 0


class JitterBuffer:
    """Pure and not thread-safe. clock_rate: Hz of the RTP time. span: RTP clock units in a packet, over 0."""

    def __init__(self, clock_rate: int, span: Callable[[bytes], int]) -> None:
        self._rate = clock_rate
        self._span = span
        self._frames: dict[int, EncodedFrame] = {}
        self._delay = PlayoutDelay()
        self._epoch = 0
        self._sequence: int | None = None
        "Of the last packet played or given up; None: nothing was played on this time line."
        self._time = 0
        "RTP time of the next sample to be played."
        self.duration = 0
        "RTP clock units in the last packet played."
        self._empty = 0
        "RTP clock units of EMPTY since the last packet."
        self._resumed = False
        self._latest = (-1, 0.0)
        "Sequence and transit of the newest packet."
        self.repair = 0.0
        "Seconds by which everything is played later, so that the packet after a lost one is there to repair it."
        self.hold = 0.0
        "Seconds by which everything is played later than jitter asks for, to be in time with a picture."
        self.counters = JitterCounters()

    @property
    def target(self) -> float:
        """The playout delay that jitter asks for, seconds over the fastest way, 0.020 or more."""
        return self._delay.target

    @property
    def asked(self) -> float:
        """The playout delay that jitter and repair ask for, seconds over the fastest way."""
        asked = self._delay.needed + self.repair
        return asked if asked > MIN_TARGET else MIN_TARGET

    def __len__(self) -> int:
        """Packets waiting."""
        return len(self._frames)

    def push(self, frame: EncodedFrame, now: float) -> None:
        """A packet came at `now`, seconds on the clock that `pull` is called with."""
        self.counters.received += 1
        if frame.epoch < self._epoch:
            self.counters.stale += 1
            return
        transit = now - frame.rtp_time / self._rate
        if self._breaks(frame, transit):
            self._anchor(frame.epoch)
        if not self._frames and self._resumes(frame):
            self._resumed = True
        if frame.redundant:
            self.counters.redundant += 1
        elif frame.sequence > self._latest[0]:
            self._latest = (frame.sequence, transit)
        if frame.sequence in self._frames:
            self.counters.duplicate += 1
            return
        if not self._resumed and not frame.redundant:  # a copy is late by nature, not by the network's
            self._delay.learn(transit, now)
        if self._sequence is not None and frame.sequence <= self._sequence:
            self.counters.late += 1  # already played, or something was played in its place
        else:
            self._frames[frame.sequence] = frame
            self._bound()

    def pull(self, now: float) -> EncodedFrame | Lost | Gap:
        """What to play next. To be called whenever there is not enough decoded sound for the tick at `now`."""
        if not self._frames:
            return self._nothing()
        if self._resumed:
            self._resumed = False
            if self._latest[1] - self._delay.base > PAUSE_SECONDS:  # no packet behind it has caught up: a pause
                self._new_line()
                self._delay.restart(self._latest[1])
        if self._sequence is None:
            head = self._first
            return self._play(head, now) if now >= self._due(head) else self._nothing()
        following = self._frames.get(self._sequence + 1)
        if following is not None:
            waits = following.rtp_time > self._time and now < self._due(following)
            return self._nothing() if waits else self._play(following, now)
        head = self._first
        return self._missing(head) or self._play(head, now)

    def slack(self, now: float) -> float:
        """How many seconds ago the next sample was due; under 0, how many are left until it is."""
        if self._sequence is None or not self._delay.known:
            return 0.0
        return now - self._time / self._rate - self._delay.base - self.asked - self.hold

    @property
    def next_is_here(self) -> bool:
        """Whether `pull` would give the packet that follows the last one."""
        if self._sequence is None or not self._frames:
            return False
        head = self._frames.get(self._sequence + 1)
        return head is not None and head.rtp_time <= self._time

    @property
    def position(self) -> float | None:
        """Media time of the next sample, seconds; None before the first."""
        return None if self._sequence is None else self._time / self._rate

    @property
    def base(self) -> float | None:
        """The fastest transit lately, arrival less media time in seconds; None before the first packet."""
        return self._delay.base if self._delay.known else None

    # ---- time lines ----------------------------------------------------------------------------------------------

    def _breaks(self, frame: EncodedFrame, transit: float) -> bool:
        if frame.epoch > self._epoch:
            return True
        if not self._delay.known:
            return False
        if abs(transit - self._delay.base) > JUMP_SECONDS:
            return True
        return self._sequence is not None and abs(frame.sequence - self._sequence) > JUMP_PACKETS

    def _resumes(self, frame: EncodedFrame) -> bool:
        """After a while without anything to play, the very next packet, asked while none waits: its sender paused and
        his clock with him, or the network held it up. What comes with it tells (see `pull`)."""
        if self._sequence is None or self._empty <= PAUSE_SECONDS * self._rate:
            return False
        return frame.sequence == self._sequence + 1 and frame.rtp_time <= self._time

    def _anchor(self, epoch: int) -> None:
        self._new_line()
        self.counters.dropped += len(self._frames)
        self._frames.clear()
        self._delay.restart()
        self._epoch = epoch
        self._latest = (-1, 0.0)

    def _new_line(self) -> None:
        self.counters.anchors += 1
        self._sequence = None
        self._empty = 0
        self._resumed = False

    def _due(self, frame: EncodedFrame) -> float:
        return self._delay.base + frame.rtp_time / self._rate + self.asked + self.hold

    @property
    def _first(self) -> EncodedFrame:
        """Of what waits."""
        return self._frames[min(self._frames)]

    # ---- what to play --------------------------------------------------------------------------------------------

    def _nothing(self) -> Gap:
        self._empty += round(EMPTY_SECONDS * self._rate)
        return EMPTY

    def _play(self, head: EncodedFrame, now: float) -> EncodedFrame:
        if self._empty or self._sequence is None:
            while len(self._frames) > 1 and now - self._due(head) > LATE_SECONDS:
                del self._frames[head.sequence]
                self.counters.dropped += 1
                head = self._first
        del self._frames[head.sequence]
        self._sequence = head.sequence
        self.duration = self._span(head.data)
        self._time = head.rtp_time + self.duration
        self._empty = 0
        return head

    def _missing(self, head: EncodedFrame) -> Lost | None:
        """The next stretch to conceal before `head`; None if what was missing is made up for."""
        assert self._sequence is not None
        filled = min(self._empty, max(0, head.rtp_time - self._time))
        self._time += filled
        self._empty = 0
        gap = head.rtp_time - self._time
        packets = head.sequence - self._sequence - 1
        if packets == 0:
            return None
        if gap <= 0:
            self.counters.lost += packets
            return None
        self.counters.lost += 1
        # Packets as long as the last one, until the last of the missing: it takes what is left up to its own length.
        duration = min(gap, self.duration)
        self._time += duration
        self._sequence += 1
        return Lost(duration, head.data if duration == gap else None)

    def _bound(self) -> None:
        """What is dropped is passed over: concealed, it would take the time in which the buffer could get emptier, and
        a full one would stay full and lose every packet."""
        frames, span = self._frames, MAX_SPAN_SECONDS * self._rate
        while len(frames) > 1:
            first = min(frames)
            if len(frames) <= MAX_PACKETS and frames[max(frames)].rtp_time - frames[first].rtp_time <= span:
                return
            dropped = frames.pop(first)
            self.counters.dropped += 1
            if self._sequence is not None and first > self._sequence:
                self._sequence = first
                self._time = dropped.rtp_time + self._span(dropped.data)
