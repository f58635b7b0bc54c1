"""A room in an engine without a network: cameras and microphones with real codecs, watchers that decode what comes."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from mixdown.codecs.audio import make_audio_decoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, Tier, TierName
from mixdown.codecs.video import make_video_decoder, make_video_encoder
from mixdown.mcu import clock
from mixdown.mcu.engine.config import EngineConfig
from mixdown.mcu.engine.engine import Engine
from mixdown.mcu.link.messages import (
    Canvas,
    CloseRoom,
    FromMixer,
    KeyFrameRequest,
    ParticipantDocument,
    Reply,
    Request,
    RequestKind,
    RoomDocument,
    Route,
    SourceClosed,
    SourceFrame,
    SourceKeyFrameWanted,
    SourceKind,
    SourceOpened,
    StreamEnded,
    Subscribe,
    Unsubscribe,
    ViewDocument,
)
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE, I420Frame, Samples, Size
from mixdown.mixer.picture import colour

DEADLINE = 15.0
FRAME = 1 / 30
T = TypeVar("T")

Yuv = tuple[int, int, int]
RED: Yuv = (81, 90, 240)
BLUE: Yuv = (41, 240, 110)
GREEN: Yuv = (145, 54, 34)
BLACK: Yuv = (16, 128, 128)


class Camera:
    """Sends one colour, VP8 or H.264, a key frame when asked."""

    def __init__(self, participant: str, shade: Yuv, codec: CodecId = CodecId.VP8, size: Size | None = None) -> None:
        self.source = f"{participant}-camera"
        self.participant = participant
        self.shade = shade
        self.codec = codec
        self.epoch = 0
        self.size = size or Size(320, 180)
        self.on = True
        self.spoil: Callable[[bytes], bytes] = bytes
        self.wanted = 0
        self._key = True
        self._n = -1
        self._encoder = make_video_encoder(codec, Tier(TierName.FULL, self.size.width, self.size.height, 30, 500))

    def want_key(self) -> None:
        self.wanted += 1
        self._key = True

    def frame(self) -> EncodedFrame:
        self._n += 1
        picture = colour(self.size, *self.shade)
        picture.y[::4, ::4] += self._n % 3  # an encoder may leave out what does not change
        made = self._encoder.encode(picture, self._n, self._key)
        assert made is not None
        self._key = False
        return EncodedFrame(
            self.source, self.epoch, self.codec, self._n, self._n, self._n * 3000, self.spoil(made.data),
            key=made.key, arrival=clock.now(),
        )  # fmt: skip


class Microphone:
    """Sends a sine as packets of 20 ms, as many as are due."""

    def __init__(self, participant: str, hertz: float, codec: CodecId = CodecId.OPUS, level: float = 0.2) -> None:
        self.source = f"{participant}-microphone"
        self.participant = participant
        self.hertz = hertz
        self.codec = codec
        self.level = level
        self._n = 0
        self._began: float | None = None
        self._encoder = make_audio_encoder(codec)

    def frames(self) -> list[EncodedFrame]:
        now = clock.now()
        if self._began is None:
            self._began = now
        frames = []
        while self._began + self._n * 0.02 <= now:
            frames.append(self._frame(now))
        return frames

    def _frame(self, now: float) -> EncodedFrame:
        at = np.arange(self._n * BLOCK_SAMPLES, (self._n + 1) * BLOCK_SAMPLES)
        tone = (self.level * np.sin(2 * np.pi * self.hertz * at / SAMPLE_RATE)).astype(np.float32)
        data = self._encoder.encode(np.stack((tone, tone), axis=1))
        time_step = self.codec.clock_rate // 50
        frame = EncodedFrame(
            self.source, 0, self.codec, self._n, self._n, self._n * time_step, data, duration=time_step, arrival=now
        )
        self._n += 1
        return frame


class Watcher:
    """Follows its routes as an edge does: changes over at a key frame, decodes all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stream: str | None = None
        self.next: str | None = None
        self.picture: I420Frame | None = None
        self.frames: list[EncodedFrame] = []
        self.before_key = 0
        self._decoder = None

    def take(self, message: FromMixer) -> None:
        if isinstance(message, Route) and message.subscriber == self.name and message.kind is MediaKind.VIDEO:
            self.next = message.stream
        elif isinstance(message, EncodedFrame) and message.stream == self.next and message.key:
            self.stream, self.next = self.next, None
            self._decoder = make_video_decoder(message.codec)
            self._show(message)
        elif isinstance(message, EncodedFrame) and message.stream == self.stream and self._decoder is not None:
            self._show(message)
        elif isinstance(message, StreamEnded) and message.stream == self.stream:
            self.stream = None

    def _show(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        assert self._decoder is not None
        if frame.key and len(self.frames) > 1 and frame.epoch != self.frames[-2].epoch:
            self._decoder = make_video_decoder(frame.codec)
        self.picture = self._decoder.decode(frame.data)[-1]

    def colour_at(self, x: int, y: int) -> Yuv | None:
        if self.picture is None:
            return None
        frame = self.picture
        return int(frame.y[y, x]), int(frame.u[y // 2, x // 2]), int(frame.v[y // 2, x // 2])


class Listener:
    """Decodes the mix it is routed to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stream: str | None = None
        self.routes: list[str] = []
        self.heard: list[Samples] = []
        self.packets: list[EncodedFrame] = []
        self._decoder = None

    def take(self, message: FromMixer) -> None:
        if isinstance(message, Route) and message.subscriber == self.name and message.kind is MediaKind.AUDIO:
            self.stream = message.stream
            self.routes.append(message.stream)
        elif isinstance(message, EncodedFrame) and message.stream == self.stream:
            if message.codec.kind is not MediaKind.AUDIO:
                return
            if self._decoder is None:
                self._decoder = make_audio_decoder(message.codec)
            self.packets.append(message)
            self.heard.append(self._decoder.decode(message.data))

    def tone_dbov(self, hertz: float, blocks: int = 25) -> float:
        """Level of one frequency in the newest half second."""
        if len(self.heard) < blocks:
            return -127.0
        sound = np.concatenate(self.heard[-blocks:])[:, 0].astype(np.float64)
        window = np.hanning(len(sound))
        wave = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / SAMPLE_RATE)
        amplitude = 2 * abs(np.sum(sound * window * wave)) / np.sum(window)
        return float(20 * np.log10(max(amplitude, 1e-7)))


class EngineRoom:
    """One room. `until` feeds cameras and microphones in real time until a condition holds."""

    def __init__(self, name: str = "room", canvas: Canvas | None = None, engine: Engine | None = None) -> None:
        self.name = name
        self.messages: list[FromMixer] = []
        self.cameras: list[Camera] = []
        self.microphones: list[Microphone] = []
        self.watchers: dict[str, Watcher] = {}
        self.listeners: dict[str, Listener] = {}
        self.replies: dict[int, Reply] = {}
        self._fresh = threading.Condition()
        self._inbox: list[FromMixer] = []
        self._ids = itertools.count(1)
        self._next_frame = 0.0
        self.engine = engine or Engine(self.deliver, EngineConfig(decoder_threads=2, decoder_idle=0.1))
        self.document = RoomDocument(
            name, 0, (ViewDocument("main", parse_layout_name("grid"), canvas or Canvas(640, 360, 30)),)
        )
        self.engine.send(self.document)

    # ---- towards the engine --------------------------------------------------------------------------------------

    def change(self, **fields: object) -> None:
        """Sends the document anew with these fields."""
        self.document = replace(self.document, revision=self.document.revision + 1, **fields)  # type: ignore[arg-type]
        self.engine.send(self.document)

    def change_main(self, **fields: object) -> None:
        main = replace(self.document.views[0], **fields)  # type: ignore[arg-type]
        self.change(views=(main, *self.document.views[1:]))

    def participants(self, *names: str) -> None:
        self.change(participants=tuple(ParticipantDocument(name, name.capitalize()) for name in names))

    def alter(self, name: str, **fields: object) -> None:
        self.change(
            participants=tuple(
                replace(p, **fields) if p.id == name else p  # type: ignore[arg-type]
                for p in self.document.participants
            )
        )

    def camera(self, participant: str, shade: Yuv, codec: CodecId = CodecId.VP8, size: Size | None = None) -> Camera:
        camera = Camera(participant, shade, codec, size)
        self.cameras.append(camera)
        self.engine.send(SourceOpened(self.name, camera.source, participant, SourceKind.CAMERA, camera.epoch))
        return camera

    def microphone(self, participant: str, hertz: float, codec: CodecId = CodecId.OPUS) -> Microphone:
        microphone = Microphone(participant, hertz, codec)
        self.microphones.append(microphone)
        self.engine.send(SourceOpened(self.name, microphone.source, participant, SourceKind.MICROPHONE, 0))
        return microphone

    def unplug(self, camera: Camera) -> None:
        self.cameras.remove(camera)
        self.engine.send(SourceClosed(self.name, camera.source, camera.epoch))

    def watch(
        self, name: str, codec: CodecId = CodecId.VP8, view: str = "main", tier: TierName = TierName.FULL
    ) -> Watcher:
        watcher = self.watchers.setdefault(name, Watcher(name))
        self.engine.send(Subscribe(self.name, name, name, MediaKind.VIDEO, codec, view, tier))
        return watcher

    def listen(self, name: str, codec: CodecId = CodecId.OPUS) -> Listener:
        listener = self.listeners.setdefault(name, Listener(name))
        self.engine.send(Subscribe(self.name, name, name, MediaKind.AUDIO, codec))
        return listener

    def leave(self, name: str, kind: MediaKind = MediaKind.VIDEO) -> None:
        self.engine.send(Unsubscribe(self.name, name, kind))

    def ask_key(self, name: str) -> None:
        self.engine.send(KeyFrameRequest(self.name, name))

    def ask(self, kind: RequestKind, view: str = "main", width: int = 0) -> Reply:
        request = Request(next(self._ids), kind, self.name, view, width)
        self.engine.send(request)
        self.until(lambda: request.id in self.replies)
        return self.replies[request.id]

    def close_room(self) -> None:
        self.engine.send(CloseRoom(self.name))

    # ---- from the engine -----------------------------------------------------------------------------------------

    def deliver(self, message: FromMixer) -> None:
        """On the engine's threads."""
        with self._fresh:
            self._inbox.append(message)
            self._fresh.notify()

    def until(self, condition: Callable[[], T], deadline: float = DEADLINE) -> T:
        """Feeds and takes until `condition` is true; returns its value."""
        end = time.monotonic() + deadline
        while True:
            self._feed()
            self._take()
            if value := condition():
                return value
            if time.monotonic() > end:
                raise AssertionError(f"not within {deadline} s; counters {self.engine.counters()}")

    def _feed(self) -> None:
        for microphone in self.microphones:
            for frame in microphone.frames():
                self.engine.send(SourceFrame(self.name, frame))
        if (now := clock.now()) >= self._next_frame:
            self._next_frame = max(now, self._next_frame + FRAME)
            for camera in self.cameras:
                if camera.on:
                    self.engine.send(SourceFrame(self.name, camera.frame()))

    def _take(self) -> None:
        with self._fresh:
            if not self._inbox:
                self._fresh.wait(0.01)
            messages, self._inbox = self._inbox, []
        for message in messages:
            self.messages.append(message)
            if isinstance(message, Reply):
                self.replies[message.id] = message
            elif isinstance(message, SourceKeyFrameWanted):
                for camera in self.cameras:
                    if camera.source == message.source:
                        camera.want_key()
            for taker in (*self.watchers.values(), *self.listeners.values()):
                taker.take(message)

    # ---- conditions ----------------------------------------------------------------------------------------------

    def tile(self, source: str, view: str = "main") -> dict[str, int] | None:
        tiles = self.ask(RequestKind.TILES, view).value["tiles"]
        return next((tile for tile in tiles if tile["source"] == source), None)

    def sees(self, watcher: Watcher, source: str, shade: Yuv, scale: int = 1) -> bool:
        """Whether the middle of the source's tile has that colour, within what coding changes."""
        tile = self.tile(source)
        if tile is None:
            return False
        found = watcher.colour_at((tile["x"] + tile["width"] // 2) // scale, (tile["y"] + tile["height"] // 2) // scale)
        return found is not None and all(abs(a - b) <= 14 for a, b in zip(found, shade, strict=True))

    def until_sees(self, watcher: Watcher, source: str, shade: Yuv, deadline: float = DEADLINE) -> None:
        self.until(lambda: self.sees(watcher, source, shade), deadline)

    def count(self, kind: type) -> int:
        return sum(isinstance(message, kind) for message in self.messages)

    def close(self) -> None:
        assert self.engine.close() == []
