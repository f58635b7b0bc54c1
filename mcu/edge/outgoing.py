"""The way out to one peer: pacing, encryption, system calls. Knows packets, not streams."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from aiortc.rtp import RTCP_RR, RTCP_SR
from pylibsrtp import Session

from mixdown.mcu import clock
from mixdown.mcu.edge.aioice_private import IceConnection
from mixdown.mcu.edge.frame_buffer import FrameBuffer, Layout
from mixdown.mcu.edge.frame_packets import FramePackets
from mixdown.mcu.edge.meter import RoomMeter
from mixdown.mcu.edge.srtp import Protector
from mixdown.mcu.edge.udp import DatagramSender

BURST = 20
"Packets of a frame that leave at once; more are paced, so that a key frame does not overrun a small router."
PACE = 0.004
"Seconds between two bursts: 20 packets in 4 ms are 48 Mb/s."
PACE_LIMIT = 1024
"Packets that may wait to be paced. Over it the picture is dropped up to the next key frame."
THIN_BURST = 3
THIN_PACE = 0.005
"On a thin line: packets of a frame that leave at once, so that sound finds gaps; seconds between two looks."
THIN_TOGETHER = 2
"Packets that leave together also then, if there are any: how far apart they arrive tells the line's rate."
HEADERS = 28
"Bytes of IPv4 and UDP before each packet, for what a line carries."


class Outgoing:
    """Follows ICE: each call goes over the pair that is selected then. Before there is one, packets are dropped.

    preface: put before RTCP that begins with no report, for peers that want whole compounds (RFC 3550, 6.1).
    Sound leaves at once, whatever waits: only the picture is paced. octets: on the wire, IP and UDP included; sound: of
    these. on_mark: told of each marked packet as it leaves, with `octets` then. rate: bit/s that the picture is paced
    to on a line known to be thin, None: only long frames are, at 48 Mb/s."""

    def __init__(self, ice: IceConnection, session: Session, counters: Counter[str], meter: RoomMeter) -> None:
        self.preface = b""
        self.packets = 0
        self.bytes = 0
        self.octets = self.sound = 0
        self.rate: float | None = None
        self.on_mark: Callable[[int, float, int], None] = lambda mark, now, octets: None
        self._ice = ice
        self._session = session
        self._protector = Protector(session)
        self._counters = counters
        self._meter = meter
        self._datagrams: DatagramSender | None = None
        self._protocol: object | None = None
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self._timer: asyncio.Handle | None = None
        self._held_until = 0.0
        self._paced_at = 0.0
        self._credit = 0.0

    def overrun(self) -> bool:
        """Whether more waits than may: then all of it is dropped, and the picture needs a key frame."""
        if len(self._waiting) <= PACE_LIMIT:
            return False
        self._counters["pacing_overflow"] += 1
        self._waiting.clear()
        return True

    def hold(self, until: float) -> None:
        """Nothing of the picture leaves before that time: what is queued on the way gets through first."""
        self._held_until = until

    def drop_picture(self) -> None:
        """What still waits is of a picture that the line does not carry."""
        self._waiting.clear()

    def send_frame(self, packets: FramePackets, marks: Sequence[tuple[int, int]], buffer: FrameBuffer) -> None:
        """A frame of a picture: together, in the buffer, if it may leave at once; otherwise it is paced."""
        layout = None
        if self._leaves_at_once(len(packets.payloads)):
            layout = buffer.filled(packets.payloads, packets.head, self._protector.trailer)
        if layout is None:
            self.send_paced(packets, marks)
            return
        packets.write(layout, marks)
        before = self.octets
        self._send_layout(layout)
        self._tell(marks, before, len(layout.slots))

    def _leaves_at_once(self, count: int) -> bool:
        burst = BURST if self.rate is None else THIN_BURST
        return not self._waiting and count <= burst and clock.now() >= self._held_until

    def send_paced(self, packets: Sequence[bytes], marks: Sequence[tuple[int, int]] = ()) -> None:
        """A frame of a picture, after those that still wait. marks: (index, number) of its marked packets."""
        if self._leaves_at_once(len(packets)):
            self._send_marked(packets, marks)
            return
        numbers = dict(marks)
        self._waiting.extend((packet, numbers.get(index)) for index, packet in enumerate(packets))
        if self._timer is None:
            self._paced_at = clock.now()
            self._timer = asyncio.get_running_loop().call_soon(self._pace)

    def send_padding(self, packets: Sequence[bytes], marks: Sequence[tuple[int, int]]) -> None:
        """Packets that mean nothing: at once, and only where a full socket buffer loses them."""
        self._send_marked(packets, marks)

    def _send_marked(self, packets: Sequence[bytes], marks: Sequence[tuple[int, int]]) -> None:
        before = self.octets
        self.send(packets, droppable=True)
        self._tell(marks, before, len(packets))

    def _tell(self, marks: Sequence[tuple[int, int]], before: int, count: int) -> None:
        """Of the marked ones among so many packets that just left; before: octets before them."""
        if not marks:
            return
        now = clock.now()
        step = (self.octets - before) / max(1, count)
        for index, mark in marks:
            self.on_mark(mark, now, before + round(step * (index + 1)))

    def _pace(self) -> None:
        self._timer = None
        began = clock.thread_cpu()
        count = self._allowed()
        batch = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        if batch:
            marks = [(index, mark) for index, (_, mark) in enumerate(batch) if mark is not None]
            self._send_marked([packet for packet, _ in batch], marks)
        self._meter.send_cpu += clock.thread_cpu() - began
        if self._waiting:
            pause = PACE if self.rate is None else THIN_PACE
            self._timer = asyncio.get_running_loop().call_later(pause, self._pace)

    def _allowed(self) -> int:
        """How many packets may leave now."""
        now = clock.now()
        elapsed, self._paced_at = now - self._paced_at, now
        if now < self._held_until:
            return 0
        if self.rate is None:
            return BURST
        self._credit += self.rate / 8 * elapsed
        count = 0
        for packet, _ in self._waiting:
            if self._credit < 0 and count not in range(1, THIN_TOGETHER):
                break
            self._credit -= len(packet) + HEADERS
            count += 1
        self._credit = min(self._credit, 0.0)
        return count

    def send(self, packets: Sequence[bytes], *, droppable: bool) -> None:
        """RTP packets of one stream, in order, at once. droppable: a full socket buffer loses them."""
        selected = self._ice.selected
        if selected is None:
            return
        encrypted = self._protector.protect(packets)
        self._way(selected.protocol).send(encrypted, selected.remote_addr, droppable=droppable)
        self._count(len(packets), sum(map(len, encrypted)), droppable=droppable)

    def _send_layout(self, layout: Layout) -> None:
        """What was written into the frame buffer, encrypted there; a full socket buffer loses it."""
        selected = self._ice.selected
        if selected is None:
            return
        self._protector.protect_in_place(layout.slots)
        self._way(selected.protocol).send_runs(layout.runs, selected.remote_addr, droppable=True)
        self._count(len(layout.slots), layout.size, droppable=True)

    def _way(self, protocol: Any) -> DatagramSender:
        if self._datagrams is None or protocol is not self._protocol:
            self._protocol = protocol
            self._datagrams = DatagramSender(getattr(protocol, "sock", None), protocol.transport, self._counters)
        return self._datagrams

    def _count(self, packets: int, size: int, *, droppable: bool) -> None:
        octets = size + HEADERS * packets
        self.packets += packets
        self.bytes += size
        self.octets += octets
        if not droppable:
            self.sound += octets

    def send_rtcp(self, compound: bytes) -> None:
        selected = self._ice.selected
        if selected is not None and compound:
            if self.preface and compound[1] not in (RTCP_SR, RTCP_RR):
                compound = self.preface + compound
            selected.protocol.transport.sendto(self._session.protect_rtcp(compound), selected.remote_addr)

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
