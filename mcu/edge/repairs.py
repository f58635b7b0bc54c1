"""What a peer's pictures miss: asked for as soon as it is found, and again in time (RFC 4585, 6.2.1 and 6.3.1)."""

from __future__ import annotations

import asyncio

from mixdown.mcu import clock
from mixdown.mcu.edge import rtcp
from mixdown.mcu.edge.control import Control
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.outgoing import Outgoing

DEFAULT_RTT = 0.1
SOONEST = 0.002
"Seconds between two looks for repairs that a timer makes."


class Repairs:
    """Of one peer, from its connection on. It looks when the peer is polled, at each gap's first sign, and by a timer
    of its own while something is missing: a poll may be 20 ms away, and a repair has but two or three round trips."""

    def __init__(self, lines: Lines, control: Control, out: Outgoing, own_ssrc: int) -> None:
        self._lines = lines
        self._control = control
        self._out = out
        self._own_ssrc = own_ssrc
        self._timer: asyncio.TimerHandle | None = None
        lines.on_gap = self._ask

    def due(self, now: float) -> bytes:
        """RTCP for what is to be asked for now: packets and key frames. Empty if nothing is."""
        feedback, rtt = b"", self._rtt
        for receiver in self._lines.receivers.values():
            lost, pli = receiver.poll(now, rtt)
            if receiver.ssrc is not None and lost:
                feedback += rtcp.nack(self._own_ssrc, receiver.ssrc, lost)
            if receiver.ssrc is not None and pli:
                feedback += rtcp.picture_loss(self._own_ssrc, receiver.ssrc)
        return feedback

    def _ask(self, now: float) -> None:
        if feedback := self.due(now):
            self._out.send_rtcp(feedback)
        if self._timer is not None:
            return
        times = [at for r in self._lines.receivers.values() if (at := r.next_poll(now, self._rtt)) is not None]
        if times:
            self._timer = asyncio.get_running_loop().call_later(max(SOONEST, min(times) - now), self._again)

    def _again(self) -> None:
        self._timer = None
        if self._lines.connected:
            self._ask(clock.now())

    @property
    def _rtt(self) -> float:
        return self._control.rtt if self._control.rtt is not None else DEFAULT_RTT
