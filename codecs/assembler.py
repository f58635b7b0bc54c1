"""Video packets to frames: out of order, doubled and lost ones in; whole, decodable frames in order out.

Pure: `now` is an argument. Frames leave on their marker bit, so a frame costs no delay beyond its last packet. A gap
is asked for (`NackList`); after max(2 round trips, 150 ms) a key frame is asked for instead, and what comes first heals
the picture: the late repair, or the key frame, to which everything before it is skipped. After RESCUE more the gap is
closed for good. Decodable means: no sequence number is missing since the last key frame.
"""

from __future__ import annotations

from mixdown.codecs.assembled import AssembledFrame, AssemblerCounters, Decision
from mixdown.codecs.depacketise import BareFrame, Depacketiser, starts_key
from mixdown.codecs.encoded import CodecId, packet_value
from mixdown.codecs.key_request import KeyRequest
from mixdown.codecs.nack import NackList

MAX_PACKETS = 1024
"Held at once, and the widest span of sequence numbers. Over it, all is dropped up to the next key frame."
MAX_BYTES = 4 << 20
"Held at once; the same policy."
REORDER_AT_START = 64
"Packets that may precede the first one that came."
GIVE_UP_AFTER = 0.15
TAIL_AFTER = 0.012
"""Seconds without a packet in the middle of a frame after which the next one is asked for, on a line that is lossy: or
else the loss of a frame's last packet is found with the next frame only. One that was not sent yet cannot be repeated,
and the request is ignored."""
LOSSY_FOR = 2.0
"Seconds since the last gap for which a line counts as lossy."
LOOK_EVERY = 0.006
"Seconds between two polls that a lossy line wants."
RESCUE = 0.35
"Seconds for which a repair may still come before the key frame that was asked for in its stead."


@packet_value
class _Packet:
    codec: CodecId
    timestamp: int
    marker: bool
    payload: bytes


class VideoAssembler:
    """One per stream (SSRC). Between pushes call `poll` every 10 ms or so."""

    def __init__(self) -> None:
        self.counters = AssemblerCounters()
        self._packets: dict[int, _Packet] = {}
        self._bytes = 0
        self._missing = NackList()
        self._depacketiser = Depacketiser()
        self._next: int | None = None
        self._scanned = 0
        self._highest = 0
        self._boundary = False
        self._started = False
        self._waiting = True
        self._rescue = False
        self._codec: CodecId | None = None
        self._key_starts: list[int] = []
        self._last_new = self._last_gap = float("-inf")
        self._request = KeyRequest()
        self._stray: int | None = None

    @property
    def waiting_for_key(self) -> bool:
        return self._waiting

    @property
    def _wants_key(self) -> bool:
        """Whether a key frame would help: nothing else would, or it may be here before a repair is."""
        return self._waiting or self._rescue

    @property
    def held(self) -> tuple[int, int]:
        """Packets and bytes in memory."""
        return len(self._packets), self._bytes

    def push(
        self,
        codec: CodecId,
        sequence: int,
        timestamp: int,
        marker: bool,
        payload: bytes,
        now: float,
        *,
        repair: bool = False,
    ) -> list[AssembledFrame]:
        """One packet. sequence, timestamp: unwrapped; payload: without padding, empty for a probe; repair: it came by
        the repair stream. The frames that are now complete, in order. Never raises for what a packet holds."""
        self.counters.packets += 1
        if self._next is None:
            self._begin(sequence, now)
        if not self._accept(sequence, now):
            return []
        packet = _Packet(codec, timestamp, marker, bytes(payload))
        packets = self._packets
        packets[sequence] = packet
        self._bytes += len(payload)
        newest = sequence > self._highest
        self._track(sequence, now, repair)
        if not payload:
            self.counters.empty += 1
        if len(packets) > MAX_PACKETS or self._bytes > MAX_BYTES:
            self._overflow()
        elif self._waiting or self._rescue:
            if payload and starts_key(codec, packet.payload, self._ended_before(sequence, packet)):
                self._key_starts = sorted({*self._key_starts, sequence})
        elif newest and not marker and payload and self._goes_on(sequence, packet):
            return []
        return self._release()

    def _goes_on(self, sequence: int, packet: _Packet) -> bool:
        """Whether the newest packet, which has no marker, only prolongs the newest frame: that ends no frame."""
        if sequence == self._next:
            return True
        before = self._packets.get(sequence - 1)
        if before is None or not before.payload or before.marker:
            return False
        return before.timestamp == packet.timestamp and before.codec is packet.codec

    def poll(self, now: float, rtt: float) -> Decision:
        """Timers. rtt: seconds, the last measured (a guess of 0.1 will do before that)."""
        if self._next is None:
            return Decision()
        self._probe_tail(now)
        frames = self._close_gaps(now, max(2 * rtt, GIVE_UP_AFTER)) if len(self._missing) else []
        nack = self._missing.due(now, rtt)
        self.counters.nacks += len(nack)
        return Decision(nack, self._pli(now), frames)

    @property
    def gap_found(self) -> bool:
        """Something is missing that `poll` has not asked for yet: to be called at once."""
        return self._missing.fresh

    def next_poll(self, now: float, rtt: float) -> float | None:
        """When there may be a repair to ask for; None on a line without loss. Key frames have time until the usual
        poll."""
        if now - self._last_gap > LOSSY_FOR and not len(self._missing):
            return None
        due = self._missing.next_due(rtt) if len(self._missing) else None
        return now + LOOK_EVERY if due is None else min(due, now + LOOK_EVERY)

    # ---- arrival ---------------------------------------------------------------------------------------------------

    def _begin(self, sequence: int, now: float) -> None:
        self._next = self._scanned = sequence
        self._highest = sequence - 1
        self._boundary = self._started = self._rescue = False
        self._waiting = True
        self._request.begin(now)

    def _accept(self, sequence: int, now: float) -> bool:
        """Whether the packet is new and near; a stream that went on elsewhere is followed at its second packet."""
        assert self._next is not None
        if abs(sequence - self._highest) > MAX_PACKETS:
            follows = self._stray is not None and 0 < sequence - self._stray <= REORDER_AT_START
            self._stray = sequence
            if follows:
                self._restart(sequence, now)
            return follows
        self._stray = None
        if sequence in self._packets:
            self.counters.duplicates += 1
            return False
        if sequence < self._next:
            if self._started or sequence < self._next - REORDER_AT_START:
                self.counters.late += 1
                return False
            self._missing.add(sequence + 1, self._next - 1, now)
            self._next = self._scanned = sequence
        return True

    def _track(self, sequence: int, now: float, repair: bool) -> None:
        """Notes the gap that this packet shows, or that it has filled one."""
        if sequence <= self._highest:
            self._missing.arrived(sequence, now, repair=repair)
            return
        gap, self._highest, self._last_new = self._highest + 1, sequence, now
        if len(self._missing):
            self._missing.forget(sequence)
        if gap < sequence:
            self._last_gap = now
            if not self._missing.add(gap, sequence - 1, now):
                self._give_up(sequence - 1)

    def _probe_tail(self, now: float) -> None:
        """A frame that began and does not go on: its next packet counts as missing."""
        if now - self._last_gap > LOSSY_FOR or now - self._last_new < TAIL_AFTER:
            return
        newest, following = self._packets.get(self._highest), self._highest + 1
        if newest is not None and newest.payload and not newest.marker and following not in self._missing:
            self._missing.add(following, following, now)

    def _ended_before(self, sequence: int, packet: _Packet) -> bool:
        """Whether the frame before this packet is known to have ended there."""
        if sequence == self._next:
            return self._boundary
        before = self._packets.get(sequence - 1)
        return before is not None and bool(before.payload) and (before.marker or before.timestamp != packet.timestamp)

    # ---- release ---------------------------------------------------------------------------------------------------

    def _release(self) -> list[AssembledFrame]:
        frames: list[AssembledFrame] = []
        while (run := self._ready()) is not None:
            frame = self._take(run)
            if frame is not None:
                frames.append(frame)
        return frames

    def _ready(self) -> list[int] | None:
        """The next frame to consume. Until the stream has begun only a key frame, as older packets may yet come."""
        run = self._complete() if self._started else None
        return self._complete() if run is None and self._jump() else run

    def _complete(self) -> list[int] | None:
        """The sequence numbers of the frame at `_next`, without empty packets, if it is all there."""
        assert self._next is not None
        first = self._first_with_payload()
        head = self._packets.get(first)
        if head is None:
            return None
        at = max(self._scanned, first)
        while (packet := self._packets.get(at)) is not None:
            other = bool(packet.payload) and (packet.timestamp, packet.codec) != (head.timestamp, head.codec)
            if other or (packet.payload and packet.marker):
                end = at if other else at + 1
                return [number for number in range(first, end) if self._packets[number].payload]
            at += 1
        self._scanned = at
        return None

    def _first_with_payload(self) -> int:
        """Drops the empty packets at `_next`: they belong to no frame."""
        assert self._next is not None
        while (packet := self._packets.get(self._next)) is not None and not packet.payload:
            self._drop(self._next)
            self._next += 1
        return self._next

    def _take(self, run: list[int]) -> AssembledFrame | None:
        """Consumes a complete frame: released if it can be decoded."""
        head = self._packets[run[0]]
        payloads = [self._packets[number].payload for number in run]
        boundary = self._boundary
        self._advance(run[-1] + 1)
        self._boundary = self._started = True
        try:
            bare = self._depacketiser.build(head.codec, payloads, boundary)
        except ValueError:
            self._refuse()
            return None
        return self._judge(bare, run, head)

    def _refuse(self) -> None:
        """A frame that is none. Expected after a gap; otherwise the stream is broken up to the next key frame."""
        if self._waiting:
            self.counters.skipped += 1
        else:
            self.counters.malformed += 1
            self._wait_for_key()

    def _judge(self, bare: BareFrame, run: list[int], head: _Packet) -> AssembledFrame | None:
        if not bare.picture:
            return None
        if head.codec is not self._codec and not bare.key and not self._waiting:
            self._wait_for_key()
        if self._waiting and not bare.key:
            self.counters.skipped += 1
            return None
        self._codec = head.codec
        self._waiting = self._rescue = False
        self._key_starts.clear()
        self.counters.frames += 1
        self.counters.key_frames += bare.key
        return AssembledFrame(
            run[0], run[-1], head.timestamp, head.codec, bare.data, bare.key, bare.temporal_layer, bare.layer_sync
        )

    def _jump(self) -> bool:
        """While waiting for a key frame: go to the first one that is all there, whatever is missing before it."""
        assert self._next is not None
        if not self._wants_key:
            return False
        self._key_starts = [start for start in self._key_starts if start >= self._next]
        for start in self._key_starts:
            if self._whole_from(start):
                boundary = self._ended_before(start, self._packets[start])
                if self._started:
                    self.counters.lost += self._missing.before(start)
                self._advance(start)
                self._boundary = boundary
                return True
        return False

    def _whole_from(self, start: int) -> bool:
        head = self._packets[start]
        at = start
        while (packet := self._packets.get(at)) is not None:
            if packet.payload and (packet.marker or packet.timestamp != head.timestamp):
                return True
            at += 1
        return False

    # ---- loss ------------------------------------------------------------------------------------------------------

    def _close_gaps(self, now: float, patience: float) -> list[AssembledFrame]:
        """What waited too long: a key frame is asked for, and if that does not come either, it is given up."""
        overdue = self._missing.overdue(now, patience)
        if overdue is None:
            return []
        if not self._waiting and self._missing.overdue(now, patience + RESCUE) is None:
            if not self._rescue:
                self._rescue = True
                self._request.patiently()
                self._find_key_starts()
                return self._release()
            return []
        self._give_up(overdue)
        return self._release()

    def _give_up(self, last: int) -> None:
        """Nobody waits any longer for what is missing up to `last`: on to the next key frame."""
        assert self._next is not None
        self._wait_for_key()
        before = len(self._packets)
        span = last + 1 - self._next
        self._advance(last + 1)
        self.counters.lost += span - (before - len(self._packets))
        self._boundary = False
        self._started = True

    def _wait_for_key(self) -> None:
        """Key frames that are already here count: their beginnings are sought again among the held packets."""
        if not self._wants_key:
            self._request.soon()
        self._waiting, self._rescue = True, False
        self._find_key_starts()

    def _find_key_starts(self) -> None:
        self._key_starts = [
            number
            for number, packet in sorted(self._packets.items())
            if packet.payload and starts_key(packet.codec, packet.payload, self._ended_before(number, packet))
        ]

    def _pli(self, now: float) -> bool:
        if not self._wants_key or not self._request.take(now):
            return False
        self._started = True
        self.counters.plis += 1
        return True

    def _overflow(self) -> None:
        self.counters.overflows += 1
        self._give_up(self._highest)

    def _restart(self, sequence: int, now: float) -> None:
        self.counters.restarts += 1
        self._packets.clear()
        self._bytes = 0
        self._missing.clear()
        self._key_starts.clear()
        self._begin(sequence, now)

    def _advance(self, sequence: int) -> None:
        """Drops everything before `sequence`, which becomes the next."""
        assert self._next is not None
        for number in range(self._next, sequence):
            self._drop(number)
        self._next = sequence
        self._scanned = sequence
        if len(self._missing):
            self._missing.forget_before(sequence)

    def _drop(self, number: int) -> None:
        packet = self._packets.pop(number, None)
        if packet is not None:
            self._bytes -= len(packet.payload)
