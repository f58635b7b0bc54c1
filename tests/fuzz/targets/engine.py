"""The mixer's dispatcher in any sequence of the link's messages: none is a fault, what is kept is bounded.

Its threads stay idle, so each step is cheap. Steps: kind and names (two bytes), for frames a payload with its length.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from unittest import mock

from fuzz.reader import Reader

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, TierName
from mixdown.mcu.engine.config import EngineConfig
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.engine import Engine
from mixdown.mcu.link.messages import (
    Canvas,
    CloseRoom,
    Feedback,
    FromMixer,
    KeyFrameRequest,
    ParticipantDocument,
    Request,
    RequestKind,
    RoomDocument,
    SenderReport,
    SourceClosed,
    SourceFrame,
    SourceKind,
    SourceOpened,
    Subscribe,
    ToMixer,
    Unsubscribe,
    ViewDocument,
)
from mixdown.mixer.layout import parse_layout_name

PEOPLE = ("ann", "bob", "cat", "dan")
VIEWS = ("main", "low", "auto-grid", "nowhere")
LAYOUTS = ("grid", "speaker", "presentation", "3x2")
CODECS = (CodecId.VP8, CodecId.H264, CodecId.OPUS, CodecId.G722)
MOST_STEPS = 400


class IdleCrew(Crew):
    """Its threads have ended before they began."""

    def start(self, name: str, target: Callable[[], None]) -> threading.Thread:
        return _ended


_ended = threading.Thread(target=int)
_ended.start()
_ended.join()


def run(data: bytes) -> None:
    told: list[FromMixer] = []
    with mock.patch("mixdown.mcu.engine.engine.Crew", IdleCrew):
        engine = Engine(told.append, EngineConfig(decoder_threads=1))
    reader, steps = Reader(data), 0
    engine.send(_document(0, 0))
    while reader.left and steps < MOST_STEPS:
        steps += 1
        engine.send(_message(reader, steps))
        _drain(engine)
        assert not _faults(engine), _faults(engine)
    engine.send(CloseRoom("room"))
    _drain(engine)
    assert not engine._rooms and not _faults(engine), _faults(engine)
    assert len(told) <= 4 + 8 * steps, "one message causes many"


def _faults(engine: Engine) -> dict[str, int]:
    return {name: count for name, count in engine.counters().items() if name.endswith("_error")}


def _drain(engine: Engine) -> None:
    """As the control thread would."""
    while not engine._messages.empty():
        message = engine._messages.get()
        assert message is not None
        with engine.faults.survive("control"):
            engine._handle(message)
        if isinstance(message, SourceFrame):
            engine._divert(-1)


def _message(reader: Reader, step: int) -> ToMixer:
    kind, names = reader.number(1), reader.number(1)
    room = "room" if names & 0x80 == 0 else "elsewhere"
    person = PEOPLE[names & 3]
    codec = CODECS[(names >> 2) & 3]
    source = tuple(SourceKind)[(names >> 2) % len(SourceKind)]
    name = f"{person}-{source.value}"
    media = MediaKind.AUDIO if names & 16 else MediaKind.VIDEO
    match kind % 12:
        case 0:
            return SourceOpened(room, name, person, source, kind >> 4)
        case 1:
            return SourceClosed(room, name, kind >> 4)
        case 2 | 3:
            time = reader.signed(4)
            return SourceFrame(
                room, EncodedFrame(name, kind >> 4, codec, step, step, time, reader.sized(), key=bool(names & 32))
            )
        case 4 | 5:
            return Subscribe(room, person, person, media, codec, VIEWS[kind >> 6], tuple(TierName)[(names >> 5) & 3])
        case 6:
            return Unsubscribe(room, person, media)
        case 7:
            return KeyFrameRequest(room, person)
        case 8:
            return Feedback(room, person, reader.number(4) or None, names / 255, (kind >> 4) / 10)
        case 9:
            return SenderReport(room, name, reader.number(8), reader.signed(4), person)
        case 10:
            return Request(step, RequestKind.STATS if names & 1 else RequestKind.TILES, room, VIEWS[kind >> 6])
        case _:
            return CloseRoom(room) if names & 64 else _document(names, step - (kind >> 6))


def _document(names: int, revision: int) -> RoomDocument:
    people = tuple(
        ParticipantDocument(one, one.capitalize(), viewer=bool(names & 32), audio_muted=bool(names & 16))
        for index, one in enumerate(PEOPLE)
        if names >> index & 1
    )
    view = ViewDocument(
        "main", parse_layout_name(LAYOUTS[(names >> 4) & 3]), Canvas(320, 180, 15), (None, "ann-camera")
    )
    return RoomDocument("room", revision, (view,), people)
