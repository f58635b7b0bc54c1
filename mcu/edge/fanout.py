"""One encoded frame to everybody who is routed to its stream. The only place whose cost grows with listeners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import h264, vp8
from mixdown.mcu import clock
from mixdown.mcu.edge.frame_buffer import FrameBuffer
from mixdown.mcu.edge.meter import Meters
from mixdown.mcu.edge.peer import Peer
from mixdown.mcu.edge.redundant import Copies
from mixdown.mcu.edge.sender import MediaSender
from mixdown.mcu.link.messages import Route

MAX_PAYLOAD = 1160
"Bytes: with headers and SRTP's tag a packet stays under 1220, which every path and tunnel carries."

Subscriber = tuple[str, MediaKind]


def cut(frame: EncodedFrame) -> Sequence[bytes | memoryview]:
    """The payloads of a frame, made once for all peers."""
    if frame.codec is CodecId.VP8:
        return vp8.split(frame.data, MAX_PAYLOAD)
    if frame.codec is CodecId.H264:
        return h264.split(frame.data, MAX_PAYLOAD)
    return (frame.data,)


class FanOut:
    """Which sender is fed by which stream. One that is switching is in two: what plays, and what is to come."""

    def __init__(self, meters: Meters, counters: Counter[str]) -> None:
        self._streams: dict[str, dict[Subscriber, tuple[Peer, MediaSender]]] = {}
        self._meters = meters
        self._counters = counters
        self.packets = 0
        self._copies = Copies()
        self._buffer = FrameBuffer()

    def route(self, peer: Peer, route: Route) -> None:
        """The peer's sender of that medium is fed by the route's stream; video from its next key frame on. A route that
        reaches a peer before it is connected was meant for the one that it replaces; one that comes after the peer has
        given up pictures, for what it watched before."""
        sender = peer.senders.get(route.kind)
        if sender is None or not peer.connected or not peer.wants(route.kind):
            self._counters["stale_routes"] += 1
            return
        key = (peer.request.participant, route.kind)
        if sender.wanted not in (None, sender.current, route.stream):
            self._drop(sender.wanted, key)
        sender.wanted = route.stream
        if route.kind is MediaKind.VIDEO:
            peer.bandwidth.rates(route.kbps)
        self._streams.setdefault(route.stream, {})[key] = (peer, sender)

    def forget(self, peer: Peer) -> None:
        for sender in peer.senders.values():
            self.leave(peer, sender)

    def leave(self, peer: Peer, sender: MediaSender) -> None:
        """The sender is fed no more."""
        for stream in {sender.current, sender.wanted}:
            self._drop(stream, (peer.request.participant, sender.kind), peer)
        sender.current = sender.wanted = None

    def end(self, stream: str) -> None:
        """No frame of it will come."""
        self._copies.forget(stream)
        for _, sender in self._streams.pop(stream, {}).values():
            if sender.wanted == stream:
                sender.wanted = None
            if sender.current == stream:
                sender.current = None

    def send(self, frame: EncodedFrame) -> None:
        """Cuts a frame and sends it to everybody on its stream."""
        subscribers = self._streams.get(frame.stream)
        if not subscribers:
            return
        began = clock.thread_cpu()
        payloads = cut(frame)
        doubled = self._copies.with_copy(frame)
        room = ""
        sent = 0
        for key, (peer, sender) in list(subscribers.items()):
            before = sender.current
            if not sender.takes(frame):
                continue
            if before not in (None, sender.current):
                self._drop(before, key)
            room = peer.request.room
            try:
                if doubled is not None and sender.codec.red is not None and not peer.bandwidth.thin:
                    copied = doubled.payloads(sender.codec.payload_type)
                    sent += peer.send_frame(sender, frame, copied, self._buffer, red=True)
                else:
                    sent += peer.send_frame(sender, frame, payloads, self._buffer)
            except Exception:  # noqa: BLE001 - one peer's transport must not take the frame from those behind it
                self._counters["send_exceptions"] += 1
        self.packets += sent
        self._meters.sent(room, clock.thread_cpu() - began)

    def _drop(self, stream: str | None, key: Subscriber, peer: Peer | None = None) -> None:
        subscribers = self._streams.get(stream or "")
        if subscribers is None or (peer is not None and key in subscribers and subscribers[key][0] is not peer):
            return
        subscribers.pop(key, None)
        if not subscribers:
            del self._streams[stream or ""]
