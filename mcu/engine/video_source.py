"""One incoming picture: its queue before the decoder, the decoder, its newest frame."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.errors import CodecError
from mixdown.codecs.frame_wait import FrameWait
from mixdown.codecs.video import VideoDecoder, make_video_decoder
from mixdown.mcu import clock
from mixdown.mcu.engine.black import BlackWatch
from mixdown.mcu.engine.decoder_pool import DecoderPool
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.meter import CpuMeter, Work
from mixdown.mcu.link.messages import SourceKind
from mixdown.mixer.mailbox import Mailbox
from mixdown.mixer.media import I420Frame, Size

QUEUE = 10
"Encoded frames before the decoder. Over it all of them go, and what follows until the next key frame."
KEY_INTERVAL = 0.5
"Seconds between two requests for a key frame."
RUN = 4
"Frames decoded in one go before another source has its turn."


@dataclass(frozen=True, slots=True)
class Picture:
    """arrival: when the frame's last packet came to the edge; decoded: when it was decoded; ready: from when on a tick
    may show it, its wait for its sound included; monotonic seconds. waited: seconds from its coming on that are that
    wait, before and behind the decoder."""

    frame: I420Frame
    arrival: float
    decoded: float
    ready: float
    waited: float


class VideoSource:
    """Frames come on any thread, are decoded in order on the pool (one thread at a time), and are read by the tick.

    Nothing is decoded while nobody sees it. Whatever is dropped, the decoder goes on only with a key frame.
    """

    def __init__(
        self,
        name: str,
        participant: str,
        kind: SourceKind,
        epoch: int,
        pool: DecoderPool,
        faults: Faults,
        meter: CpuMeter,
        want_key: Callable[[str], None],
    ) -> None:
        self.name = name
        self.participant = participant
        self.kind = kind
        self.epoch = epoch
        self.codec: CodecId | None = None
        self.live = False  # a frame has come in this epoch
        self.decoded = 0
        self.skipped = 0
        self.size: Size | None = None
        self.mailbox: Mailbox[Picture] = Mailbox()
        self._pool = pool
        self._faults = faults
        self._meter = meter
        self._want_key = want_key
        self._lock = threading.Lock()
        self._queue: deque[EncodedFrame] = deque()
        self._wait = FrameWait()
        self._running = False
        self._visible = False
        self._need_key = True
        self._asked = float("-inf")
        self._decoder: VideoDecoder | None = None
        self._decoder_codec: CodecId | None = None
        self._black = BlackWatch()
        self._stamps: deque[float] = deque(maxlen=60)

    # ---- any thread ----------------------------------------------------------------------------------------------

    def offer(self, frame: EncodedFrame) -> None:
        """Takes the next encoded frame; never blocks."""
        with self._lock:
            if frame.epoch != self.epoch:
                self._faults.count("source_stale_epoch")
                return
            self.live = True
            self.codec = frame.codec
            if not self._visible:
                self.skipped += 1
                return
            start = self._enqueue(self._wait.push(frame, frame.arrival or clock.now()))
        if start:
            self._pool.submit(self._run)

    def _enqueue(self, frames: list[EncodedFrame]) -> bool:
        """Before the decoder; whether it is to be started. Holding the lock."""
        for frame in frames:
            if self._admit(frame):
                self._queue.append(frame)
            else:
                self.skipped += 1
        if self._running or not self._queue:
            return False
        self._running = True
        return True

    def set_wait(self, seconds: float) -> None:
        """How long frames wait before the decoder, to be in time with their sound."""
        with self._lock:
            self._wait.wait = seconds

    @property
    def transit(self) -> tuple[float | None, float | None]:
        """Arrival less media time, seconds: usual and soonest; None before the first frame."""
        return self._wait.usual, self._wait.soonest

    def _admit(self, frame: EncodedFrame) -> bool:
        if len(self._queue) >= QUEUE:
            self._faults.count("decoder_queue_overflow")
            self._pool.relieve()
            self.skipped += len(self._queue)
            self._queue.clear()
            self._need_key = True
        if frame.key:
            self._need_key = False
        elif self._need_key:
            self._ask()
        return not self._need_key

    def _ask(self) -> None:
        """Holding the lock."""
        now = clock.now()
        if now - self._asked >= KEY_INTERVAL:
            self._asked = now
            self._want_key(self.name)

    def set_visible(self, visible: bool) -> None:
        """A source that becomes visible asks for a key frame; one that is not costs no decoding."""
        with self._lock:
            if visible == self._visible:
                return
            self._visible = visible
            self._reset()
            if visible:
                self._ask()

    @property
    def visible(self) -> bool:
        return self._visible

    def reopen(self, epoch: int) -> None:
        """Its transport was replaced: what the old one sent is no longer taken."""
        with self._lock:
            self.epoch = epoch
            self.live = False
            self._reset()
            self._asked = float("-inf")
            if self._visible:
                self._ask()

    def close(self) -> None:
        """Nothing is shown or decoded any more."""
        with self._lock:
            self._visible = False
            self.live = False
            self._reset()

    def _reset(self) -> None:
        """Back to waiting for a key frame, without a picture; holding the lock."""
        self.skipped += len(self._queue) + self._wait.clear()
        self._queue.clear()
        self._need_key = True
        self.mailbox.clear()
        if not self._running:
            self._drop_decoder()

    # ---- the pool ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        more = all(self._step() for _ in range(RUN))
        self._meter.lap(Work.DECODE)
        if more:
            self._pool.submit(self._run)

    def _step(self) -> bool:
        """Decodes one frame; whether there may be more. `_running` stays set for as long as this is True."""
        with self._lock:
            if not self._queue:
                self._running = False
                if not self._visible:
                    self._drop_decoder()
                return False
            frame = self._queue.popleft()
        done = False
        with self._faults.survive("decode"):
            done = self._decode(frame)
        if not done:
            self._failed(frame)
        return True

    def _decode(self, frame: EncodedFrame) -> bool:
        """False if the decoder refused it."""
        try:
            pictures = self._pictures(frame)
        except CodecError:
            return False
        self.decoded += 1
        if pictures:
            self._show(pictures[-1], frame)
        return True

    def _pictures(self, frame: EncodedFrame) -> list[I420Frame]:
        """Raises CodecError; a key frame of a refused size gets no further than its header."""
        if self._decoder is None or self._decoder_codec is not frame.codec:
            self._drop_decoder()
            self._decoder = make_video_decoder(frame.codec, screen=self.kind is not SourceKind.CAMERA)
            self._decoder_codec = frame.codec
        return self._decoder.decode(frame.data)

    def _show(self, newest: I420Frame, frame: EncodedFrame) -> None:
        now = clock.now()
        self._black.look(newest, now)
        with self._lock:
            if frame.epoch == self.epoch and self._visible:
                self.size = newest.size
                self._stamps.append(now)
                due = self._wait.due_at(frame)
                self.mailbox.put(Picture(newest, frame.arrival, now, max(now, due), max(0.0, due - frame.arrival)))

    def _failed(self, frame: EncodedFrame) -> None:
        """A frame that could not be decoded costs the picture until the next key frame."""
        self._faults.count("decode_failed")
        with self._lock:
            if frame.epoch != self.epoch:
                return
            while self._queue and not self._queue[0].key:
                self._queue.popleft()
                self.skipped += 1
            self._need_key = not self._queue
            if self._need_key:
                self._ask()
        self._drop_decoder()

    def _drop_decoder(self) -> None:
        """Only where no thread decodes: on the pool's, or holding the lock while `_running` is not set."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    # ---- the tick ------------------------------------------------------------------------------------------------

    def picture(self, now: float, timeout: float) -> Picture | None:
        """What to show. None: its card. A camera's picture ends `timeout` seconds after its last frame, or after as
        long of uniform black; a screen's does not: one that stands still sends nothing."""
        self._wait.ticked(now)
        if len(self._wait):
            with self._lock:
                start = self._enqueue(self._wait.due())
            if start:
                self._pool.submit(self._run)
        picture = self.mailbox.latest
        if picture is None or self.kind is not SourceKind.CAMERA:
            return picture
        if now - picture.decoded > timeout or self._black.black_for(now) > timeout:
            return None
        return picture

    def fps(self, now: float) -> float:
        """Frames decoded per second, over the last two seconds."""
        return sum(now - stamp <= 2.0 for stamp in self._stamps.copy()) / 2.0
