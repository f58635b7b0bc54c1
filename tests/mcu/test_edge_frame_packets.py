"""A frame made ready in the buffer is, byte for byte, its packets made one by one; whatever way it then takes."""

from __future__ import annotations

import errno
import socket
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pylibsrtp import Policy, Session

from mixdown.mcu.edge.frame_buffer import CAPACITY, FrameBuffer
from mixdown.mcu.edge.frame_packets import FramePackets
from mixdown.mcu.edge.meter import RoomMeter
from mixdown.mcu.edge.outgoing import BURST, HEADERS, Outgoing
from mixdown.mcu.edge.rtp import HeaderTemplate, parse_rtp
from mixdown.mcu.edge.srtp import MAX_PACKET, Protector

PROFILES = {
    Policy.SRTP_PROFILE_AES128_CM_SHA1_80: (30, 10),
    Policy.SRTP_PROFILE_AES128_CM_SHA1_32: (30, 4),
    Policy.SRTP_PROFILE_AEAD_AES_128_GCM: (28, 16),
    Policy.SRTP_PROFILE_AEAD_AES_256_GCM: (44, 16),
}
CM = Policy.SRTP_PROFILE_AES128_CM_SHA1_80
EQUAL, UNEQUAL = [1000, 1000, 1000, 1000, 700], [20, 900, 900, 300, 5, 5]


def session(profile: int, direction: int) -> Session:
    return Session(Policy(bytes(range(PROFILES[profile][0])), ssrc_type=direction, srtp_profile=profile))


def frame(sizes: Sequence[int], sequence: int = 65533, mark: int | None = 0xFFFF) -> FramePackets:
    template = HeaderTemplate(7, "0", mid_id=4, send_time_id=2, level_id=None, mark_id=5)
    payloads = [bytes([n]) * size for n, size in enumerate(sizes)]
    extensions = template.extensions(1.0, None)
    return FramePackets(template, 96, sequence, 90_000, extensions, (b"\x90", b"\x80"), payloads, mark, True)


@pytest.mark.parametrize("mark", [None, 0xFFFF])
@pytest.mark.parametrize("sizes", [[], [5], EQUAL, UNEQUAL, [10] * 7])
def test_what_is_written_into_the_buffer_are_the_packets(sizes: list[int], mark: int | None) -> None:
    packets = frame(sizes, mark=mark)
    layout = FrameBuffer().filled(packets.payloads, packets.head, 10)
    assert layout is not None
    packets.write(layout, packets.marks)
    assert [bytes(layout.buffer[at : at + size]) for at, _, size in layout.slots] == list(packets) == packets[:]
    read = [parse_rtp(packet, with_extensions=True) for packet in packets]
    assert [one.sequence for one in read] == [(65533 + n) & 0xFFFF for n in range(len(sizes))]
    assert [one.marker for one in read] == [n == len(sizes) - 1 for n in range(len(sizes))]
    carried = [(n, int.from_bytes(one.extensions[5], "big")) for n, one in enumerate(read) if 5 in one.extensions]
    assert carried == packets.marks and bool(carried) == (mark is not None and bool(sizes))


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_encrypted_in_the_buffer_another_session_reads(profile: int) -> None:
    protector, buffer = Protector(session(profile, Policy.SSRC_ANY_OUTBOUND)), FrameBuffer()
    receiving = session(profile, Policy.SSRC_ANY_INBOUND)
    assert protector.trailer == PROFILES[profile][1]
    for sequence, sizes in ((1, EQUAL), (10, UNEQUAL), (30, [1])):
        packets = frame(sizes, sequence)
        layout = buffer.filled(packets.payloads, packets.head, protector.trailer)
        assert layout is not None
        packets.write(layout, packets.marks)
        protector.protect_in_place(layout.slots)
        sent = [bytes(packet) for run in layout.runs for packet in run.packets]
        assert b"".join(sent) == b"".join(bytes(whole) for run in layout.runs for whole in run.buffers)
        assert [receiving.unprotect(packet) for packet in sent] == list(packets)


def test_a_layout_is_shared_until_the_next_frame_and_none_is_made_of_what_is_too_long() -> None:
    buffer, packets = FrameBuffer(), frame(EQUAL)
    first = buffer.filled(packets.payloads, 30, 10)
    assert first is not None and buffer.filled(packets.payloads, 30, 10) is first
    other = buffer.filled(packets.payloads, 34, 16)
    assert other is not None and other.size == first.size + 10 * len(EQUAL)
    assert buffer.filled(list(packets.payloads), 30, 10) is not first
    assert buffer.filled([bytes(1000)] * (CAPACITY // 1000), 30, 10) is None
    assert buffer.filled([bytes(MAX_PACKET)], 30, 10) is None


class Socket:
    """Takes what is sent, and refuses offload, or everything, as it is told."""

    def __init__(self, offload: int = 0, plain: int = 0) -> None:
        self.sent: list[bytes] = []
        self.calls = 0
        self._refusals = offload, plain

    def sendmsg(self, buffers: Sequence[Any], control: list[tuple[int, int, bytes]], flags: int, address: Any) -> None:
        self.calls += 1
        if self._refusals[0]:
            raise _refused(self._refusals[0])
        whole, size = b"".join(buffers), int.from_bytes(control[0][2], "little")
        self.sent += [whole[at : at + size] for at in range(0, len(whole), size)]

    def sendto(self, packet: Any, address: Any) -> None:
        self.calls += 1
        if self._refusals[1]:
            raise _refused(self._refusals[1])
        self.sent.append(bytes(packet))


def _refused(number: int) -> OSError:
    return BlockingIOError() if number == errno.EAGAIN else OSError(number, "refused")


class Relay:
    """A transport: may keep what it is given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendto(self, packet: bytes, address: Any) -> None:
        assert isinstance(packet, bytes)
        self.sent.append(packet)


def way_out(sock: Any, transport: Any = None) -> tuple[Outgoing, Counter[str]]:
    counters: Counter[str] = Counter()
    protocol = SimpleNamespace(sock=sock, transport=transport)
    ice: Any = SimpleNamespace(selected=SimpleNamespace(protocol=protocol, remote_addr=("192.0.2.1", 9)))
    return Outgoing(ice, session(CM, Policy.SSRC_ANY_OUTBOUND), counters, RoomMeter()), counters


def send(out: Outgoing, packets: FramePackets, buffer: FrameBuffer) -> None:
    out.send_frame(packets, packets.marks, buffer)


@pytest.mark.parametrize(("sizes", "calls"), [(EQUAL, 1), (UNEQUAL, 3), ([9], 1)])
def test_a_frame_leaves_in_few_calls_and_is_counted_with_its_marks(sizes: list[int], calls: int) -> None:
    sock = Socket()
    out, _ = way_out(sock)
    marked: list[tuple[int, int]] = []
    out.on_mark = lambda mark, now, octets: marked.append((mark, octets))
    packets = frame(sizes, 1)
    send(out, packets, FrameBuffer())
    receiving = session(CM, Policy.SSRC_ANY_INBOUND)
    assert [receiving.unprotect(packet) for packet in sock.sent] == list(packets) and sock.calls == calls
    size = sum(map(len, sock.sent))
    assert (out.packets, out.bytes, out.octets, out.sound) == (len(sizes), size, size + HEADERS * len(sizes), 0)
    assert [mark for mark, _ in marked] == [mark for _, mark in packets.marks] and marked[-1][1] == out.octets


@pytest.mark.parametrize(("refusal", "counted"), [(errno.EIO, {"offload_refused": 1}), (errno.EAGAIN, {})])
def test_where_offload_is_refused_its_packets_go_one_by_one(refusal: int, counted: dict[str, int]) -> None:
    sock = Socket(offload=refusal)
    out, counters = way_out(sock)
    packets, receiving = frame(EQUAL, 1), session(CM, Policy.SSRC_ANY_INBOUND)
    send(out, packets, FrameBuffer())
    assert [receiving.unprotect(packet) for packet in sock.sent] == list(packets) and counters == counted


def test_a_full_socket_loses_the_picture_and_counts_it() -> None:
    out, counters = way_out(Socket(offload=errno.EAGAIN, plain=errno.EAGAIN))
    send(out, frame(EQUAL, 1), FrameBuffer())
    assert counters == {"send_buffer_full": len(EQUAL)}


def test_a_relay_is_given_packets_that_it_may_keep() -> None:
    relay, buffer, receiving = Relay(), FrameBuffer(), session(CM, Policy.SSRC_ANY_INBOUND)
    out, _ = way_out(None, relay)
    first, second = frame(EQUAL, 1), frame(UNEQUAL, 10)
    send(out, first, buffer)
    send(out, second, buffer)
    assert [receiving.unprotect(packet) for packet in relay.sent] == [*first, *second]


async def test_a_long_frame_is_paced() -> None:
    sock = Socket()
    out, _ = way_out(sock)
    packets = frame([100] * (BURST + 1), 1)
    send(out, packets, FrameBuffer())
    assert not sock.sent and out.overrun() is False
    out._pace()
    assert len(sock.sent) == BURST
    out.close()


def test_the_kernel_cuts_a_run_of_the_buffer_where_its_packets_end() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as giver,
    ):
        taker.bind(("127.0.0.1", 0))
        taker.settimeout(10)
        out, _ = way_out(giver)
        selected: Any = out._ice.selected
        selected.remote_addr = taker.getsockname()
        packets, receiving = frame(UNEQUAL, 1), session(CM, Policy.SSRC_ANY_INBOUND)
        send(out, packets, FrameBuffer())
        assert [receiving.unprotect(taker.recv(2000)) for _ in UNEQUAL] == list(packets)
