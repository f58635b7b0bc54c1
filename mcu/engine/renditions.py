"""Renditions: live encoders, one per (view, codec, tier), made for their first watcher and gone with their last."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from mixdown.codecs.encoded import CodecId, EncodedFrame, Tier, TierName
from mixdown.codecs.errors import CodecError
from mixdown.codecs.governor import Governor
from mixdown.codecs.video import EncodedPicture, VideoEncoder, make_video_encoder
from mixdown.mcu import clock
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.meter import CpuMeter, LatencyMeter, Work
from mixdown.mcu.engine.tiers import frame_number, tier_of
from mixdown.mcu.link.messages import Canvas, FromMixer, StreamEnded
from mixdown.mixer.media import I420Frame

QUEUE = 2
"Canvases before an encoder; over it the oldest is dropped."
KEY_FRAME_INTERVAL = 0.44
"Seconds between two forced key frames: with a tick and an encode, who joins has one within 500 ms."
REOPEN_DELAY = 0.5
"Seconds before a broken encoder is tried anew."


@dataclass(frozen=True, slots=True)
class RenditionKey:
    view: str
    codec: CodecId
    tier: TierName

    def stream(self, room: str) -> str:
        return f"{room}/{self.view}/{self.codec.value}/{self.tier.value}"


@dataclass(frozen=True, slots=True)
class Job:
    """A canvas at its tick. began: the tick's time; fresh: when each source frame came that it is the first to show,
    and the seconds that it waited for its sound."""

    picture: I420Frame
    canvas: Canvas
    tick: int
    rtp_time: int
    began: float
    fresh: tuple[tuple[float, float], ...]


class Rendition:
    """One encoder and its thread. Jobs come from the tick; watchers and key-frame requests from the control thread."""

    def __init__(
        self,
        room: str,
        key: RenditionKey,
        epochs: Callable[[], int],
        deliver: Callable[[FromMixer], None],
        faults: Faults,
        meter: CpuMeter,
        latency: LatencyMeter,
    ) -> None:
        self.key = key
        self.stream = key.stream(room)
        self.watchers: set[str] = set()
        self.tier: Tier | None = None
        self.frames = 0
        self.keyframes = 0
        self.dropped = 0
        self.encode_ms = 0.0
        self._room = room
        self._epochs = epochs
        self._deliver = deliver
        self._faults = faults
        self._meter = meter
        self._latency = latency
        self._condition = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._ended = False
        self._output = threading.Lock()  # held while delivering: nothing comes after StreamEnded
        self._governor = Governor(interval=KEY_FRAME_INTERVAL)
        self._encoder: VideoEncoder | None = None
        self._epoch = 0
        self._last_number = -1
        self._sent: deque[tuple[float, int]] = deque(maxlen=128)
        self._retry_at = 0.0
        self._after_key: list[Callable[[], None]] = []

    def start(self, crew: Crew) -> None:
        crew.start(f"encode-{self.stream}", self._run)

    # ---- the tick ------------------------------------------------------------------------------------------------

    def push(self, job: Job) -> None:
        """Never waits: over the bound the oldest canvas is dropped."""
        with self._condition:
            if self._ended:
                return
            if len(self._jobs) >= QUEUE:
                self._jobs.popleft()
                self.dropped += 1
                self._faults.count("encoder_queue_overflow")
            self._jobs.append(job)
            self._condition.notify()

    # ---- the control thread --------------------------------------------------------------------------------------

    def welcome(self, watcher: str) -> None:
        """A key frame for one who has just been routed here, whatever was asked for in that name before."""
        with self._condition:
            self._governor.forget(watcher)
            self._governor.request(watcher, clock.now())

    def request_key(self, watcher: str) -> None:
        with self._condition:
            self._governor.request(watcher, clock.now())

    def forget(self, watcher: str) -> None:
        with self._condition:
            self._governor.forget(watcher)

    def after_key(self, action: Callable[[], None]) -> None:
        """Calls `action` on the encoder's thread once the next key frame has been delivered, or at the end."""
        with self._condition:
            if not self._ended:
                self._after_key.append(action)
                return
        action()

    def end(self) -> None:
        """The thread ends by itself; no frame is delivered once this has returned."""
        with self._condition:
            self._ended = True
            self._jobs.clear()
            self._condition.notify()
        with self._output:
            self._deliver(StreamEnded(self.stream))

    # ---- its thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                with self._faults.survive("encode"):
                    self._encode(job)
                self._meter.lap(Work.ENCODE)
        finally:
            self._close_encoder()
            self._fire_after_key()

    def _next(self) -> Job | None:
        with self._condition:
            while not self._jobs and not self._ended:
                self._condition.wait()
            return None if self._ended else self._jobs.popleft()

    def _encode(self, job: Job) -> None:
        before = clock.thread_cpu()
        try:
            made = self._make(job)
        except CodecError:
            self._faults.count("encode_failed")
            self._close_encoder()
            self._retry_at = clock.now() + REOPEN_DELAY
            return
        finally:
            spent = clock.thread_cpu() - before
        if made is None:
            return
        self.encode_ms += (spent * 1000 - self.encode_ms) * (0.1 if self.frames else 1.0)
        self._hand_on(job, made)

    def _make(self, job: Job) -> EncodedPicture | None:
        tier = tier_of(job.canvas, self.key.tier)
        if tier != self.tier:
            self._close_encoder()
            self.tier = tier
        number = frame_number(job.tick, job.canvas.fps, tier.fps)
        if self._encoder is None:
            if clock.now() < self._retry_at:
                return None
            self._encoder = make_video_encoder(self.key.codec, tier)
            self._epoch = self._epochs()
            fresh = True
        elif number <= self._last_number:
            return None
        else:
            fresh = False
        self._last_number = number
        with self._condition:
            key = self._governor.take(clock.now()) or fresh
        return self._encoder.encode(job.picture, number, key)

    def _hand_on(self, job: Job, made: EncodedPicture) -> None:
        now = clock.now()
        sequence = self.frames
        self.frames += 1
        self._sent.append((now, len(made.data)))
        if made.key:
            self.keyframes += 1
            with self._condition:
                self._governor.made(now)
        for arrival, waited in job.fresh:
            self._latency.add(now - arrival, waited)
        frame = EncodedFrame(
            stream=self.stream,
            epoch=self._epoch,
            codec=self.key.codec,
            sequence=sequence,
            last_sequence=sequence,
            rtp_time=job.rtp_time,
            data=made.data,
            duration=90_000 // (self.tier.fps if self.tier else job.canvas.fps),
            key=made.key,
            temporal_layer=made.temporal_layer,
            layer_sync=made.layer_sync,
            arrival=job.began,
        )
        with self._output:
            if not self._ended:
                self._deliver(frame)
        if made.key:
            self._fire_after_key()

    def _fire_after_key(self) -> None:
        with self._condition:
            actions, self._after_key = self._after_key, []
        for action in actions:
            action()

    def _close_encoder(self) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            with self._faults.survive("encoder_close"):
                encoder.close()

    # ---- requests ------------------------------------------------------------------------------------------------

    def body(self, now: float, canvas: Canvas) -> dict[str, object]:
        """Its row of the stats."""
        tier = self.tier or tier_of(canvas, self.key.tier)
        recent = [(at, size) for at, size in self._sent.copy() if now - at <= 2.0]
        return {
            "view": self.key.view,
            "codec": self.key.codec.value,
            "tier": self.key.tier.value,
            "width": tier.width,
            "height": tier.height,
            "fps": round(len(recent) / 2.0, 1),
            "kbps": round(sum(size for _, size in recent) * 8 / 2.0 / 1000, 1),
            "subscribers": len(self.watchers),
            "keyframes": self.keyframes,
            "frames": self.frames,
            "encode_ms": round(self.encode_ms, 3),
        }
