"""The link when edge, mixer and server share one process: a function call one way, a bounded queue the other."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

import structlog

from mixdown.codecs.encoded import EncodedFrame, MediaKind
from mixdown.mcu.link.messages import (
    ActiveSpeaker,
    FromMixer,
    FromMixerHandlers,
    KeyFrameRequest,
    LayoutChanged,
    MixerPort,
    Reply,
    Route,
    Speaking,
    StreamEnded,
    ToMixer,
    Unsubscribe,
)

log = structlog.get_logger("link")

VIDEO_BOUND = 128
"Video frames waiting for the loop. Over it a frame is dropped, and its stream until its next key frame."
AUDIO_BOUND = 10
"Packets waiting per sound stream: 200 ms. Over it the oldest is dropped."
CONTROL_BOUND = 8192
"Control messages waiting. A loop that far behind is dead; what comes then is dropped."
BATCH = 256
"Messages handled before the loop gets its turn."


class InProcessLink:
    """Order is kept, but for sound under overload: there the newest 200 ms take the places of what was dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._queue: deque[FromMixer | _SoundSlot] = deque()
        self._sound: dict[str, _SoundSlot] = {}
        self._pictures = 0
        self._control = 0
        self._scheduled = False
        self._broken: dict[str, bool] = {}  # video streams that lost a frame -> whether a key frame was asked for
        self._routes: dict[str, str] = {}  # subscriber -> its video stream: in whose name to ask for a key frame
        self._engine: MixerPort | None = None
        self._handlers = FromMixerHandlers(edge=lambda message: None, rooms=lambda message: None)

    def attach(self, engine: MixerPort, handlers: FromMixerHandlers) -> None:
        """To be called before the first message. Drops and faults are counted in `handlers.dropped`."""
        self._engine = engine
        self._handlers = handlers

    def send(self, message: ToMixer) -> None:
        """Towards the mixer; any thread, never blocks."""
        if self._engine is None:
            self._count("not_attached")
            return
        if isinstance(message, Unsubscribe) and message.kind is MediaKind.VIDEO:
            with self._lock:
                self._routes.pop(message.subscriber, None)
        self._engine.send(message)

    def deliver(self, message: FromMixer) -> None:
        """From the mixer's threads; never blocks. At most one wake-up of the loop is pending."""
        with self._lock:
            if not self._accept(message) or self._scheduled:
                return
            self._scheduled = True
        self._wake()

    def _accept(self, message: FromMixer) -> bool:
        if not isinstance(message, EncodedFrame):
            return self._accept_control(message)
        if message.codec.kind is MediaKind.AUDIO:
            return self._accept_sound(message)
        return self._accept_picture(message)

    def _accept_control(self, message: FromMixer) -> bool:
        if self._control >= CONTROL_BOUND:
            self._count("control")
            return False
        if isinstance(message, Route) and message.kind is MediaKind.VIDEO:
            self._routes[message.subscriber] = message.stream
        elif isinstance(message, StreamEnded):
            self._broken.pop(message.stream, None)
        self._control += 1
        self._queue.append(message)
        return True

    def _accept_sound(self, frame: EncodedFrame) -> bool:
        slot = self._sound.get(frame.stream)
        if slot is None:
            slot = self._sound[frame.stream] = _SoundSlot(frame.stream)
        if len(slot.packets) == AUDIO_BOUND:
            slot.packets.popleft()
            self._count("audio")
        else:
            self._queue.append(slot)
        slot.packets.append(frame)
        return True

    def _accept_picture(self, frame: EncodedFrame) -> bool:
        if self._pictures >= VIDEO_BOUND:
            self._broken[frame.stream] = False
            self._count("video")
            return False
        if frame.stream in self._broken and not frame.key:
            self._count("video")
            return False
        self._broken.pop(frame.stream, None)
        self._pictures += 1
        self._queue.append(frame)
        return True

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop is closed: nobody is left to hear it
            self._count("loop_closed")
            with self._lock:
                self._queue.clear()
                self._sound.clear()
                self._pictures = self._control = 0
                self._scheduled = False

    def _drain(self) -> None:
        """On the loop."""
        for _ in range(BATCH):
            message = self._take()
            if message is None:
                break
            self._handle(message)
        with self._lock:
            self._scheduled = bool(self._queue)
            again = self._scheduled
            requests = [] if again else self._requests()
        if again:
            self._loop.call_soon(self._drain)
        for request in requests:
            self.send(request)

    def _requests(self) -> list[KeyFrameRequest]:
        """Once per broken stream, and only now that there is room for what it will be answered with."""
        if not self._broken:
            return []
        watchers = {stream: subscriber for subscriber, stream in self._routes.items()}
        asking = [stream for stream, asked in self._broken.items() if not asked and stream in watchers]
        self._broken.update(dict.fromkeys(asking, True))
        return [KeyFrameRequest(stream.split("/", 1)[0], watchers[stream]) for stream in asking]

    def _take(self) -> FromMixer | None:
        with self._lock:
            if not self._queue:
                return None
            message = self._queue.popleft()
            if isinstance(message, _SoundSlot):
                packet = message.packets.popleft()
                if not message.packets:
                    self._sound.pop(message.stream, None)
                return packet
            if isinstance(message, EncodedFrame):
                self._pictures -= 1
            else:
                self._control -= 1
            return message

    def _handle(self, message: FromMixer) -> None:
        try:
            if isinstance(message, Speaking | ActiveSpeaker | LayoutChanged | Reply):
                self._handlers.rooms(message)
            else:
                self._handlers.edge(message)
        except Exception:
            self._count("handler_error")
            log.exception("link_handler_error", message=type(message).__name__)

    def _count(self, reason: str) -> None:
        self._handlers.dropped[reason] = self._handlers.dropped.get(reason, 0) + 1


class _SoundSlot:
    """The waiting packets of one sound stream. It stands in the queue once for each of them."""

    __slots__ = ("packets", "stream")

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.packets: deque[EncodedFrame] = deque()
