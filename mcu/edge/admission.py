"""What of a peer's packets is looked at: so many a second, of so many streams. More of them cost the others nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mixdown.mcu.edge.lines import Lines

MAX_SSRCS = 31
"Streams that a peer may send at a time, repair streams included (FOUNDATION: what a report block can count)."
REPLACE_PAUSE = 1.0
"""Seconds between two streams that take the place of old ones once there are so many: a share that is begun anew brings
two, a flood of streams never ends."""
PACKET_RATE, PACKET_BURST = 3000, 3000
"RTP packets a second, and at once: some 28 Mbit/s, where a peer is asked for 2.5."
CONTROL_RATE, CONTROL_BURST = 200, 200
"RTCP datagrams a second, and at once: a browser that loses packets sends 50."
OVERFLOW = 300
"Packets over budget between two looks (20 ms) that make it a flood: then the kernel drops all for a while."


class Admission:
    """forget: frees what is kept of a stream's keys. Budgets are refilled by `refill`, every few ms, so that a packet
    costs a subtraction."""

    def __init__(self, forget: Callable[[int], None], lines: Lines, counters: Counter[str], now: float) -> None:
        self._forget = forget
        self._lines = lines
        self._counters = counters
        self._streams: dict[int, None] = {}  # in the order of their first packet
        self._packets: float = PACKET_BURST
        self._control: float = CONTROL_BURST
        self._filled = now
        self._replaced = float("-inf")
        self._over = 0

    def refill(self, now: float) -> bool:
        """Whether the peer sent far too much since the last call."""
        elapsed = now - self._filled
        self._filled = now
        self._packets = min(PACKET_BURST, self._packets + elapsed * PACKET_RATE)
        self._control = min(CONTROL_BURST, self._control + elapsed * CONTROL_RATE)
        over, self._over = self._over, 0
        return over > OVERFLOW

    def packet(self, ssrc: int, now: float) -> bool:
        """Whether an RTP packet is decrypted."""
        self._packets -= 1
        return (self._packets >= 0 or self._refuse("packets_over_budget")) and self._has_room(ssrc, now)

    def control(self, ssrc: int, now: float) -> bool:
        """Whether an RTCP datagram is."""
        self._control -= 1
        return (self._control >= 0 or self._refuse("control_over_budget")) and self._has_room(ssrc, now)

    def _refuse(self, why: str) -> bool:
        self._packets, self._control = max(0.0, self._packets), max(0.0, self._control)
        self._counters[why] += 1
        self._over += 1
        return False

    def _has_room(self, ssrc: int, now: float) -> bool:
        if ssrc in self._streams or len(self._streams) < MAX_SSRCS or now - self._replaced >= REPLACE_PAUSE:
            return True
        self._counters["too_many_ssrcs"] += 1
        return False

    def authentic(self, ssrc: int, now: float) -> None:
        """The peer's key opened a packet of this stream: it is known, and libsrtp keeps a context for it. Over the cap
        the oldest that no source is fed by is forgotten."""
        if ssrc in self._streams:
            return
        self._streams[ssrc] = None
        if len(self._streams) <= MAX_SSRCS:
            return
        self._replaced = now
        feeding = {receiver.ssrc for receiver in self._lines.receivers.values()}
        oldest = next(stream for stream in self._streams if stream not in feeding)
        del self._streams[oldest]
        self._lines.by_ssrc.pop(oldest, None)
        self._forget(oldest)
        self._counters["ssrcs_replaced"] += 1
