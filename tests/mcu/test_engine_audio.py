"""Sound through the engine, with real codecs on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from support.engine_room import BLUE, RED, EngineRoom

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.opus import has_fec
from mixdown.mcu.link.messages import (
    ActiveSpeaker,
    Feedback,
    RequestKind,
    Route,
    SourceFrame,
    SourceKind,
    SourceOpened,
    Speaking,
    StreamEnded,
)
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.levels import level_dbov

HEARD = -30.0
UNHEARD = -70.0


@pytest.fixture
def room() -> Iterator[EngineRoom]:
    room = EngineRoom()
    yield room
    errors = {name: n for name, n in room.engine.counters().items() if name.endswith("_error")}
    room.close()
    assert errors == {}


def test_everybody_hears_the_others_and_nobody_himself(room: EngineRoom) -> None:
    room.participants("ann", "bob", "cec")
    room.microphone("ann", 440)
    room.microphone("bob", 1000)
    ann, bob, cec = (room.listen(name) for name in ("ann", "bob", "cec"))

    def right() -> bool:
        return (
            ann.tone_dbov(1000) > HEARD > UNHEARD > ann.tone_dbov(440)
            and bob.tone_dbov(440) > HEARD > UNHEARD > bob.tone_dbov(1000)
            and min(cec.tone_dbov(440), cec.tone_dbov(1000)) > HEARD
        )

    room.until(right)
    assert ann.stream == "room/mix/opus/ann" and cec.stream == "room/mix/opus"
    mixes = room.ask(RequestKind.STATS).value["mixes"]
    assert sorted((mix["codec"], mix["listeners"], mix["shared"]) for mix in mixes) == [
        ("opus", 1, False),
        ("opus", 1, False),
        ("opus", 1, True),
    ]


def test_packets_are_on_the_room_s_clock(room: EngineRoom) -> None:
    room.participants("ann")
    listener = room.listen("ann")
    room.until(lambda: len(listener.packets) > 20)
    times = [packet.rtp_time for packet in listener.packets]
    assert times[0] % 960 == 0 and len(set(times)) == len(times)
    assert all(b - a >= 960 and (b - a) % 960 == 0 for a, b in pairwise(times))
    assert all(packet.level == 127 for packet in listener.packets)


def test_the_route_comes_before_the_stream_s_packets(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.microphone("ann", 440)
    listener = room.listen("ann")
    room.until(lambda: listener.stream == "room/mix/opus/ann" and len(listener.heard) > 30)
    routed: set[str] = set()
    for message in room.messages:
        if isinstance(message, Route):
            routed.add(message.stream)
        elif isinstance(message, EncodedFrame):
            assert message.stream in routed
    sequences = [packet.sequence for packet in listener.packets]
    assert len(set(sequences)) == len(sequences), "one packet a tick, also over the change of streams"


def test_a_listener_who_loses_packets_gets_fec(room: EngineRoom) -> None:
    room.participants("ann", "bob", "cec")
    room.microphone("ann", 440)
    bob, cec = room.listen("bob"), room.listen("cec")
    room.until(lambda: bob.tone_dbov(440) > HEARD)
    room.engine.send(Feedback(room.name, "bob", None, 0.05, 0.03))
    room.until(lambda: bob.stream == "room/mix/opus+fec" and len(bob.heard) > 100)
    assert any(has_fec(packet.data) for packet in bob.packets if packet.stream == bob.stream)
    assert all(packet.protected == ("+fec" in packet.stream) for packet in bob.packets)
    assert cec.stream == "room/mix/opus" and bob.tone_dbov(440) > HEARD
    mixes = room.ask(RequestKind.STATS).value["mixes"]
    assert [(mix["listeners"], mix["shared"]) for mix in mixes] == [(1, True), (1, True)]


def test_a_mute_is_obeyed(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.microphone("ann", 440)
    bob = room.listen("bob")
    room.until(lambda: bob.tone_dbov(440) > HEARD)
    room.alter("ann", audio_muted=True)
    room.until(lambda: bob.tone_dbov(440) < UNHEARD)
    room.alter("ann", audio_muted=False)
    room.until(lambda: bob.tone_dbov(440) > HEARD)


def test_telephone_codecs_both_ways(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.microphone("ann", 440, CodecId.PCMU)
    bob, same = room.listen("bob", CodecId.G722), room.listen("viewer")
    room.until(lambda: bob.tone_dbov(440) > HEARD and same.tone_dbov(440) > HEARD)
    assert bob.stream == "room/mix/G722"
    step = bob.packets[-1].rtp_time - bob.packets[-2].rtp_time
    assert step % 160 == 0 and step < 1000, "G.722's RTP clock runs at 8000 (RFC 3551, 4.5.2)"


def test_who_speaks_is_told_and_takes_the_large_tile(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.change_main(layout=parse_layout_name("single-speaker"))
    room.camera("ann", RED)
    room.camera("bob", BLUE)
    watcher = room.watch("ann")
    room.listen("ann")
    bob = room.microphone("bob", 300)
    room.until_sees(watcher, "bob-camera", BLUE)
    assert Speaking("room", "bob", True) in room.messages
    assert ActiveSpeaker("room", "bob") in room.messages
    room.microphones.remove(bob)
    room.until(lambda: Speaking("room", "bob", False) in room.messages)
    room.microphone("ann", 500)
    room.until_sees(watcher, "ann-camera", RED)
    assert ActiveSpeaker("room", "ann") in room.messages


def test_the_last_listener_ends_it_all(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.microphone("bob", 300)
    ann = room.listen("ann")
    room.until(lambda: Speaking("room", "bob", True) in room.messages)
    room.leave("ann", MediaKind.AUDIO)
    room.until(lambda: StreamEnded("room/mix/opus") in room.messages)
    room.until(lambda: room.engine.threads() == ["mixdown-control"])
    assert Speaking("room", "bob", False) in room.messages
    assert room.ask(RequestKind.STATS).value["mixes"] == []
    heard = len(ann.heard)
    room.listen("ann")
    room.until(lambda: len(ann.heard) > heard and ann.tone_dbov(300) > HEARD)
    assert ann.packets[-1].epoch > ann.packets[0].epoch


def test_garbage_is_counted_and_survived(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    microphone = room.microphone("ann", 440)
    listener = room.listen("bob")
    room.until(lambda: listener.tone_dbov(440) > HEARD)
    for data in (b"", b"\xff", bytes(2000)):
        for frame in microphone.frames():
            room.engine.send(SourceFrame("room", replace(frame, data=data)))
        room.until(lambda: len(listener.heard) > 30)
    heard = len(listener.heard)
    room.until(lambda: len(listener.heard) > heard + 40 and listener.tone_dbov(440) > HEARD)


def test_audio_latency_and_cpu_are_measured(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.microphone("ann", 440)
    listener = room.listen("bob")
    room.until(lambda: len(listener.heard) > 120)
    stats = room.ask(RequestKind.STATS).value
    assert 10 < stats["latency_ms"]["audio"]["p50"] < 200
    assert 0 < stats["cpu_cores"]["audio"] < 0.5
    assert stats["ticks"]["audio"]["count"] >= 100
    row = next(row for row in stats["sources"] if row["id"] == "ann-microphone")
    assert row["codec"] == "opus" and row["decoded"] > 50 and row["loss"] == 0


def test_a_replaced_microphone(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    old = room.microphone("ann", 440)
    listener = room.listen("bob")
    room.until(lambda: listener.tone_dbov(440) > HEARD)
    room.engine.send(SourceOpened("room", "ann-microphone", "ann", SourceKind.MICROPHONE, 1))
    room.until(lambda: room.engine.counters().get("source_stale_epoch", 0) > 3)
    room.until(lambda: listener.tone_dbov(440) < UNHEARD)
    assert old in room.microphones


REACTION_TICKS = 5
"Ticks of 20 ms within which a change is heard."


@pytest.mark.parametrize(
    ("fields", "least", "most"), [({"audio_muted": True}, -127.0, UNHEARD), ({"gain_db": -20.0}, -50.0, -32.0)]
)
def test_mute_and_gain_are_heard_at_once(
    room: EngineRoom, fields: dict[str, object], least: float, most: float
) -> None:
    """In media time: what the listener gets in the ticks after the change, each by itself."""
    room.participants("ann", "bob")
    room.microphone("ann", 440)
    bob = room.listen("bob")
    room.until(lambda: bob.tone_dbov(440) > HEARD)
    loud = level_dbov(bob.heard[-1])
    at = len(bob.packets)
    room.alter("ann", **fields)
    room.until(lambda: len(bob.packets) > at + 2 * REACTION_TICKS)
    levels = [level_dbov(block) for block in bob.heard[at + REACTION_TICKS :]]
    assert loud > HEARD and all(least <= level < most for level in levels), (loud, levels)
