"""A whole peer behind its SRTP: RTP, RTX and RTCP of a stranger who holds the keys, and time going by.

Steps: a pause (milliseconds), then a datagram with its length; a poll after every pause. Nothing may be raised, all
that is wrong is counted as malformed, and what one packet causes is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
from asyncio import events
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fuzz.reader import Reader, SimulatedClock, simulated_clock
from pylibsrtp import Policy, Session

from mixdown.codecs.assembler import MAX_BYTES, MAX_PACKETS
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import vp8
from mixdown.codecs.payload.red import MAX_BLOCKS
from mixdown.mcu import clock
from mixdown.mcu.edge.admission import MAX_SSRCS
from mixdown.mcu.edge.answer import plan_media
from mixdown.mcu.edge.meter import RoomMeter
from mixdown.mcu.edge.offer import guess_kinds, parse_offer
from mixdown.mcu.edge.peer import Peer
from mixdown.mcu.edge.sender import REPAIR_BURST, REPAIR_SHARE
from mixdown.mcu.edge.types import JoinRequest
from mixdown.mcu.link.messages import SourceFrame, ToMixer

OFFER = parse_offer((Path(__file__).parents[1] / "seeds" / "sdp" / "chromium").read_text())
MTU = 1500
LARGEST_REPORT = 1400
SENT_SSRC = 0x5EED
SENT_BYTES = 20_000
TIMERS_AT_ONCE = 200
NAMED = 8
"Streams that the offer names itself."
OTHER_MESSAGES = 8
"Sources opened and subscriptions at the start; then what a packet or a poll may say beside frames."


class Mixer:
    def __init__(self) -> None:
        self.frames = self.bytes = self.others = 0

    def send(self, message: ToMixer) -> None:
        if isinstance(message, SourceFrame):
            self.frames += 1
            self.bytes += len(message.frame.data)
            assert message.frame.sequence <= message.frame.last_sequence
        else:
            self.others += 1


class Keyless:
    """Stands for the receiving SRTP session: the peer holds the keys, so what it sends comes out as it was."""

    def rtp(self, datagram: bytes) -> bytes:
        return datagram

    rtcp = rtp

    def forget(self, ssrc: int) -> None: ...


class Loop:
    """The event loop's timers on the target's clock."""

    def __init__(self) -> None:
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = itertools.count()

    def call_later(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        when = clock.now() + delay
        handle = asyncio.TimerHandle(when, callback, arguments, self)  # type: ignore[arg-type]
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        return self.call_later(0.0, callback, *arguments)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None: ...

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise context["exception"]

    def run(self) -> None:
        """What is due. A timer that sets itself again for the same moment would never end."""
        for _ in range(TIMERS_AT_ONCE):
            if not self._timers or self._timers[0][0] > clock.now():
                return
            handle = heapq.heappop(self._timers)[2]
            if not handle.cancelled():
                handle._run()
        raise AssertionError("timers without end")


class Wire:
    """Stands for ICE, DTLS and the socket."""

    def __init__(self) -> None:
        self.largest = self.datagrams = 0
        session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND))
        received = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_INBOUND))
        self.srtp_sessions = lambda: (received, session)
        protocol = SimpleNamespace(transport=self, sock=None)
        self.ice = SimpleNamespace(
            selected=SimpleNamespace(protocol=protocol, remote_addr=("192.0.2.1", 9)), on_media=None, last_check=0.0
        )
        self.ice_transport = SimpleNamespace(
            state="completed", start=_nothing, stop=_nothing, addRemoteCandidate=_nothing
        )
        self.dtls = SimpleNamespace(state="connected", start=_nothing, stop=_nothing)

    def sendto(self, datagram: bytes, address: object) -> None:
        self.largest = max(self.largest, len(datagram))
        self.datagrams += 1

    def get_write_buffer_size(self) -> int:
        return 0


async def _nothing(*arguments: object) -> None:
    return None


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(StopIteration):
        coroutine.send(None)


def run(data: bytes) -> None:
    state = random.getstate()
    random.seed(1)
    try:
        with simulated_clock() as time:
            loop = Loop()
            events._set_running_loop(loop)  # type: ignore[arg-type]
            Visit(time, loop).take(Reader(data))
    finally:
        events._set_running_loop(None)
        random.setstate(state)


class Visit:
    """One connected peer, that is sent a picture and may ask for its packets again."""

    def __init__(self, time: SimulatedClock, loop: Loop) -> None:
        self.time, self.loop = time, loop
        self.mixer, self.wire, self.counters = Mixer(), Wire(), Counter[str]()
        self.peer = Peer(JoinRequest("room", "ann", ""), OFFER, self.wire, self.mixer, self.counters, RoomMeter())  # type: ignore[arg-type]
        plans = plan_media(OFFER, guess_kinds(OFFER, {}), viewer=False)
        self.peer.lines.plan(plans)
        _run(self.peer.connect((), complete=False))
        assert self.peer.connected and self.peer.inbound is not None
        self.peer.inbound._keys = Keyless()  # type: ignore[assignment]
        self._send_pictures()

    def _send_pictures(self) -> None:
        sender = self.peer.senders[MediaKind.VIDEO]
        self.repaired, repair = 0, sender.repair

        def counted(sequence: int, now: float) -> bytes | None:
            packet = repair(sequence, now)
            self.repaired += len(packet or b"")
            return packet

        sender.repair = counted  # type: ignore[method-assign]
        sender.streams = type(sender.streams)(SENT_SSRC, SENT_SSRC + 1)
        for n in range(4):
            frame = EncodedFrame("s", 0, CodecId.VP8, n, n, 3000 * n, bytes(SENT_BYTES // 4), key=not n)
            sender.packetise(frame, vp8.split(frame.data, 1000), self.time.now)

    def take(self, reader: Reader) -> None:
        packets, polls = 0, 0
        while reader.left:
            pause = reader.number(1)
            if pause:
                self.time.now += pause / 1000
                polls += 1
                self.loop.run()
                self.peer.poll(self.time.now)
            datagram = reader.sized()[:MTU]
            if datagram:
                packets += 1
                self.wire.ice.on_media(datagram)
        self.check(packets, polls, len(reader._data))

    def check(self, packets: int, polls: int, size: int) -> None:
        assert not self.counters["packet_exceptions"], dict(self.counters)
        lines = self.peer.lines
        assert len(lines.by_ssrc) <= MAX_SSRCS + NAMED
        for receiver in lines.receivers.values():
            held, held_bytes = receiver._assembler.held
            assert held <= MAX_PACKETS and held_bytes <= MAX_BYTES
        assert self.mixer.frames <= MAX_BLOCKS * packets, "more frames than packets with copies can hold"
        assert self.mixer.bytes <= 2 * size + 8192 * packets, "frames larger than what came"
        assert self.mixer.others <= 16 + OTHER_MESSAGES * (packets + polls)
        assert self.wire.largest <= LARGEST_REPORT, self.wire.largest
        assert self.repaired <= REPAIR_BURST + REPAIR_SHARE * SENT_BYTES, self.repaired
