"""One tick of a room's sound: pull, mix, encode, hand out; and who is speaking."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mixdown.codecs.audio import AudioEncoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.mix_encoders import PROTECTED, MixEncoders, MixPackets
from mixdown.mcu import clock
from mixdown.mcu.engine.audio_feed import AudioFeed
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.stage import Stage, Voices
from mixdown.mcu.link.messages import ActiveSpeaker, Route, Speaking, StreamEnded, Subscribe
from mixdown.mixer.audio_mixer import DEFAULT_LOUDEST, AudioMixer, MixResult
from mixdown.mixer.levels import SILENCE_DBOV
from mixdown.mixer.loudest import Loudest
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from mixdown.mixer.speakers import Speakers, SpeakerState

RATE = SAMPLE_RATE // BLOCK_SAMPLES
"Ticks a second."
PROTECTED_LOSS = 15
"Per cent of loss that the encode with FEC reckons with: the more, the more of its bits go there."
UNSENT_BYTES = 2
"Opus packets up to this size are DTX's: there is nothing in them that a receiver does not make up by itself."


@dataclass(frozen=True, slots=True)
class AudioHooks:
    """What the ticker reads and tells. listeners: subscriber -> its Subscribe. protected: subscribers who are to get
    FEC. voices: who is heard has changed."""

    stage: Callable[[], Stage]
    feeds: Callable[[], Mapping[str, AudioFeed]]
    listeners: Callable[[], Mapping[str, Subscribe]]
    protected: Callable[[], frozenset[str]]
    voices: Callable[[Voices], None]


class AudioRun:
    """What lasts from the first listener to the last: mixer, encoders, routes. Its methods: the ticker's thread."""

    def __init__(self, context: RoomContext, hooks: AudioHooks, epochs: Callable[[], int]) -> None:
        self.mixes: tuple[dict[str, Any], ...] = ()
        "Rows of the stats."
        self._context = context
        self._hooks = hooks
        self._next_epoch = epochs
        self._mixer = AudioMixer()
        self._loudest = Loudest(DEFAULT_LOUDEST)
        self._levels: Mapping[str, float] = {}
        "participant -> dBov as measured in the last tick, of those who were decoded."
        self._speakers = Speakers()
        self._encoders: dict[CodecId, MixEncoders] = {}
        self._epochs: dict[str, int] = {}  # live stream -> epoch
        self._listeners: Mapping[str, Subscribe] | None = None
        self._heard_by: dict[CodecId, dict[str, str]] = {}
        "codec -> listeners, by subscriber their participant."
        self._streams: dict[CodecId, Mapping[str, str]] = {}
        "codec -> subscriber -> stream, as routed."
        self._routed: dict[str, tuple[Subscribe, str]] = {}
        self._survive_decode = context.faults.survive("audio_decode")
        self._stage: Stage | None = None
        self._owned: Mapping[str, AudioFeed] | None = None
        self._owners: dict[str, str] = {}
        self._gains: dict[str, float] = {}
        self._muted: frozenset[str] = frozenset()
        self._everybody: Collection[str] = ()
        "Participants with a source, where they are so few that all are decoded, whatever they say."

    def tick(self, number: int, due: float) -> None:
        """The tick whose time was at `due`; it may have become later."""
        feeds = self._hooks.feeds()
        self._follow(self._hooks.stage(), feeds)
        inputs: dict[str, Samples] = {}
        claims = {} if self._everybody else self._claims(feeds)
        wanted = self._everybody or self._loudest.choose(claims)
        for name, owner in self._owners.items():
            with self._survive_decode:
                block = feeds[name].pull(due, owner in wanted)
                if block is not None:
                    inputs[name] = block
        result = self._mixer.mix(inputs, self._owners, self._gains, self._muted)
        self._encode(result, number, due)
        encoded = clock.now()
        for name in inputs:
            arrival = feeds[name].take_arrival()
            if arrival is not None:
                self._context.audio_latency.add(encoded - arrival)
        self._levels = result.levels
        unheard = {owner: level for owner, level in claims.items() if owner not in wanted}
        self._tell(self._speakers.update({**unheard, **result.levels}, due))

    def _claims(self, feeds: Mapping[str, AudioFeed]) -> dict[str, float]:
        """participant -> dBov: as measured in the last tick, or as his sources say, with gain and mute applied. Who
        does not say is decoded and measured, so that he counts once there is something to be heard."""
        claims: dict[str, float] = {}
        for name, owner in self._owners.items():
            if owner in self._muted:
                claims[owner] = SILENCE_DBOV
            elif (measured := self._levels.get(owner)) is not None:
                claims[owner] = measured
            else:
                said = feeds[name].said
                level = SILENCE_DBOV if said is None else min(0.0, said + self._gains.get(owner, 0.0))
                claims[owner] = max(level, claims.get(owner, SILENCE_DBOV))
        return claims

    def _follow(self, stage: Stage, feeds: Mapping[str, AudioFeed]) -> None:
        """Takes owners, gains and mutes from the document, when it or the sources changed."""
        if stage is self._stage and feeds is self._owned:
            return
        voices = {p.id: p for p in stage.document.participants if not p.viewer}
        if self._stage is not None:
            for gone in {p.id for p in self._stage.document.participants} - set(voices):
                self._speakers.forget(gone)
        self._stage, self._owned = stage, feeds
        self._owners = {name: feed.participant for name, feed in feeds.items() if feed.participant in voices}
        self._gains = {name: participant.gain_db for name, participant in voices.items()}
        self._muted = frozenset(name for name, participant in voices.items() if participant.audio_muted)
        silent = dict.fromkeys(self._owners.values(), SILENCE_DBOV)
        self._everybody = self._loudest.choose(silent) if self._loudest.takes_all(len(silent)) else ()

    # ---- out -----------------------------------------------------------------------------------------------------

    def _encode(self, result: MixResult, number: int, due: float) -> None:
        listeners = self._hooks.listeners()
        changed = listeners is not self._listeners
        if changed:
            self._seat(listeners)
        for codec, heard_by in tuple(self._heard_by.items()):
            protected = self._hooks.protected() if codec is CodecId.OPUS else frozenset[str]()
            packets = self._encoders_of(codec).encode(result, heard_by, protected)
            if packets.streams is not self._streams.get(codec):
                changed = True
                self._route(packets.streams, listeners)
                self._streams[codec] = packets.streams
            self._hand_out(codec, packets, number, due)
            if not heard_by:
                self._encoders.pop(codec).close()
                del self._heard_by[codec], self._streams[codec]
        if changed:
            rows = (_mixes(codec, self._shared(codec), streams) for codec, streams in self._streams.items())
            self.mixes = tuple(itertools.chain.from_iterable(rows))

    def _seat(self, listeners: Mapping[str, Subscribe]) -> None:
        """By codec. One that nobody listens to any more stays for one more tick, in which its streams end."""
        self._listeners = listeners
        self._heard_by = {codec: {} for codec in self._encoders}
        for subscriber, subscribe in listeners.items():
            self._heard_by.setdefault(subscribe.codec, {})[subscriber] = subscribe.participant
        self._routed = {s: routed for s, routed in self._routed.items() if s in listeners}
        self._streams.clear()  # all are routed again

    def _shared(self, codec: CodecId) -> str:
        return f"{self._context.room}/mix/{codec.value}"

    def _encoders_of(self, codec: CodecId) -> MixEncoders:
        encoders = self._encoders.get(codec)
        if encoders is None:

            def make(fec: bool) -> AudioEncoder:
                config = self._context.config
                return make_audio_encoder(
                    codec,
                    bitrate=config.opus_bitrate,
                    complexity=config.opus_complexity,
                    dtx=config.opus_dtx,
                    loss_percent=PROTECTED_LOSS if fec else 0,
                )

            encoders = self._encoders[codec] = MixEncoders(self._shared(codec), make)
        return encoders

    def _route(self, streams: Mapping[str, str], listeners: Mapping[str, Subscribe]) -> None:
        """Before the tick's packets, as Route says. A repeated Subscribe is answered again: its peer may be new."""
        for subscriber, stream in streams.items():
            routed = self._routed.get(subscriber)
            subscribe = listeners[subscriber]
            if routed is None or routed[0] is not subscribe or routed[1] != stream:
                self._routed[subscriber] = (subscribe, stream)
                self._context.deliver(Route(subscriber, MediaKind.AUDIO, stream))

    def _hand_out(self, codec: CodecId, packets: MixPackets, number: int, due: float) -> None:
        duration = codec.clock_rate // RATE
        with_fec = self._shared(codec) + PROTECTED
        for stream in packets.ended:
            self._end_stream(stream)
        for stream, packet in packets.packets.items():
            if stream not in self._epochs:
                self._epochs[stream] = self._next_epoch()
            if codec is CodecId.OPUS and len(packet.data) <= UNSENT_BYTES:
                continue
            self._context.deliver(
                EncodedFrame(
                    stream=stream,
                    epoch=self._epochs[stream],
                    codec=codec,
                    sequence=number,
                    last_sequence=number,
                    rtp_time=number * duration,
                    data=packet.data,
                    marker=False,
                    duration=duration,
                    level=packet.level,
                    arrival=due,
                    protected=stream.startswith(with_fec),
                )
            )

    def _end_stream(self, stream: str) -> None:
        self._epochs.pop(stream, None)
        self._context.deliver(StreamEnded(stream))

    # ---- who is heard --------------------------------------------------------------------------------------------

    def _tell(self, state: SpeakerState) -> None:
        if not state.changed:
            return
        room = self._context.room
        for participant in sorted(state.stopped):
            self._context.deliver(Speaking(room, participant, False))
        for participant in sorted(state.started):
            self._context.deliver(Speaking(room, participant, True))
        if state.active_changed:
            self._context.deliver(ActiveSpeaker(room, state.active))
        self._hooks.voices(Voices(state.speaking, state.active))

    def end(self) -> None:
        """The last listener is gone: all mixes end, nobody is heard any more."""
        for encoders in self._encoders.values():
            encoders.close()
        for stream in list(self._epochs):
            self._end_stream(stream)
        state = self._speakers.update({}, clock.now())
        for participant in sorted(state.speaking | state.stopped):
            self._context.deliver(Speaking(self._context.room, participant, False))
        if state.active is not None:
            self._context.deliver(ActiveSpeaker(self._context.room, None))
        self._hooks.voices(Voices())


def _mixes(codec: CodecId, shared: str, streams: Mapping[str, str]) -> list[dict[str, Any]]:
    listeners = Counter(streams.values())
    return [
        {"codec": codec.value, "listeners": count, "shared": stream in (shared, shared + PROTECTED)}
        for stream, count in listeners.items()
    ]
