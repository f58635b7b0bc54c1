"""A room's sound on simulated time: the engine's own tick, fed and listened to without threads or clocks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from mixdown.codecs.audio import AudioDecoder, make_audio_decoder
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu.engine.audio_feed import AudioFeed
from mixdown.mcu.engine.audio_run import AudioHooks, AudioRun
from mixdown.mcu.engine.config import EngineConfig
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.decoder_pool import DecoderPool
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.meter import CpuMeter
from mixdown.mcu.engine.stage import Voices, make_stage
from mixdown.mcu.link.messages import (
    FromMixer,
    ParticipantDocument,
    RoomDocument,
    Route,
    SourceKind,
    Subscribe,
    ViewDocument,
)
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE, Samples

TICK = BLOCK_SAMPLES / SAMPLE_RATE


class Ear:
    """Follows its routes and decodes what it is sent."""

    def __init__(self, codec: CodecId) -> None:
        self.codec = codec
        self.stream = ""
        self.deaf = False
        self.routes: list[str] = []
        self.heard: list[Samples] = []
        self.packets: list[EncodedFrame] = []
        self._decoder: AudioDecoder = make_audio_decoder(codec)

    def take(self, frame: EncodedFrame) -> None:
        if self.deaf:
            return
        self.packets.append(frame)
        self.heard.append(self._decoder.decode(frame.data))


class SoundRoom:
    """voices: participant -> the codec that it sends and receives."""

    def __init__(self, voices: Mapping[str, CodecId], config: EngineConfig | None = None) -> None:
        self.faults = Faults()
        self.protected: frozenset[str] = frozenset()
        self.streams_of_tick: set[str] = set()
        self.ears = {name: Ear(codec) for name, codec in voices.items()}
        self.feeds = {
            f"{name}-microphone": AudioFeed(f"{name}-microphone", name, SourceKind.MICROPHONE, 0, self.faults)
            for name in voices
        }
        for feed in self.feeds.values():
            feed.set_heard(True)
        self._document = RoomDocument(
            "room",
            0,
            (ViewDocument("main", parse_layout_name("grid")),),
            tuple(ParticipantDocument(name, name) for name in voices),
        )
        self._stage = make_stage(self._document, {}, Voices())
        crew = Crew(self.faults)
        self.context = RoomContext(
            "room",
            0.0,
            config or EngineConfig(),
            self._deliver,
            crew,
            DecoderPool(crew, self.faults, 1, 0.1),
            self.faults,
            CpuMeter(0.0),
        )
        listeners = {name: Subscribe("room", name, name, MediaKind.AUDIO, codec) for name, codec in voices.items()}
        hooks = AudioHooks(
            lambda: self._stage, lambda: self.feeds, lambda: listeners, lambda: self.protected, lambda voices: None
        )
        self.run = AudioRun(self.context, hooks, itertools.count().__next__)
        self.number = 0

    def alter(self, participant: str, **fields: object) -> None:
        """Changes a participant's document: gain_db, audio_muted."""
        people = tuple(
            replace(p, **fields) if p.id == participant else p  # type: ignore[arg-type]
            for p in self._document.participants
        )
        self._document = replace(self._document, participants=people)
        self._stage = make_stage(self._document, {}, Voices())

    def send(
        self, participant: str, n: int, data: bytes, arrival: float, start: int = 0, *, redundant: bool = False
    ) -> None:
        """Packet n of a steady stream, 20 ms each. start: the stream's first RTP time. redundant: as EncodedFrame's."""
        name = f"{participant}-microphone"
        codec = self.ears[participant].codec
        step = codec.clock_rate // 50
        self.feeds[name].offer(
            EncodedFrame(
                name, 0, codec, n, n, start + n * step, data, duration=step, arrival=arrival, redundant=redundant
            )
        )

    def tick(self) -> float:
        """One tick; returns its time."""
        due = self.number * TICK
        self.streams_of_tick = set()
        self.run.tick(self.number, due)
        self.number += 1
        return due

    def _deliver(self, message: FromMixer) -> None:
        if isinstance(message, Route):
            ear = self.ears[message.subscriber]
            ear.stream = message.stream
            ear.routes.append(message.stream)
        elif isinstance(message, EncodedFrame):
            self.streams_of_tick.add(message.stream)
            for ear in self.ears.values():
                if ear.stream == message.stream:
                    ear.take(message)

    def check(self) -> None:
        """Raises if anything was survived that should not have happened."""
        if self.faults.snapshot():
            raise RuntimeError(f"the room survived {self.faults.snapshot()}")

    def close(self) -> None:
        self.run.end()
        for feed in self.feeds.values():
            feed.close()
