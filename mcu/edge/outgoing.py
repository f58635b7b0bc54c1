"""The way out to one peer: pacing, encryption, system calls. Knows packets, not streams."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

from pylibsrtp import Session

from mixdown.mcu import clock
from mixdown.mcu.edge.aiortc_private import IceConnection, Protector
from mixdown.mcu.edge.meter import RoomMeter
from mixdown.mcu.edge.udp import DatagramSender

BURST = 20
"Packets of a frame that leave at once; more are paced, so that a key frame does not overrun a small router."
PACE = 0.004
"Seconds between two bursts: 20 packets in 4 ms are 48 Mb/s."
PACE_LIMIT = 1024
"Packets that may wait to be paced. Over it the picture is dropped up to the next key frame."


class Outgoing:
    """Follows ICE: each call goes over the pair that is selected then. Before there is one, packets are dropped."""

    def __init__(self, ice: IceConnection, session: Session, counters: Counter[str], meter: RoomMeter) -> None:
        self.packets = 0
        self.bytes = 0
        self._ice = ice
        self._session = session
        self._protector = Protector(session)
        self._counters = counters
        self._meter = meter
        self._datagrams: DatagramSender | None = None
        self._protocol: object | None = None
        self._waiting: deque[bytes] = deque()
        self._timer: asyncio.Handle | None = None

    def overrun(self) -> bool:
        """Whether more waits than may: then all of it is dropped, and the picture needs a key frame."""
        if len(self._waiting) <= PACE_LIMIT:
            return False
        self._counters["pacing_overflow"] += 1
        self._waiting.clear()
        return True

    def send_paced(self, packets: Sequence[bytes]) -> None:
        """A frame of a picture, after those that still wait."""
        if not self._waiting and len(packets) <= BURST:
            self.send(packets, droppable=True)
            return
        self._waiting.extend(packets)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self._pace)

    def _pace(self) -> None:
        self._timer = None
        began = clock.thread_cpu()
        batch = [self._waiting.popleft() for _ in range(min(BURST, len(self._waiting)))]
        if batch:
            self.send(batch, droppable=True)
        self._meter.send_cpu += clock.thread_cpu() - began
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(PACE, self._pace)

    def send(self, packets: Sequence[bytes], *, droppable: bool) -> None:
        """RTP packets of one stream, in order, at once. droppable: a full socket buffer loses them."""
        selected = self._ice.selected
        if selected is None:
            return
        if self._datagrams is None or selected.protocol is not self._protocol:
            self._protocol = selected.protocol
            sock = getattr(selected.protocol, "sock", None)
            self._datagrams = DatagramSender(sock, selected.protocol.transport, self._counters)
        encrypted = self._protector.protect(packets)
        self._datagrams.send(encrypted, selected.remote_addr, droppable=droppable)
        self.packets += len(packets)
        self.bytes += sum(map(len, encrypted))

    def send_rtcp(self, compound: bytes) -> None:
        selected = self._ice.selected
        if selected is not None and compound:
            selected.protocol.transport.sendto(self._session.protect_rtcp(compound), selected.remote_addr)

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
