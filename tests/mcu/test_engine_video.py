"""Pictures through the engine, with real codecs on both sides."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
import pytest
from support.engine_room import BLACK, BLUE, GREEN, RED, EngineRoom

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, TierName
from mixdown.codecs.video import LibavDecoder
from mixdown.mcu.engine.stage import Stage
from mixdown.mcu.engine.view import View
from mixdown.mcu.link.messages import (
    Canvas,
    LayoutChanged,
    RequestKind,
    Route,
    SourceClosed,
    SourceFrame,
    SourceKind,
    SourceOpened,
    SourceWanted,
    StreamEnded,
    Subscribe,
    ViewDocument,
)
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.media import I420Frame, Size


@pytest.fixture
def room() -> Iterator[EngineRoom]:
    room = EngineRoom()
    yield room
    errors = {name: n for name, n in room.engine.counters().items() if name.endswith("_error")}
    room.close()
    assert errors == {}


def test_two_cameras_seen_by_vp8_and_h264(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.camera("ann", RED)
    room.camera("bob", BLUE, CodecId.H264)
    ann, bob = room.watch("ann"), room.watch("bob", CodecId.H264)
    for watcher in (ann, bob):
        room.until_sees(watcher, "ann-camera", RED)
        room.until_sees(watcher, "bob-camera", BLUE)
    assert ann.stream == "room/main/VP8/full" and bob.stream == "room/main/H264/full"
    assert ann.frames[0].key and bob.frames[0].key


def test_ticks_draw_ahead_while_pictures_come_and_rest_where_none_do(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []
    draw_ahead = View.draw_ahead

    def counted(view: View, stage: Stage, begins: float) -> None:
        drawn.append(begins)
        draw_ahead(view, stage, begins)

    monkeypatch.setattr(View, "draw_ahead", counted)
    room.participants("ann")
    watcher = room.watch("ann")
    room.until(lambda: len(watcher.frames) > 10)
    assert drawn == []
    room.camera("ann", RED)
    room.until_sees(watcher, "ann-camera", RED)
    room.until(lambda: len(drawn) >= 10)
    assert len(set(drawn)) == len(drawn), "at most once a tick"
    room.until_sees(watcher, "ann-camera", RED)


def test_one_encoder_for_all_of_a_codec(room: EngineRoom) -> None:
    room.participants(*(f"p{i}" for i in range(6)))
    watchers = [room.watch(f"p{i}", CodecId.VP8 if i % 2 else CodecId.H264) for i in range(6)]
    room.until(lambda: all(watcher.frames for watcher in watchers))
    rows = room.ask(RequestKind.STATS).value["renditions"]
    assert {(row["codec"], row["subscribers"]) for row in rows} == {("VP8", 3), ("H264", 3)}
    encoders = [name for name in room.engine.threads() if name.startswith("mixdown-encode")]
    assert len(encoders) == 2


def test_the_last_watcher_takes_everything_with_him(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.camera("ann", RED)
    first, second = room.watch("ann"), room.watch("bob")
    room.until(lambda: first.frames and second.frames)
    room.leave("ann")
    seen = len(second.frames)
    room.until(lambda: len(second.frames) > seen + 5)
    assert room.count(StreamEnded) == 0
    room.leave("bob")
    room.until(lambda: room.count(StreamEnded) == 1)
    room.until(lambda: room.engine.threads() == ["mixdown-control"])
    ended = next(i for i, message in enumerate(room.messages) if isinstance(message, StreamEnded))
    assert not any(isinstance(message, EncodedFrame) for message in room.messages[ended:])
    camera = room.cameras[0]
    decoded = room.ask(RequestKind.STATS).value["sources"][0]["decoded"]
    room.until(lambda: camera.frame().sequence > 40)
    stats = room.ask(RequestKind.STATS).value
    assert stats["sources"][0]["decoded"] == decoded and stats["renditions"] == []


def test_route_comes_before_the_key_frame_and_a_joiner_gets_one_soon(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    ann = room.watch("ann")
    room.until(lambda: len(ann.frames) > 10)
    keys = sum(frame.key for frame in ann.frames)
    assert keys == 1
    bob = room.watch("bob")
    room.until(lambda: bob.frames)
    routed = next(i for i, m in enumerate(room.messages) if isinstance(m, Route) and m.subscriber == "bob")
    key = next(i for i, m in enumerate(room.messages) if i > routed and isinstance(m, EncodedFrame) and m.key)
    waited = room.messages[key].arrival - next(m for m in room.messages[routed:] if isinstance(m, EncodedFrame)).arrival
    assert waited <= 0.5


def test_a_flood_of_key_frame_requests_is_merged(room: EngineRoom) -> None:
    room.participants("ann")
    ann = room.watch("ann")
    room.until(lambda: ann.frames)
    start = len(ann.frames)

    def flood() -> bool:
        room.ask_key("ann")
        return len(ann.frames) >= start + 30

    room.until(flood)
    assert 1 <= sum(frame.key for frame in ann.frames[start:]) <= 3


def test_rtp_time_is_the_tick_s_and_sequences_run_on(room: EngineRoom) -> None:
    room.participants("ann")
    ann = room.watch("ann")
    room.until(lambda: len(ann.frames) > 20)
    assert all(frame.rtp_time % 3000 == 0 for frame in ann.frames)
    assert all(b.rtp_time > a.rtp_time for a, b in pairwise(ann.frames))
    assert [frame.sequence for frame in ann.frames] == list(range(len(ann.frames)))


def test_only_what_is_seen_is_decoded(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.change_main(layout=parse_layout_name("1x1"), order=("ann-camera",))
    room.camera("ann", RED)
    bob = room.camera("bob", BLUE)
    watcher = room.watch("ann")
    room.until_sees(watcher, "ann-camera", RED)
    rows = {row["id"]: row for row in room.ask(RequestKind.STATS).value["sources"]}
    before = rows["bob-camera"]["decoded"]
    wanted = bob.wanted
    seen = len(watcher.frames)
    room.until(lambda: len(watcher.frames) > seen + 10)
    rows = {row["id"]: row for row in room.ask(RequestKind.STATS).value["sources"]}
    assert rows["bob-camera"]["decoded"] == before and rows["bob-camera"]["skipped"] > 5
    assert "bob-camera" in room.ask(RequestKind.TILES).value["hidden"]
    room.change_main(order=("bob-camera",))
    room.until_sees(watcher, "bob-camera", BLUE)
    assert bob.wanted > wanted


def test_damage_costs_only_its_tile(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    ann = room.camera("ann", RED)
    room.camera("bob", BLUE)
    watcher = room.watch("bob")
    room.until_sees(watcher, "ann-camera", RED)
    ann.spoil = lambda data: data[:1] + bytes(len(data) // 2)
    room.until(lambda: room.engine.counters().get("decode_failed", 0) > 0 or ann.want_key())
    ann.shade = GREEN
    wanted = ann.wanted
    room.until(lambda: ann.wanted > wanted)
    room.until_sees(watcher, "bob-camera", BLUE)
    ann.spoil = bytes
    room.until_sees(watcher, "ann-camera", GREEN)


def test_decoders_that_hang_cost_their_own_tiles_only(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though they hold all threads that decode: their tiles become cards, the other one is seen as it changes."""
    monkeypatch.setattr("mixdown.mcu.engine.decoder_pool.HUNG_AFTER", 0.3)
    hangs, hold = threading.Event(), threading.Event()

    class Hanging(LibavDecoder):
        def decode(self, data: bytes) -> list[I420Frame]:
            if hangs.is_set():
                hold.wait(20)
            return super().decode(data)

    def make(codec: CodecId, screen: bool = False) -> LibavDecoder:
        return (Hanging if codec is CodecId.H264 else LibavDecoder)(codec, screen)

    monkeypatch.setattr("mixdown.mcu.engine.video_source.make_video_decoder", make)
    room.participants("ann", "bob", "cec")
    room.camera("ann", RED, CodecId.H264)
    room.camera("cec", RED, CodecId.H264)
    bob = room.camera("bob", BLUE)
    watcher = room.watch("bob")
    try:
        for source in ("ann-camera", "cec-camera"):
            room.until_sees(watcher, source, RED)
        hangs.set()
        room.until(lambda: room.engine.counters().get("decoder_hung", 0) == 2)
        bob.shade = GREEN
        room.until_sees(watcher, "bob-camera", GREEN)
        room.until(lambda: not room.sees(watcher, "ann-camera", RED))
    finally:
        hangs.clear()
        hold.set()
    room.until_sees(watcher, "ann-camera", RED)


def test_a_camera_that_stops_or_is_muted_becomes_a_card(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    ann, bob = room.camera("ann", GREEN), room.camera("bob", BLUE)
    watcher = room.watch("bob")
    room.until_sees(watcher, "ann-camera", GREEN)
    room.until_sees(watcher, "bob-camera", BLUE)
    room.alter("bob", video_muted=True)
    room.until(lambda: not room.sees(watcher, "bob-camera", BLUE), 1.5)
    room.alter("bob", video_muted=False)
    room.until_sees(watcher, "bob-camera", BLUE)
    ann.on = False
    room.until(lambda: not room.sees(watcher, "ann-camera", GREEN), 4.0)
    assert room.sees(watcher, "bob-camera", BLUE)
    ann.on = True
    room.until_sees(watcher, "ann-camera", GREEN)
    room.unplug(bob)
    room.until(lambda: not room.sees(watcher, "bob-camera", BLUE), 1.5)


def test_uniform_black_is_a_camera_that_is_off(room: EngineRoom) -> None:
    room.participants("ann")
    ann = room.camera("ann", GREEN)
    watcher = room.watch("ann")
    room.until_sees(watcher, "ann-camera", GREEN)
    ann.shade = BLACK
    room.until_sees(watcher, "ann-camera", BLACK)
    room.until(lambda: not room.sees(watcher, "ann-camera", BLACK), 4.0)
    ann.shade = GREEN
    room.until_sees(watcher, "ann-camera", GREEN, 1.5)


def test_layout_changed_tells_the_tiles_as_drawn(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.watch("ann")
    room.until(lambda: room.count(LayoutChanged) == 1)
    body = next(message for message in room.messages if isinstance(message, LayoutChanged)).tiles
    assert [tile["source"] for tile in body["tiles"]] == ["ann-camera", "bob-camera"]
    assert body["settled"] is True and body["rtp_time"] == body["tick"] * 3000 and body["hidden"] == []
    for tile in body["tiles"]:
        assert tile["target"] == {key: tile[key] for key in ("x", "y", "width", "height")}
    room.participants("ann", "bob", "cec")
    room.until(lambda: room.count(LayoutChanged) == 2)
    assert len(room.ask(RequestKind.TILES).value["tiles"]) == 3


def test_a_new_canvas_reopens_the_encoders(room: EngineRoom) -> None:
    room.participants("ann")
    room.camera("ann", RED)
    watcher = room.watch("ann")
    room.until_sees(watcher, "ann-camera", RED)
    epoch = watcher.frames[-1].epoch
    room.change_main(canvas=Canvas(320, 240, 15))
    room.until(lambda: watcher.picture is not None and watcher.picture.size == Size(320, 240))
    assert watcher.frames[-1].epoch > epoch
    assert all(b.rtp_time > a.rtp_time for a, b in pairwise(watcher.frames))
    room.until_sees(watcher, "ann-camera", RED)


def test_another_tier_and_view_by_a_second_subscribe(room: EngineRoom) -> None:
    room.participants("ann", "bob")
    room.camera("ann", RED)
    watcher = room.watch("ann")
    room.until_sees(watcher, "ann-camera", RED)
    room.watch("ann", tier=TierName.MEDIUM)
    room.until(lambda: watcher.stream == "room/main/VP8/medium")
    room.until(lambda: any(isinstance(m, StreamEnded) and m.stream.endswith("/full") for m in room.messages))
    assert watcher.picture is not None and watcher.picture.size == Size(320, 180)
    room.until(lambda: room.sees(watcher, "ann-camera", RED, scale=2))
    first_medium = next(i for i, m in enumerate(room.messages) if isinstance(m, EncodedFrame) and "medium" in m.stream)
    end = next(i for i, m in enumerate(room.messages) if isinstance(m, StreamEnded))
    assert end > first_medium, "the old one plays on until the new one's key frame"
    room.watch("ann", view="low")
    room.until(lambda: watcher.stream == "room/main/VP8/low")
    room.until(lambda: len([f for f in watcher.frames if f.stream.endswith("low")]) > 6)
    numbers = [frame.rtp_time // 6000 for frame in watcher.frames if frame.stream.endswith("low")]
    assert len(set(numbers)) == len(numbers), "at most 15 a second"
    room.watch("ann", view="auto-speaker")
    room.until(lambda: watcher.stream == "room/auto-speaker/VP8/full")


def test_switching_to_and_fro_leaves_one_encoder(room: EngineRoom) -> None:
    room.participants("ann")
    watcher = room.watch("ann")
    for tier in (TierName.LOW, TierName.FULL, TierName.MEDIUM, TierName.FULL, TierName.MEDIUM):
        room.watch("ann", tier=tier)
    room.until(lambda: watcher.stream == "room/main/VP8/medium")
    room.until(lambda: len(room.ask(RequestKind.STATS).value["renditions"]) == 1)
    encoders = [f"mixdown-encode-{watcher.stream}"]
    room.until(lambda: [name for name in room.engine.threads() if "encode" in name] == encoders)
    frames = len(watcher.frames)
    room.until(lambda: len(watcher.frames) > frames + 5)


def test_a_view_that_is_deleted_leaves_its_watchers_with_main(room: EngineRoom) -> None:
    room.participants("ann")
    main = room.document.views[0]
    room.change(views=(main, ViewDocument("wall", parse_layout_name("grid"), Canvas(320, 180, 30))))
    watcher = room.watch("ann", view="wall")
    room.until(lambda: watcher.stream == "room/wall/VP8/full" and watcher.picture is not None)
    room.change(views=(main,))
    room.until(lambda: watcher.stream == "room/main/VP8/full")


def test_a_transport_that_was_replaced(room: EngineRoom) -> None:
    room.participants("ann")
    camera = room.camera("ann", RED)
    watcher = room.watch("ann")
    room.until_sees(watcher, "ann-camera", RED)
    late = camera.frame()
    camera.epoch = 1
    room.engine.send(SourceOpened("room", "ann-camera", "ann", SourceKind.CAMERA, 1))
    camera.shade = GREEN
    camera.want_key()
    room.until_sees(watcher, "ann-camera", GREEN)
    room.engine.send(SourceFrame("room", late))
    room.engine.send(SourceClosed("room", "ann-camera", 0))
    room.until(lambda: room.engine.counters().get("source_closed_unknown"))
    assert room.engine.counters()["source_stale_epoch"] == 1
    room.until_sees(watcher, "ann-camera", GREEN)


def test_snapshot_with_and_without_watchers(room: EngineRoom) -> None:
    room.participants("ann")
    room.camera("ann", RED)
    idle = room.ask(RequestKind.SNAPSHOT).value
    picture = cv2.imdecode(np.frombuffer(idle, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (360, 640, 3)
    watcher = room.watch("ann")
    room.until_sees(watcher, "ann-camera", RED)
    small = cv2.imdecode(np.frombuffer(room.ask(RequestKind.SNAPSHOT, width=320).value, np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (180, 320, 3)
    blue, green, red = small[90, 160]
    assert red > 200 and green < 60 and blue < 60
    assert "no such view" in (room.ask(RequestKind.SNAPSHOT, view="nope").error or "")
    room.leave("ann")
    room.until(lambda: room.engine.threads() == ["mixdown-control"])


def test_stats_of_a_running_room(room: EngineRoom) -> None:
    room.participants("ann")
    room.camera("ann", RED)
    watcher = room.watch("ann")
    room.until(lambda: len(watcher.frames) > 70)
    stats = room.ask(RequestKind.STATS).value
    assert stats["room"] == "room" and stats["uptime_s"] > 1
    assert all(0 < stats["cpu_cores"][kind] < 1.5 for kind in ("decode", "compose", "encode"))
    assert stats["ticks"]["video"]["count"] >= 60
    assert 0 < stats["latency_ms"]["video"]["p50"] <= stats["latency_ms"]["video"]["p95"]
    row = stats["renditions"][0]
    assert (row["view"], row["width"], row["height"], row["subscribers"]) == ("main", 640, 360, 1)
    assert row["kbps"] > 0 and row["encode_ms"] > 0 and row["frames"] >= 60 and row["keyframes"] == 1
    source = stats["sources"][0]
    assert (source["id"], source["codec"], source["width"], source["height"]) == ("ann-camera", "VP8", 320, 180)
    assert source["fps"] > 15


def test_the_edge_is_told_how_large_a_source_is_shown(room: EngineRoom) -> None:
    def wanted(source: str) -> int | None:
        told = [m.height for m in room.messages if isinstance(m, SourceWanted) and m.source == source]
        return told[-1] if told else None

    room.participants("ann", "bob")
    room.change_main(layout=parse_layout_name("1x1"), order=("ann-camera",), canvas=Canvas(640, 360, 30))
    room.camera("ann", RED)
    room.camera("bob", BLUE)
    room.watch("ann")
    room.until(lambda: wanted("ann-camera") == 360 and wanted("bob-camera") == 0)
    room.change_main(layout=parse_layout_name("2x2"), order=())
    room.until(lambda: all(160 < (wanted(source) or 0) <= 180 for source in ("ann-camera", "bob-camera")))
    told = room.count(SourceWanted)
    room.engine.send(SourceOpened("room", "ann-camera", "ann", SourceKind.CAMERA, 1))
    room.until(lambda: room.count(SourceWanted) == told + 1)
    assert (wanted("ann-camera") or 0) > 160, "a new transport hears of it as well"


def test_a_route_tells_what_the_steps_of_the_canvas_take(room: EngineRoom) -> None:
    def routes() -> list[tuple[int, ...]]:
        return [m.kbps for m in room.messages if isinstance(m, Route) and m.kind is MediaKind.VIDEO]

    room.participants("ann")
    room.change_main(canvas=Canvas(1280, 720, 30))
    room.watch("ann")
    room.until(lambda: routes() == [(1500, 700, 200)])
    room.change_main(canvas=Canvas(640, 360, 30))
    room.until(lambda: len(routes()) == 2)
    assert routes()[-1] == (375, 175, 100)


def test_an_h264_decoder_gets_the_step_that_its_level_takes(room: EngineRoom) -> None:
    def routed() -> str:
        return [m.stream for m in room.messages if isinstance(m, Route) and m.kind is MediaKind.VIDEO][-1]

    room.participants("ann")
    room.change_main(canvas=Canvas(1920, 1080, 30))
    room.engine.send(Subscribe("room", "ann", "ann", MediaKind.VIDEO, CodecId.H264, level=31))
    room.until(lambda: room.count(Route) == 1)
    assert routed() == "room/main/H264/medium"
    room.engine.send(Subscribe("room", "bob", "bob", MediaKind.VIDEO, CodecId.H264, level=40))
    room.until(lambda: room.count(Route) == 2)
    assert routed() == "room/main/H264/full"
    room.change_main(canvas=Canvas(1280, 720, 30))
    room.until(lambda: room.count(Route) == 4)
    assert routed() == "room/main/H264/full", "what it takes now"
    room.engine.send(Subscribe("room", "eve", "eve", MediaKind.VIDEO, CodecId.VP8, level=0))
    room.until(lambda: room.count(Route) == 5)
    assert routed() == "room/main/VP8/full"
