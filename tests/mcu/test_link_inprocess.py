"""The in-process link: order, bounds, and what it does when the loop is late."""

from __future__ import annotations

import asyncio
import threading

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu.link.inprocess import AUDIO_BOUND, CONTROL_BOUND, VIDEO_BOUND, InProcessLink
from mixdown.mcu.link.messages import (
    ActiveSpeaker,
    CloseRoom,
    FromMixer,
    FromMixerHandlers,
    KeyFrameRequest,
    Reply,
    Route,
    Speaking,
    StreamEnded,
    ToMixer,
    Unsubscribe,
)


class Mixer:
    def __init__(self) -> None:
        self.sent: list[ToMixer] = []

    def send(self, message: ToMixer) -> None:
        self.sent.append(message)


class Bench:
    def __init__(self) -> None:
        self.link = InProcessLink(asyncio.get_running_loop())
        self.mixer = Mixer()
        self.edge: list[FromMixer] = []
        self.rooms: list[FromMixer] = []
        self.handlers = FromMixerHandlers(self.edge.append, self.rooms.append)
        self.link.attach(self.mixer, self.handlers)

    async def drained(self) -> None:
        """The loop's turns until nothing of the link is left in it; bounded by what the link may hold."""
        for _ in range(100):
            await asyncio.sleep(0)


def picture(n: int, key: bool = False, stream: str = "room/main/VP8/full") -> EncodedFrame:
    return EncodedFrame(stream, 0, CodecId.VP8, n, n, n * 3000, b"", key=key)


def packet(n: int, stream: str = "room/mix/opus") -> EncodedFrame:
    return EncodedFrame(stream, 0, CodecId.OPUS, n, n, n * 960, b"")


async def test_messages_come_in_order_to_whom_they_are_for() -> None:
    bench = Bench()
    sent: list[FromMixer] = [
        Route("ann", MediaKind.VIDEO, "room/main/VP8/full"),
        picture(0, key=True),
        Speaking("room", "ann", True),
        packet(0),
        ActiveSpeaker("room", "ann"),
        picture(1),
        StreamEnded("room/main/VP8/full"),
        Reply(1, {}),
    ]
    thread = threading.Thread(target=lambda: [bench.link.deliver(message) for message in sent])
    thread.start()
    thread.join()
    assert bench.edge == [], "handlers are called on the loop only"
    await bench.drained()
    for_rooms = (Speaking, ActiveSpeaker, Reply)
    assert bench.edge == [message for message in sent if not isinstance(message, for_rooms)]
    assert bench.rooms == [message for message in sent if isinstance(message, for_rooms)]
    assert bench.handlers.dropped == {}


async def test_towards_the_mixer_it_is_a_call() -> None:
    bench = Bench()
    bench.link.send(CloseRoom("room"))
    assert bench.mixer.sent == [CloseRoom("room")]


async def test_a_late_loop_costs_pictures_until_a_key_frame_which_is_asked_for() -> None:
    bench = Bench()
    for name in ("ann", "bob"):
        bench.link.deliver(Route(name, MediaKind.VIDEO, "room/main/VP8/full"))
    bench.link.send(Unsubscribe("room", "bob", MediaKind.VIDEO))
    bench.mixer.sent.clear()
    for n in range(VIDEO_BOUND + 20):
        bench.link.deliver(picture(n, key=n == 0))
    await bench.drained()
    assert [m.sequence for m in bench.edge if isinstance(m, EncodedFrame)] == list(range(VIDEO_BOUND))
    assert bench.handlers.dropped == {"video": 20}
    assert bench.mixer.sent == [KeyFrameRequest("room", "ann")]
    bench.edge.clear()
    bench.link.deliver(picture(200))
    bench.link.deliver(picture(201, key=True))
    bench.link.deliver(picture(202))
    await bench.drained()
    assert [m.sequence for m in bench.edge if isinstance(m, EncodedFrame)] == [201, 202]
    assert bench.handlers.dropped == {"video": 21}
    assert len(bench.mixer.sent) == 1


async def test_a_late_loop_hears_the_newest_200_ms() -> None:
    bench = Bench()
    for n in range(50):
        bench.link.deliver(packet(n))
        bench.link.deliver(packet(n, "room/mix/opus/ann"))
    await bench.drained()
    for stream in ("room/mix/opus", "room/mix/opus/ann"):
        got = [m.sequence for m in bench.edge if isinstance(m, EncodedFrame) and m.stream == stream]
        assert got == list(range(50 - AUDIO_BOUND, 50))
    assert bench.handlers.dropped == {"audio": 2 * (50 - AUDIO_BOUND)}
    bench.edge.clear()
    bench.link.deliver(packet(50))
    await bench.drained()
    assert bench.edge == [packet(50)]


async def test_control_messages_are_bounded_too() -> None:
    bench = Bench()
    for _ in range(CONTROL_BOUND + 3):
        bench.link.deliver(Speaking("room", "ann", True))
    await bench.drained()
    assert len(bench.rooms) == CONTROL_BOUND and bench.handlers.dropped == {"control": 3}


async def test_a_handler_that_raises_is_counted_and_the_rest_comes() -> None:
    bench = Bench()

    def broken(message: object) -> None:
        raise RuntimeError("as a handler should not")

    bench.handlers.edge = broken
    bench.link.deliver(picture(0))
    bench.link.deliver(Reply(1, None))
    await bench.drained()
    assert bench.rooms == [Reply(1, None)] and bench.handlers.dropped == {"handler_error": 1}


async def test_the_loop_is_not_held_for_longer_than_a_batch() -> None:
    bench = Bench()
    for n in range(1000):
        bench.link.deliver(Reply(n, None))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(bench.rooms) < 1000
    await bench.drained()
    assert [reply.id for reply in bench.rooms if isinstance(reply, Reply)] == list(range(1000))


def test_a_closed_loop_is_nobody() -> None:
    loop = asyncio.new_event_loop()
    link = InProcessLink(loop)
    handlers = FromMixerHandlers(lambda message: None, lambda message: None)
    link.attach(Mixer(), handlers)
    loop.close()
    link.deliver(Reply(1, None))
    link.deliver(packet(1))
    assert handlers.dropped == {"loop_closed": 2}
