"""Sending many datagrams with few system calls: UDP segmentation offload (`UDP_SEGMENT`, Linux 4.18 and later)."""

from __future__ import annotations

import errno
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

SOL_UDP = 17
UDP_SEGMENT = 103
MAX_SEGMENTS = 64
MAX_BYTES = 64_000
"What the kernel carries in one call: 64 segments (UDP_MAX_SEGMENTS) and a 64 kB IP packet."
_REFUSED = (errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP)

Address = tuple[str, int]


def offload_works() -> bool:
    """Whether this kernel takes UDP_SEGMENT on loopback."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as giver,
    ):
        taker.bind(("127.0.0.1", 0))
        control = [(SOL_UDP, UDP_SEGMENT, struct.pack("H", 4))]
        try:
            giver.sendmsg([b"aaaabbbbcc"], control, 0, taker.getsockname())
            taker.settimeout(1)
            return [taker.recv(16) for _ in range(3)] == [b"aaaa", b"bbbb", b"cc"]
        except OSError:
            return False


class Run(NamedTuple):
    """What one system call carries. buffers: all of it, in as many pieces as is handy; control: says where to cut."""

    buffers: Sequence[bytes | memoryview]
    control: list[tuple[int, int, bytes]]
    packets: Sequence[bytes | memoryview]


class DatagramSender:
    """Sends to one peer through one socket. Offload is switched off for good where the kernel or driver refuses it.

    transport: asyncio's (or TURN's) own, the slow path; sock: None where there is no plain socket (TURN).
    A full socket buffer drops video (counted); sound and RTCP wait in asyncio's buffer instead, up to 64 kB.
    """

    def __init__(self, sock: socket.socket | None, transport: Any, counters: Counter[str]) -> None:
        self._sock = sock
        self._transport = transport
        self._counters = counters
        self._offload = True

    def send(self, packets: Sequence[bytes], address: Address, *, droppable: bool) -> None:
        if len(packets) == 1 and self._sock is not None:
            self._plain(packets[0], address, droppable=droppable)
            return
        start = 0
        while start < len(packets):
            end = run_end(packets, start)
            chosen = packets[start:end]
            self._run(Run(chosen, _control(chosen), chosen), address, droppable=droppable)
            start = end

    def send_runs(self, runs: Sequence[Run], address: Address, *, droppable: bool) -> None:
        """Nothing of them is kept."""
        for run in runs:
            self._run(run, address, droppable=droppable)

    def _run(self, run: Run, address: Address, *, droppable: bool) -> None:
        if self._sock is None:
            for packet in run.packets:
                self._transport.sendto(bytes(packet), address)
            return
        if self._offload and len(run.packets) > 1:
            try:
                self._sock.sendmsg(run.buffers, run.control, 0, address)
                return
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _REFUSED:
                    self._counters["send_errors"] += 1
                    return
                self._offload = False
                self._counters["offload_refused"] += 1
        for packet in run.packets:
            self._plain(packet, address, droppable=droppable)

    def _plain(self, packet: bytes | memoryview, address: Address, *, droppable: bool) -> None:
        assert self._sock is not None
        try:
            self._sock.sendto(packet, address)
        except BlockingIOError:
            if droppable or self._transport.get_write_buffer_size() > MAX_BYTES:
                self._counters["send_buffer_full"] += 1
            else:
                self._transport.sendto(bytes(packet), address)
        except OSError:
            self._counters["send_errors"] += 1


def _control(packets: Sequence[bytes | memoryview]) -> list[tuple[int, int, bytes]]:
    return [(SOL_UDP, UDP_SEGMENT, struct.pack("H", len(packets[0])))]


def runs(buffer: memoryview, packets: Sequence[memoryview]) -> list[Run]:
    """Of packets that lie side by side from the buffer's start on."""
    found = []
    start = at = 0
    while start < len(packets):
        end = run_end(packets, start)
        chosen = packets[start:end]
        size = sum(map(len, chosen))
        found.append(Run((buffer[at : at + size],), _control(chosen), chosen))
        start, at = end, at + size
    return found


def run_end(packets: Sequence[bytes | memoryview], start: int) -> int:
    """Where the run that one call can carry ends: equal sizes, the last may be shorter, within the kernel's limits."""
    size = len(packets[start])
    most = min(len(packets), start + min(MAX_SEGMENTS, max(1, MAX_BYTES // size)))
    end = start + 1
    while end < most and len(packets[end]) == size:
        end += 1
    if end < most and len(packets[end]) < size:
        end += 1
    return end
