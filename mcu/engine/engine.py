"""The mixer's engine: takes the link's messages, keeps a room engine for each room."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mixdown.mcu import clock
from mixdown.mcu.engine.config import EngineConfig
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.decoder_pool import DecoderPool
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.meter import CpuMeter
from mixdown.mcu.engine.requests import answer
from mixdown.mcu.engine.room_engine import RoomEngine
from mixdown.mcu.link.messages import (
    CloseRoom,
    Feedback,
    FromMixer,
    KeyFrameRequest,
    Reply,
    Request,
    RoomDocument,
    SenderReport,
    SourceClosed,
    SourceFrame,
    SourceOpened,
    Subscribe,
    ToMixer,
    Unsubscribe,
)

CONTROL_BOUND = 10_000
"Messages before the control thread. Over it they are dropped and counted: it has hung, or somebody floods."

Action = Callable[[], None]


class Engine:
    """Frames go straight to their source; everything else is done on one control thread, in the order it was sent."""

    def __init__(self, deliver: Callable[[FromMixer], None], config: EngineConfig | None = None) -> None:
        """deliver: called on the engine's threads; must not block."""
        self.faults = Faults()
        self._deliver = deliver
        self._config = config or EngineConfig()
        self._crew = Crew(self.faults)
        self._pool = DecoderPool(self._crew, self.faults, self._config.decoder_threads, self._config.decoder_idle)
        self._rooms: dict[str, RoomEngine] = {}
        self._messages: queue.SimpleQueue[ToMixer | Action | None] = queue.SimpleQueue()
        self._closed = False
        self._diverted = 0  # frames in `_messages`: while there are any, those behind them queue up too
        self._diverting = threading.Lock()
        self._crew.start("control", self._run)

    # ---- any thread ----------------------------------------------------------------------------------------------

    def send(self, message: ToMixer) -> None:
        """Never blocks."""
        if self._closed:
            self.faults.count("sent_after_close")
        elif isinstance(message, SourceFrame) and (room := self._direct(message)) is not None:
            with self.faults.survive("frame"):
                room.frame(message)
        elif self._messages.qsize() >= CONTROL_BOUND:
            self.faults.count("control_overflow")
        else:
            if isinstance(message, SourceFrame):
                self._divert(1)
            self._messages.put(message)

    def _direct(self, message: SourceFrame) -> RoomEngine | None:
        """The room that can take the frame now. If its source is not open, the message that opens it may still wait for
        the control thread: the frame queues up behind it, and what comes after the frame behind that."""
        room = self._rooms.get(message.room)
        if room is None or self._diverted or not room.takes(message.frame.stream, message.frame.epoch):
            return None
        return room

    def _divert(self, amount: int) -> None:
        with self._diverting:
            self._diverted += amount

    def counters(self) -> dict[str, int]:
        """What was dropped, survived or ignored, by reason, since the start; for /metrics."""
        return self.faults.snapshot()

    def threads(self) -> list[str]:
        """Names of the engine's living threads."""
        return self._crew.names()

    def cpu_seconds(self, room: str) -> dict[str, float]:
        """CPU seconds of a room's threads since it began, by kind; empty for an unknown room."""
        engine = self._rooms.get(room)
        return {} if engine is None else engine.context.cpu.totals()

    def close(self) -> list[str]:
        """Ends every room and thread within the configured deadline; returns the names of threads that did not end."""
        deadline = clock.now() + self._config.close_deadline
        if not self._closed:
            self._closed = True
            self._messages.put(None)
        return self._crew.join(deadline)

    # ---- the control thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (message := self._messages.get()) is not None:
            with self.faults.survive("control"):
                self._handle(message)
            if isinstance(message, SourceFrame):
                self._divert(-1)
        for name in list(self._rooms):
            with self.faults.survive("control"):
                self._rooms.pop(name).close()
        self._pool.close()

    def _handle(self, message: ToMixer | Action) -> None:
        if callable(message):
            message()
        elif isinstance(message, RoomDocument):
            self._document(message)
        elif isinstance(message, CloseRoom):
            self._close_room(message.room)
        elif (room := self._rooms.get(message.room)) is not None:
            self._dispatch(room, message)
        elif isinstance(message, Request):
            self._deliver(Reply(message.id, None, f"the mixer has no room {message.room!r}"))
        else:
            self.faults.count("unknown_room")

    def _dispatch(self, room: RoomEngine, message: ToMixer) -> None:
        match message:
            case SourceFrame():
                room.frame(message)
            case SourceOpened():
                room.open_source(message)
            case SourceClosed():
                room.close_source(message)
            case Subscribe():
                room.subscribe(message)
            case Unsubscribe():
                room.unsubscribe(message)
            case KeyFrameRequest():
                room.request_key(message)
            case Request():
                answer(room, message, self._deliver)
            case Feedback():
                room.feedback(message)
            case SenderReport():
                room.sender_report(message)
            case _:
                self.faults.count("unknown_message")

    def _document(self, document: RoomDocument) -> None:
        room = self._rooms.get(document.id)
        if room is not None:
            room.update(document)
            return
        now = clock.now()
        context = RoomContext(
            document.id, now, self._config, self._deliver, self._crew, self._pool, self.faults, CpuMeter(now)
        )
        self._rooms[document.id] = RoomEngine(document, context, self._post)

    def _post(self, action: Action) -> None:
        """Runs an action on this thread, behind what was sent before. Rare: a switch, another speaker."""
        if not self._closed:
            self._messages.put(action)

    def _close_room(self, name: str) -> None:
        room = self._rooms.pop(name, None)
        if room is None:
            self.faults.count("unknown_room")
        else:
            room.close()
