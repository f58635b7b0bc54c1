"""The link in any mixture of messages and turns of its loop: order kept, queues bounded, broken pictures held back.

Steps of one byte each: what is delivered (with its stream), or a turn of the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fuzz.reader import Reader

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu.link.inprocess import AUDIO_BOUND, CONTROL_BOUND, VIDEO_BOUND, InProcessLink
from mixdown.mcu.link.messages import (
    FromMixer,
    FromMixerHandlers,
    KeyFrameRequest,
    Route,
    Speaking,
    StreamEnded,
    ToMixer,
    Unsubscribe,
)

SOUND_STREAMS = 4
MOST_MESSAGES = 1500


class Loop:
    """Calls what was scheduled when the target says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def call_soon(self, callback: Callable[[], Any]) -> None:
        self.waiting.append(callback)

    call_soon_threadsafe = call_soon

    def turn(self) -> None:
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


class Ends:
    """Edge, rooms and mixer: checks the order of what comes."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.whole: dict[str, bool] = {}
        self.requests = 0

    def send(self, message: ToMixer) -> None:
        assert isinstance(message, KeyFrameRequest | Unsubscribe)
        self.requests += 1

    def took(self, message: Any) -> None:
        if not isinstance(message, EncodedFrame):
            return
        assert message.sequence > self.last.get(message.stream, -1), "out of order"
        if message.codec is CodecId.VP8 and not message.key:
            before = self.last.get(message.stream)
            assert before is not None and message.sequence == before + 1, "a picture that hangs on a dropped one"
        self.last[message.stream] = message.sequence


def run(data: bytes) -> None:
    reader, loop, ends = Reader(data), Loop(), Ends()
    link = InProcessLink(loop)  # type: ignore[arg-type]
    handlers = FromMixerHandlers(edge=ends.took, rooms=ends.took)
    link.attach(ends, handlers)
    counts: dict[str, int] = {}
    while reader.left and sum(counts.values()) < MOST_MESSAGES:
        step = reader.number(1)
        if step < 8:
            loop.turn()
            continue
        for _ in range(60 if step & 64 else 1):
            link.deliver(_message(step, counts))
        if step & 32:
            link.send(Unsubscribe("room", f"s{step & 3}", MediaKind.VIDEO))
        assert len(loop.waiting) <= 1
        assert len(link._queue) <= VIDEO_BOUND + CONTROL_BOUND + SOUND_STREAMS * AUDIO_BOUND
    while loop.waiting:
        loop.turn()
    assert not link._queue and not link._sound
    assert not handlers.dropped.get("handler_error"), handlers.dropped


def _message(step: int, counts: dict[str, int]) -> FromMixer:
    kind, which = (step >> 2) & 7, step & 3
    if kind in (0, 1, 2):
        stream = f"room/view{which}/VP8/full"
        n = counts[stream] = counts.get(stream, -1) + 1
        return EncodedFrame(stream, 0, CodecId.VP8, n, n, n * 3000, b"", key=kind == 2 or n == 0)
    if kind in (3, 4):
        stream = f"room/mix{which}"
        n = counts[stream] = counts.get(stream, -1) + 1
        return EncodedFrame(stream, 0, CodecId.OPUS, n, n, n * 960, b"")
    if kind == 5:
        return Route(f"s{which}", MediaKind.VIDEO, f"room/view{which}/VP8/full")
    if kind == 6:
        return StreamEnded(f"room/view{which + 4}/VP8/full")
    return Speaking("room", "ann", bool(step & 1))
