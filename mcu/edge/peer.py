"""One peer: its transport, what it sends, what it is sent. Everything of a participant's connection, and nothing else.

datagram -> Transport (STUN, DTLS, verified addresses only) -> Inbound -> SRTP -> receivers | Control (RTCP)
fan-out -> MediaSender.packetise -> Outgoing (pacing, SRTP, system calls) <- Reporter (RTCP)
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from aiortc import RTCIceCandidate

from mixdown.codecs.encoded import EncodedFrame, MediaKind, TierName
from mixdown.mcu import clock
from mixdown.mcu.edge.aiortc_private import Transport
from mixdown.mcu.edge.bandwidth import Bandwidth
from mixdown.mcu.edge.control import Control
from mixdown.mcu.edge.frame_buffer import FrameBuffer
from mixdown.mcu.edge.inbound import Inbound
from mixdown.mcu.edge.kernel_time import KernelTime
from mixdown.mcu.edge.lines import Lines
from mixdown.mcu.edge.liveness import Liveness, Vital
from mixdown.mcu.edge.meter import RoomMeter
from mixdown.mcu.edge.offer import Offer
from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.edge.reporter import Reporter
from mixdown.mcu.edge.sender import MediaSender
from mixdown.mcu.edge.types import JoinRequest, PeerState
from mixdown.mcu.link.messages import KeyFrameRequest, MixerPort

LOOK = 0.08
"Seconds between two looks whether the peer is there; four polls."
CLOSE_DEADLINE = 1.0
"Seconds that freeing a transport may take, whatever it is in the middle of."


class Peer:
    """Lives on the edge's loop. `mixer`: where sources, frames and subscriptions go. closed: told once, by itself.
    inbound, out, reporter, liveness: from the connection on."""

    def __init__(
        self,
        request: JoinRequest,
        offer: Offer,
        transport: Transport,
        mixer: MixerPort,
        counters: Counter[str],
        meter: RoomMeter,
    ) -> None:
        self.request = request
        self.offer = offer
        self.transport = transport
        self.cname = f"mixdown-{request.participant}"
        self.lines = Lines(request, mixer, counters)
        self.bandwidth = Bandwidth(self.lines, counters)
        self.control = Control(self.lines, self.bandwidth, mixer, counters)
        self.inbound: Inbound | None = None
        self.out: Outgoing | None = None
        self.reporter: Reporter | None = None
        self.liveness: Liveness | None = None
        self.active = offer.dtls.role != "client"
        self.session_id = random.getrandbits(62)
        self.answers = 0
        self.connected = False
        self.closed = False
        self._next_look = 0.0
        self._kernel_time = KernelTime()
        self._mixer = mixer
        self._counters = counters
        self._meter = meter

    @property
    def senders(self) -> dict[MediaKind, MediaSender]:
        return self.lines.senders

    def wants(self, kind: MediaKind) -> bool:
        """Whether it is to be sent that medium: at the tier of sound alone there is no picture, nor while its line has
        yet to carry what is queued on it."""
        return kind is MediaKind.AUDIO or (self.lines.tier is not TierName.AUDIO and not self.bandwidth.draining)

    async def connect(self, candidates: Sequence[RTCIceCandidate], *, complete: bool) -> None:
        """ICE, then DTLS. Raises ConnectionError if either fails."""
        for candidate in candidates:
            await self.transport.ice_transport.addRemoteCandidate(candidate)
        if complete and candidates:
            await self.transport.ice_transport.addRemoteCandidate(None)
        await self.transport.ice_transport.start(self.offer.ice)
        if self.transport.ice_transport.state != "completed":
            raise ConnectionError("ICE failed")
        await self.transport.dtls.start(self.offer.dtls)
        if self.closed or self.transport.dtls.state != "connected":
            raise ConnectionError("DTLS failed, or the peer was closed meanwhile")
        self._open()

    def _open(self) -> None:
        received, sent = self.transport.srtp_sessions()
        self.out = self.control.out = Outgoing(self.transport.ice, sent, self._counters, self._meter)
        self.bandwidth.open(self.out)
        self.reporter = Reporter(self.lines, self.control, self.out, self._mixer)
        self.inbound = Inbound(received, self.lines, self.control, self._counters, self._meter, self._arrival)
        self.transport.ice.on_media = self.inbound.on_media
        self.liveness = Liveness(clock.now())
        self.connected = True
        self.lines.open()

    def _arrival(self, now: float) -> float:
        """When the datagram that was just read came. Over the selected pair's socket, as all media does."""
        pair = self.transport.ice.selected
        return self._kernel_time.arrival(getattr(pair.protocol, "sock", None), now) if pair is not None else now

    def send_frame(
        self,
        sender: MediaSender,
        frame: EncodedFrame,
        payloads: Sequence[bytes | memoryview],
        buffer: FrameBuffer,
        *,
        red: bool = False,
    ) -> int:
        """One frame of the fan-out; returns how many packets it made. buffer: where a picture is made ready; red:
        whether the payloads are RED."""
        if self.out is None:
            return 0
        if sender.kind is MediaKind.AUDIO:
            packets = sender.packetise(frame, payloads, clock.now(), red=red)
            self.out.send(packets, droppable=False)
            return len(packets)
        if self.out.overrun():
            sender.current = None
            self._mixer.send(KeyFrameRequest(self.request.room, self.request.participant))
            return 0
        packets = sender.packetise(frame, payloads, clock.now())
        self.out.send_frame(packets, sender.marks, buffer)
        return len(packets)

    def want(self, source: str, height: int) -> None:
        """The largest tile of one of its sources, canvas pixels; 0: nobody sees it."""
        if self.reporter is not None:
            self.reporter.want(source, height)

    def want_key_frame(self, source: str) -> None:
        if self.reporter is not None:
            self.reporter.want_key_frame(source)

    def poll(self, now: float) -> None:
        """Called every few ms while connected."""
        if self.inbound is not None and self.inbound.admission.refill(now):
            self.transport.ice.mute(now)
        if self.reporter is not None:
            self.reporter.poll(now)
            self.control.poll(now)
            self.bandwidth.poll(now)

    @property
    def sent(self) -> tuple[int, int]:
        """Packets and bytes of RTP."""
        return (self.out.packets, self.out.bytes) if self.out is not None else (0, 0)

    @property
    def received(self) -> tuple[int, int]:
        """Packets and bytes of SRTP and SRTCP that were really the peer's."""
        return (self.inbound.packets, self.inbound.bytes) if self.inbound is not None else (0, 0)

    def judge(self, now: float) -> Vital:
        """Whether it is there, by what was heard of it; asks it where that is too little. Only while connected."""
        if self.inbound is None or self.liveness is None:
            return Vital.LIVE
        if now < self._next_look:
            return self.liveness.vital
        self._next_look = now + LOOK
        self.transport.ice.unmute(now)
        vital = self.liveness.judge(max(self.inbound.last_received, self.transport.ice.last_check), now)
        if self.liveness.should_probe(now):
            self.transport.ice.probe()
        return vital

    @property
    def state(self) -> PeerState:
        if not self.connected:
            return PeerState.CONNECTING
        return PeerState.DISCONNECTED if self.away else PeerState.CONNECTED

    @property
    def away(self) -> bool:
        """Silent for too long, and not yet given up."""
        return self.liveness is not None and self.liveness.away

    def resume(self) -> None:
        """It is back after a silence: whole pictures both ways, without waiting until somebody misses them."""
        for source in self.lines.receivers:
            self.want_key_frame(source)
        if MediaKind.VIDEO in self.senders:
            self._mixer.send(KeyFrameRequest(self.request.room, self.request.participant))

    @property
    def ended(self) -> bool:
        """The other side closed DTLS, or ICE consent expired."""
        return self.connected and self.transport.dtls.state != "connected"

    @property
    def level(self) -> int:
        """Of its microphone, dBov 0 loudest .. 127 silent."""
        receivers = self.lines.receivers.values()
        return min((r.level for r in receivers if r.kind.media is MediaKind.AUDIO), default=127)

    async def close(self) -> None:
        """Within CLOSE_DEADLINE, whatever state the transports are in."""
        if self.closed:
            return
        self.closed = True
        self.bandwidth.close()
        if self.out is not None:
            self.out.close()
        self.lines.close()
        self.connected = False
        self.transport.ice.on_media = lambda datagram: None
        if not await self.transport.stop(CLOSE_DEADLINE):
            self._counters["close_errors"] += 1
