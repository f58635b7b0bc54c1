"""A large room where all talk at once: only the loudest are decoded, and whoever becomes loud is heard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from mixdown.codecs.audio_source import AudioSource
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.opus import OpusDecoder, OpusEncoder
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
    Canvas,
    FromMixer,
    ParticipantDocument,
    RoomDocument,
    Route,
    SourceKind,
    Speaking,
    StreamEnded,
    Subscribe,
    ViewDocument,
)
from mixdown.mixer.audio_mixer import DEFAULT_LOUDEST
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.levels import rfc6464
from mixdown.mixer.loudest import SPARE

PEOPLE = 24
LISTENER = "p00"


def listening(name: str, codec: CodecId = CodecId.OPUS) -> Subscribe:
    return Subscribe("hall", name, name, MediaKind.AUDIO, codec)


class Hall:
    """PEOPLE with a tone each, the first ones the loudest; ticks on a simulated clock. said: whether packets carry
    levels. levels: dBov of each one's tone."""

    def __init__(self, said: bool) -> None:
        self.faults = Faults()
        self.names = [f"p{n:02}" for n in range(PEOPLE)]
        self.levels = {name: -20.0 - n for n, name in enumerate(self.names)}
        self.out: list[FromMixer] = []
        self.heard: list[np.ndarray] = []
        self._said = said
        self._ticks = itertools.count()
        self._encoders = {name: OpusEncoder(complexity=1) for name in self.names}
        self._decoder = OpusDecoder()
        people = tuple(ParticipantDocument(name, name) for name in self.names)
        view = ViewDocument("main", parse_layout_name("grid"), Canvas())
        stage = make_stage(RoomDocument("hall", 0, (view,), people), {}, Voices())
        crew = Crew(self.faults)
        pool = DecoderPool(crew, self.faults, size=1, idle_seconds=1.0)
        context = RoomContext("hall", 0.0, EngineConfig(), self.out.append, crew, pool, self.faults, CpuMeter(0.0))
        self.feeds = {
            f"{name}-microphone": AudioFeed(f"{name}-microphone", name, SourceKind.MICROPHONE, 0, self.faults)
            for name in self.names
        }
        for feed in self.feeds.values():
            feed.set_heard(True)
        self.listeners = {LISTENER: listening(LISTENER)}
        hooks = AudioHooks(lambda: stage, lambda: self.feeds, lambda: self.listeners, frozenset, lambda voices: None)
        self.run = AudioRun(context, hooks, itertools.count().__next__)

    def tone(self, name: str) -> float:
        return 300.0 + 250.0 * self.names.index(name)

    def tick(self, count: int = 1) -> None:
        for n in itertools.islice(self._ticks, count):
            for name, feed in zip(self.names, self.feeds.values(), strict=True):
                feed.offer(self._packet(name, n))
            self.run.tick(n, n * 0.02 + 0.01)
        for message in self.out:
            if isinstance(message, EncodedFrame) and message.codec is CodecId.OPUS:
                self.heard.append(self._decoder.decode(message.data))
        self.routes = [(m.subscriber, m.stream) for m in self.out if isinstance(m, Route)]
        self.ended = [m.stream for m in self.out if isinstance(m, StreamEnded)]
        self.speaking = {m.participant for m in self.out if isinstance(m, Speaking) and m.speaking}
        self.out.clear()

    def _packet(self, name: str, n: int) -> EncodedFrame:
        t = np.arange(n * 960, (n + 1) * 960) / 48_000
        wave = 10 ** (self.levels[name] / 20) * np.sqrt(2) * np.sin(2 * np.pi * self.tone(name) * t)
        data = self._encoders[name].encode(np.repeat(wave[:, None], 2, axis=1).astype(np.float32))
        level = rfc6464(self.levels[name]) if self._said else None
        source = f"{name}-microphone"
        return EncodedFrame(source, 0, CodecId.OPUS, n, n, n * 960, data, level=level, arrival=n * 0.02)

    def strength(self, name: str, blocks: int) -> float:
        """dBov of a person's tone in what was heard last; sources are played up to 1 % faster or slower."""
        sound = np.concatenate(self.heard[-blocks:])[:, 0]
        window = np.hanning(len(sound))
        power = np.abs(np.fft.rfft(sound * window)) ** 2 * 2 / len(sound) / np.sum(window**2)
        near = np.abs(np.fft.rfftfreq(len(sound), 1 / 48_000) - self.tone(name)) < 40
        return float(10 * np.log10(power[near].sum() + 1e-12))

    def close(self) -> None:
        self.run.end()
        assert self.faults.snapshot() == {}
        for each in (*self._encoders.values(), *self.feeds.values(), self._decoder):
            each.close()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many packets were decoded."""
    count = [0]
    decode = AudioSource._decode

    def counted(self: AudioSource, packet: bytes) -> bool:
        count[0] += 1
        return decode(self, packet)

    monkeypatch.setattr(AudioSource, "_decode", counted)
    yield count


def test_of_all_who_talk_only_the_loudest_are_decoded_and_they_are_heard(decoded: list[int]) -> None:
    hall = Hall(said=True)
    hall.tick(60)
    decoded[0] = 0
    hall.tick(40)
    assert decoded[0] == pytest.approx(40 * (DEFAULT_LOUDEST + 1 + SPARE), rel=0.03)  # playing faster takes one more
    last = hall.feeds[f"{hall.names[-1]}-microphone"].body()
    assert last["decoded"] + last["skipped"] == 100 and last["skipped"] >= 90
    strengths = {name: hall.strength(name, 30) for name in hall.names}
    audible = [name for name in hall.names if strengths[name] > -45]
    assert audible == hall.names[1 : DEFAULT_LOUDEST + 1]  # the first one listens: the reserve is in his place
    assert all(strengths[name] == pytest.approx(hall.levels[name], abs=3) for name in audible)
    hall.close()


def test_who_becomes_loud_is_heard_at_once() -> None:
    hall = Hall(said=True)
    hall.tick(60)
    last = hall.names[-1]
    hall.levels[last] = -15.0
    hall.tick(12)
    assert hall.strength(last, 5) == pytest.approx(-15.0, abs=3)
    assert last in hall.speaking
    hall.close()


def test_who_falls_silent_makes_room_for_the_next() -> None:
    hall = Hall(said=True)
    hall.tick(60)
    hall.levels[hall.names[3]] = -100.0
    hall.tick(100)
    following = hall.names[DEFAULT_LOUDEST + 1]
    assert hall.strength(hall.names[3], 10) < -50
    assert hall.strength(following, 10) == pytest.approx(hall.levels[following], abs=3)
    hall.close()


def test_who_does_not_say_how_loud_he_is_is_decoded(decoded: list[int]) -> None:
    hall = Hall(said=False)
    hall.tick(20)
    decoded[0] = 0
    hall.tick(10)
    assert decoded[0] >= 10 * PEOPLE
    hall.close()


def test_routes_are_told_when_they_change_and_when_they_are_asked_for_again() -> None:
    hall = Hall(said=True)
    quiet = hall.names[-1]
    hall.listeners = {LISTENER: listening(LISTENER), quiet: listening(quiet)}
    hall.tick(60)
    assert hall.routes[-1] == (LISTENER, f"hall/mix/opus/{LISTENER}") and (quiet, "hall/mix/opus") in hall.routes
    hall.tick(10)
    assert hall.routes == []
    hall.listeners = hall.listeners | {quiet: listening(quiet)}
    hall.tick(10)
    assert hall.routes == [(quiet, "hall/mix/opus")]
    hall.close()


def test_a_codec_that_nobody_listens_to_any_more_ends_and_can_begin_again() -> None:
    hall = Hall(said=True)
    telephone = hall.names[-1]
    hall.tick(5)
    hall.listeners = hall.listeners | {telephone: listening(telephone, CodecId.PCMU)}
    hall.tick(5)
    assert (telephone, "hall/mix/PCMU") in hall.routes
    assert [(row["codec"], row["listeners"]) for row in hall.run.mixes] == [("opus", 1), ("PCMU", 1)]
    hall.listeners = {LISTENER: hall.listeners[LISTENER]}
    hall.tick(5)
    assert hall.ended == ["hall/mix/PCMU"] and [row["codec"] for row in hall.run.mixes] == ["opus"]
    hall.listeners = hall.listeners | {telephone: listening(telephone, CodecId.PCMU)}
    hall.tick(5)
    assert hall.routes == [(telephone, "hall/mix/PCMU")] and len(hall.run.mixes) == 2
    hall.close()
