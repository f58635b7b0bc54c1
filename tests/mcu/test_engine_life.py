"""What an engine leaves behind, and what it makes of messages that mean nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from support.engine_room import RED, EngineRoom

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, TierName
from mixdown.mcu.engine.config import EngineConfig
from mixdown.mcu.engine.engine import Engine
from mixdown.mcu.link.messages import (
    Canvas,
    CloseRoom,
    Feedback,
    FromMixer,
    KeyFrameRequest,
    Reply,
    Request,
    RequestKind,
    RoomDocument,
    SourceClosed,
    SourceFrame,
    SourceKind,
    SourceOpened,
    StreamEnded,
    Subscribe,
    Unsubscribe,
    ViewDocument,
)
from mixdown.mixer.layout import parse_layout_name


def wait_for(condition: Callable[[], object], deadline: float = 10.0) -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mixdown-")]


def document(name: str = "room", revision: int = 0) -> RoomDocument:
    return RoomDocument(name, revision, (ViewDocument("main", parse_layout_name("grid"), Canvas(320, 180, 30)),))


def frame(source: str = "ann-camera", codec: CodecId = CodecId.VP8, epoch: int = 0) -> EncodedFrame:
    return EncodedFrame(source, epoch, codec, 1, 1, 0, b"\x00" * 20, key=True)


def test_a_room_that_nobody_watches_has_no_thread() -> None:
    room = EngineRoom()
    room.participants("ann")
    room.camera("ann", RED)
    room.microphone("ann", 440)
    stats = room.ask(RequestKind.STATS).value
    assert room.engine.threads() == ["mixdown-control"]
    assert stats["ticks"]["video"]["count"] == stats["ticks"]["audio"]["count"] == 0
    assert len(room.ask(RequestKind.TILES).value["tiles"]) == 1
    room.close()


def test_fifty_rooms_come_and_go_and_leave_no_thread() -> None:
    assert own_threads() == []
    room = EngineRoom("room-0", Canvas(320, 180, 30))
    for i in range(50):
        if i:
            room.name = f"room-{i}"
            room.document = RoomDocument(room.name, 0, room.document.views)
            room.engine.send(room.document)
        room.participants("ann")
        watcher = room.watch("ann", CodecId.VP8 if i % 2 else CodecId.H264)
        listener = room.listen("ann")
        room.until(lambda w=watcher, n=i: w.stream is not None and w.stream.startswith(f"room-{n}/"))
        room.until(lambda item=listener, n=i: item.stream == f"room-{n}/mix/opus" and item.packets)
        room.close_room()
        room.until(lambda n=i: room.count(StreamEnded) == 2 * (n + 1))
    room.until(lambda: room.engine.threads() == ["mixdown-control"])
    assert not [name for name in room.engine.counters() if name.endswith(("_error", "_hung"))]
    room.close()
    wait_for(lambda: own_threads() == [])


def test_close_ends_a_busy_engine_within_its_deadline() -> None:
    room = EngineRoom()
    room.participants("ann", "bob")
    room.camera("ann", RED)
    room.microphone("ann", 440)
    watcher, listener = room.watch("bob", CodecId.H264), room.listen("bob")
    room.until(lambda: watcher.frames and listener.packets)
    before = time.monotonic()
    room.close()
    assert time.monotonic() - before < 3.0
    wait_for(lambda: own_threads() == [])
    room.engine.send(room.document)
    assert room.engine.counters()["sent_after_close"] == 1
    assert room.engine.close() == []


def test_messages_about_what_is_not_there_are_counted_and_ignored() -> None:
    replies: list[FromMixer] = []
    engine = Engine(replies.append, EngineConfig())
    for message in (
        CloseRoom("nope"),
        SourceOpened("nope", "s", "p", SourceKind.CAMERA, 0),
        SourceFrame("nope", frame()),
        Subscribe("nope", "s", "p", MediaKind.VIDEO, CodecId.VP8),
        document(),
        SourceFrame("room", frame()),
        SourceClosed("room", "ann-camera", 0),
        Unsubscribe("room", "ann", MediaKind.AUDIO),
        Unsubscribe("room", "ann", MediaKind.VIDEO),
        KeyFrameRequest("room", "ann"),
        Feedback("room", "ann", 1, 0.0, None),
        Subscribe("room", "ann", "ann", MediaKind.VIDEO, CodecId.OPUS),
        Subscribe("room", "ann", "ann", MediaKind.VIDEO, CodecId.VP8, "nope"),
        document(revision=-1),
        SourceOpened("room", "ann-microphone", "ann", SourceKind.MICROPHONE, 0),
        SourceFrame("room", frame("ann-microphone")),
        Request(7, RequestKind.TILES, "nope"),
        Request(8, RequestKind.TILES, "room", "nope"),
    ):
        engine.send(message)
    wait_for(lambda: len(replies) == 2)
    assert [(reply.id, reply.value) for reply in replies if isinstance(reply, Reply)] == [(7, None), (8, None)]
    assert engine.counters() == {
        "unknown_room": 4,
        "frame_unknown_source": 1,
        "source_closed_unknown": 1,
        "unsubscribe_unknown": 2,
        "key_request_unknown": 1,
        "subscribe_wrong_codec": 1,
        "subscribe_unknown_view": 1,
        "document_stale": 1,
        "frame_wrong_kind": 1,
    }
    assert engine.close() == []


def test_a_message_that_breaks_the_control_thread_does_not() -> None:
    replies: list[FromMixer] = []
    engine = Engine(replies.append, EngineConfig())
    engine.send("nonsense")  # type: ignore[arg-type]
    engine.send(Request(1, RequestKind.TILES, "nope"))
    wait_for(lambda: replies)
    assert engine.counters() == {"control_error": 1}
    assert engine.close() == []


def test_frames_keep_their_order_over_the_opening_of_their_source() -> None:
    """The first frames queue up behind the message that opens their source; none may overtake them."""
    room = EngineRoom("room", Canvas(320, 180, 30))
    room.participants("ann")
    watcher = room.watch("ann")
    room.until(lambda: watcher.frames)
    camera = room.camera("ann", RED)
    for _ in range(8):
        room.engine.send(SourceFrame("room", camera.frame()))
    room.until(lambda: room.ask(RequestKind.STATS).value["sources"][0]["decoded"] >= 8)
    assert "decode_failed" not in room.engine.counters()
    room.close()


def test_tier_audio_means_no_picture() -> None:
    room = EngineRoom("room", Canvas(320, 180, 30))
    room.participants("ann")
    watcher = room.watch("ann")
    room.until(lambda: watcher.frames)
    room.watch("ann", tier=TierName.AUDIO)
    room.until(lambda: StreamEnded("room/main/VP8/full") in room.messages)
    room.close()
