"""Opus packets with copies of earlier ones in them (RFC 2198): what of a stream is new, and where in it a copy belongs.

A copy says how much older it is, not which packet it is a copy of. That is reckoned from the length of the packets and
held against those that did come.
"""

from __future__ import annotations

from typing import NamedTuple

from mixdown.codecs.errors import CodecError
from mixdown.codecs.opus import packet_samples
from mixdown.codecs.payload import red

MEMORY = 64
"Packets that are remembered, a second and more; what is older is not told apart."
ALL = (1 << MEMORY) - 1


class Piece(NamedTuple):
    """A packet of the stream: extended sequence number, unwrapped RTP time; copy: it came in a later one."""

    sequence: int
    rtp_time: int
    data: bytes
    copy: bool


class RedundantStream:
    """Of one SSRC. payload_type: of Opus; what RED carries of others is left out."""

    def __init__(self, payload_type: int) -> None:
        self._payload_type = payload_type
        self._newest: int | None = None
        self._seen = 0
        "Bit k: packet newest - k is known."
        self._times = [0] * MEMORY

    def plain(self, sequence: int, rtp_time: int, payload: bytes) -> list[Piece]:
        """An Opus packet that came by itself. Empty if a copy of it was here before."""
        return [Piece(sequence, rtp_time, payload, False)] if payload and self._note(sequence, rtp_time) else []

    def red(self, sequence: int, rtp_time: int, payload: bytes) -> list[Piece]:
        """A RED packet: itself, if it is new, then what of its copies had not come. Raises ValueError if malformed."""
        *copies, packet = red.parse(payload)
        if packet.payload_type != self._payload_type:
            return []
        pieces = self.plain(sequence, rtp_time, packet.data)
        if self._seen == ALL:
            return pieces
        for block in copies:
            if block.payload_type == self._payload_type and block.data and packet.data:
                before = _packets_between(block, packet.data)
                if before and self._fits(sequence - before, rtp_time - block.offset):
                    self._note(sequence - before, rtp_time - block.offset)
                    pieces.append(Piece(sequence - before, rtp_time - block.offset, block.data, True))
        return pieces

    def _note(self, sequence: int, rtp_time: int) -> bool:
        """Whether it was not known yet."""
        ahead = MEMORY if self._newest is None else sequence - self._newest
        if abs(ahead) >= MEMORY:  # begun anew: the jitter buffer tells twice from anew
            self._newest, self._seen = sequence, 1
        elif ahead > 0:
            self._newest, self._seen = sequence, (self._seen << ahead | 1) & ALL
        elif self._seen >> -ahead & 1:
            return False
        else:
            self._seen |= 1 << -ahead
        self._times[sequence % MEMORY] = rtp_time
        return True

    def _fits(self, sequence: int, rtp_time: int) -> bool:
        """Whether a packet is missing there, and its time is between those of the packets around it. Where a sender
        paused (DTX), copies are older than their number says. Before the first packet nothing is missing."""
        if self._newest is None:
            return False
        behind = self._newest - sequence
        if not 0 < behind < MEMORY or self._seen >> behind & 1:
            return False
        after = next(k for k in range(behind - 1, -1, -1) if self._seen >> k & 1)
        before = next((k for k in range(behind + 1, MEMORY) if self._seen >> k & 1), None)
        if before is None:
            return False
        times = (self._times[(self._newest - k) % MEMORY] for k in (before, after))
        return next(times) < rtp_time < next(times)


def _packets_between(block: red.RedBlock, packet: bytes) -> int:
    """How many packets earlier the block was sent; 0 if that cannot be told."""
    try:
        samples = packet_samples(packet)
        if packet_samples(block.data) != samples or block.offset % samples:
            return 0
    except CodecError:
        return 0
    return block.offset // samples
