"""What a peer's m-lines came to: its senders and receivers, and what the mixer is told of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu import clock
from mixdown.mcu.edge.answer import MediaPlan, Streams
from mixdown.mcu.edge.receiver import SourceReceiver
from mixdown.mcu.edge.sender import MediaSender
from mixdown.mcu.edge.types import JoinRequest
from mixdown.mcu.link.messages import (
    MixerPort,
    SourceClosed,
    SourceFrame,
    SourceKind,
    SourceOpened,
    Subscribe,
    Unsubscribe,
)


class Lines:
    """connected: whether the transport is up; before it is, the mixer hears of nothing. by_ssrc: who takes which
    incoming stream. view, tier: what the peer's picture is subscribed as. on_gap: told when a picture's packets are
    found missing."""

    def __init__(self, request: JoinRequest, mixer: MixerPort, counters: Counter[str]) -> None:
        self.request = request
        self.view, self.tier = request.view, request.tier
        self.senders: dict[MediaKind, MediaSender] = {}
        self.receivers: dict[str, SourceReceiver] = {}
        self.streams: dict[str, Streams] = {}
        self.by_ssrc: dict[int, SourceReceiver] = {}
        self.connected = False
        self.on_gap: Callable[[float], None] = lambda now: None
        self._mixer = mixer
        self._counters = counters

    def plan(self, plans: Sequence[MediaPlan]) -> list[MediaSender]:
        """Makes the senders and receivers that an offer's m-lines call for; those that stay are kept as they are.
        Returns the senders that are no longer wanted, for the fan-out to forget."""
        self._plan_receivers({p.source: p for p in plans if p.source is not None})
        unwanted = [sender for sender in self.senders.values() if not any(sender.serves(plan) for plan in plans)]
        for sender in unwanted:
            del self.senders[sender.kind], self.streams[sender.mid]
            if self.connected:
                self._mixer.send(Unsubscribe(self.request.room, self.request.participant, sender.kind))
        for plan in plans:
            self._plan_sender(plan)
        return unwanted

    def _plan_receivers(self, wanted: dict[SourceKind, MediaPlan]) -> None:
        lines = {kind: plan.media.mid for kind, plan in wanted.items()}
        for source in [name for name, r in self.receivers.items() if lines.get(r.kind) != r.media.mid]:
            self._close_source(self.receivers.pop(source))
        for kind, plan in wanted.items():
            name = f"{self.request.participant}-{kind.value}"
            if name in self.receivers:
                continue
            receiver = SourceReceiver(
                name, kind, plan.media, self.request.epoch, self._frame, self._open_source, self._counters, self._gap
            )
            self.receivers[name] = receiver
            for ssrc in plan.media.ssrcs:
                self.by_ssrc[ssrc] = receiver
            if self.connected:
                self._open_source(receiver)

    def _plan_sender(self, plan: MediaPlan) -> None:
        if not plan.sends or plan.codec is None or plan.codec.id.kind in self.senders:
            return
        streams = Streams(random.randrange(1, 1 << 32), random.randrange(1, 1 << 32))
        self.streams[plan.media.mid] = streams
        sender = MediaSender(plan.media, plan.codec, streams)
        self.senders[sender.kind] = sender
        if self.connected:
            self.subscribe(sender.kind)

    def open(self) -> None:
        """The transport is up: the mixer hears of the sources, and of what is wanted."""
        self.connected = True
        for receiver in self.receivers.values():
            self._open_source(receiver)
        for kind in self.senders:
            self.subscribe(kind)

    def close(self) -> None:
        if not self.connected:
            return
        self.connected = False
        for kind in self.senders:
            self._mixer.send(Unsubscribe(self.request.room, self.request.participant, kind))
        for receiver in self.receivers.values():
            self._close_source(receiver)

    def subscribe(self, kind: MediaKind) -> None:
        codec = self.senders[kind].codec
        room, participant = self.request.room, self.request.participant
        self._mixer.send(
            Subscribe(room, participant, participant, kind, codec.id, self.view, self.tier, codec.level or 0)
        )

    def sent_codec(self, kind: MediaKind) -> CodecId | None:
        sender = self.senders.get(kind)
        return sender.codec.id if sender else None

    @property
    def reduced(self) -> bool:
        """Whether RTCP that is no compound may be sent (RFC 5506)."""
        media = [receiver.media for receiver in self.receivers.values()]
        return all(one.reduced for one in media) and all(sender.reduced for sender in self.senders.values())

    def end_source(self, kind: SourceKind) -> bool:
        """Takes a source out of the room although its packets may still come. Whether it was there."""
        receiver = self.receivers.get(f"{self.request.participant}-{kind.value}")
        if receiver is None or receiver.ended or not self.connected:
            return False
        self._mixer.send(SourceClosed(self.request.room, receiver.source, receiver.epoch))
        receiver.stop(clock.now())
        return True

    def bye(self, ssrc: int, now: float) -> None:
        """The peer ended a stream; an SSRC that is none of its sources' is ignored."""
        receiver = self.by_ssrc.get(ssrc)
        if receiver is not None and receiver.ssrc == ssrc and not receiver.ended:
            self._mixer.send(SourceClosed(self.request.room, receiver.source, receiver.epoch))
            receiver.bye(now)

    def _gap(self, now: float) -> None:
        self.on_gap(now)

    def _frame(self, frame: EncodedFrame) -> None:
        self._mixer.send(SourceFrame(self.request.room, frame))

    def _open_source(self, receiver: SourceReceiver) -> None:
        request = self.request
        self._mixer.send(
            SourceOpened(request.room, receiver.source, request.participant, receiver.kind, receiver.epoch)
        )

    def _close_source(self, receiver: SourceReceiver) -> None:
        self.by_ssrc = {ssrc: r for ssrc, r in self.by_ssrc.items() if r is not receiver}
        if not receiver.ended:
            self._mixer.send(SourceClosed(self.request.room, receiver.source, receiver.epoch))
