"""What a receiver knows of one incoming RTP stream, for its reports (RFC 3550, 6.4 and appendix A)."""

from __future__ import annotations

from dataclasses import dataclass, field

from mixdown.codecs.unwrap import Unwrapper


@dataclass(slots=True)
class Reception:
    """Counts of one SSRC. Pure: `now` is an argument, in seconds."""

    clock_rate: int
    first: int | None = None
    highest: int = 0
    received: int = 0
    jitter: float = 0.0
    "In units of the RTP clock (RFC 3550, A.8)."
    lsr: int = 0
    lsr_time: float = 0.0
    loss: float = 0.0
    "0..1, of the interval that the last report covered."
    _expected_prior: int = 0
    _received_prior: int = 0
    _transit: float | None = None
    _sequences: Unwrapper = field(default_factory=lambda: Unwrapper(16))
    _timestamps: Unwrapper = field(default_factory=lambda: Unwrapper(32))

    def packet(self, sequence: int, timestamp: int, now: float) -> tuple[int, int]:
        """Counts one packet; returns its extended sequence number and unwrapped timestamp."""
        extended = self._sequences.unwrap(sequence)
        unwrapped = self._timestamps.unwrap(timestamp)
        if self.first is None:
            self.first = self.highest = extended
        self.received += 1
        if extended >= self.highest:
            self.highest = extended
            rate, before = self.clock_rate, self._transit
            self._transit = transit = now * rate - unwrapped
            if before is not None:
                difference = transit - before if transit >= before else before - transit
                self.jitter += ((difference if difference < rate else rate) - self.jitter) / 16
        return extended, unwrapped

    def unwrap_sequence(self, sequence: int) -> int:
        """The extended number of a repaired packet: it counts as received by the repair, not in the jitter."""
        return self._sequences.unwrap(sequence)

    def unwrap_timestamp(self, timestamp: int) -> int:
        return self._timestamps.unwrap(timestamp)

    @property
    def lost(self) -> int:
        """Packets lost since the start; negative with duplicates, as RFC 3550 has it."""
        if self.first is None:
            return 0
        return self.highest - self.first + 1 - self.received

    def sender_report(self, ntp: int, now: float) -> None:
        self.lsr = (ntp >> 16) & 0xFFFFFFFF
        self.lsr_time = now

    def report(self, now: float) -> tuple[int, int, int, int, int, int]:
        """(fraction lost 0..255, lost, highest sequence, jitter, LSR, DLSR); begins a new interval."""
        expected = self.highest - self.first + 1 if self.first is not None else 0
        expected_interval = expected - self._expected_prior
        received_interval = self.received - self._received_prior
        self._expected_prior, self._received_prior = expected, self.received
        lost_interval = expected_interval - received_interval
        fraction = min(255, (lost_interval << 8) // expected_interval) if expected_interval > 0 < lost_interval else 0
        self.loss = fraction / 256
        dlsr = int((now - self.lsr_time) * 65536) & 0xFFFFFFFF if self.lsr else 0
        lost = max(-(1 << 23), min((1 << 23) - 1, self.lost))
        return fraction, lost, self.highest & 0xFFFFFFFF, int(self.jitter), self.lsr, dlsr
