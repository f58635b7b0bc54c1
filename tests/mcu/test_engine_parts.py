"""The engine's small parts, each by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from mixdown.codecs.encoded import CodecId, EncodedFrame, Tier, TierName
from mixdown.codecs.video import make_video_encoder
from mixdown.mcu import clock
from mixdown.mcu.engine.black import BlackWatch, is_black
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.decoder_pool import DecoderPool
from mixdown.mcu.engine.faults import MAX_NAMES, Faults
from mixdown.mcu.engine.meter import CpuMeter, LatencyMeter, TickMeter, Work
from mixdown.mcu.engine.stage import Voices, make_stage
from mixdown.mcu.engine.tiers import frame_number, tier_of
from mixdown.mcu.engine.video_source import Picture, VideoSource
from mixdown.mcu.engine.view import View
from mixdown.mcu.link.messages import Canvas, ParticipantDocument, RoomDocument, SourceKind, ViewDocument
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.picture import colour


def wait_for(condition: Callable[[], object], deadline: float = 5.0) -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.002)


# ---- tiers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("canvas", "name", "expected"),
    [
        (Canvas(), TierName.FULL, (1280, 720, 30, 1500)),
        (Canvas(), TierName.MEDIUM, (640, 360, 30, 700)),
        (Canvas(), TierName.LOW, (320, 180, 15, 200)),
        (Canvas(1920, 1080, 60), TierName.FULL, (1920, 1080, 60, 4000)),
        (Canvas(320, 180, 10), TierName.FULL, (320, 180, 10, 250)),
        (Canvas(320, 180, 10), TierName.LOW, (80, 44, 10, 100)),
        (Canvas(160, 160, 5), TierName.LOW, (40, 40, 5, 100)),
    ],
)
def test_tiers(canvas: Canvas, name: TierName, expected: tuple[int, int, int, int]) -> None:
    tier = tier_of(canvas, name)
    assert (tier.width, tier.height, tier.fps, tier.kbps) == expected


def test_a_lower_rate_takes_evenly_spaced_ticks() -> None:
    taken = [n for n in range(1, 31) if frame_number(n, 30, 15) != frame_number(n - 1, 30, 15)]
    assert taken == list(range(2, 31, 2))
    taken = [n for n in range(1, 26) if frame_number(n, 25, 15) != frame_number(n - 1, 25, 15)]
    assert len(taken) == 15


# ---- black -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (colour(Size(640, 360), 16, 128, 128), True),
        (colour(Size(640, 360), 0, 128, 128), True),
        (colour(Size(640, 360), 40, 128, 128), False),
        (colour(Size(640, 360), 16, 160, 128), False),
        (colour(Size(2, 2), 16, 128, 128), True),
    ],
)
def test_is_black(frame: I420Frame, expected: bool) -> None:
    assert is_black(frame) is expected


def test_a_dark_room_is_not_black() -> None:
    luma = np.random.default_rng(1).integers(16, 40, (360, 640)).astype(np.uint8)
    chroma = np.full((180, 320), 128, np.uint8)
    assert not is_black(I420Frame(luma, chroma, chroma))


def test_black_is_timed_from_its_first_look() -> None:
    watch, black, grey = BlackWatch(), colour(Size(64, 64), 16, 128, 128), colour(Size(64, 64), 90, 128, 128)
    watch.look(grey, 0.0)
    watch.look(black, 0.1)
    assert watch.black_for(0.2) == 0.0, "not looked at again so soon"
    watch.look(black, 0.4)
    watch.look(black, 1.0)
    assert watch.black_for(2.4) == pytest.approx(2.0)
    watch.look(grey, 2.5)
    assert watch.black_for(2.6) == 0.0


# ---- meters ------------------------------------------------------------------------------------------------------


def test_cpu_is_that_of_the_last_window() -> None:
    meter = CpuMeter(100.0)
    meter.add(Work.DECODE, 1.0)
    assert meter.cores(102.0)["decode"] == pytest.approx(0.5)
    for second in range(103, 121):
        meter.add(Work.ENCODE, 0.25)
        meter.roll(float(second))
    cores = meter.cores(120.0)
    assert cores["decode"] == 0.0 and cores["encode"] == pytest.approx(0.25)
    assert meter.totals()["decode"] == 1.0
    assert meter.cores(1000.0)["encode"] < 0.001


def test_latency_percentiles() -> None:
    meter = LatencyMeter()
    assert meter.body() == {"p50": None, "p95": None}
    for n in range(100):
        meter.add(n / 1000)
    assert meter.body() == {"p50": 50.0, "p95": 95.0}


def test_usual_latency_leaves_out_what_was_waited_on_purpose_and_what_hung() -> None:
    meter = LatencyMeter()
    assert meter.usual is None
    for n in range(1000):
        meter.add(9.0 if n == 900 else 0.070, waited=0.040)
    assert meter.usual == pytest.approx(0.030, abs=0.001)


def test_tick_meter() -> None:
    meter = TickMeter()
    meter.tick(0.001, 0)
    meter.tick(0.020, 2)
    assert meter.body() == {"count": 2, "late": 1, "skipped": 2}


# ---- faults, crew, pool ------------------------------------------------------------------------------------------


def test_faults_are_counted_and_bounded() -> None:
    faults = Faults()
    with faults.survive("tick"):
        raise ValueError
    assert faults.snapshot() == {"tick_error": 1}
    with pytest.raises(KeyboardInterrupt), faults.survive("tick"):
        raise KeyboardInterrupt
    for n in range(MAX_NAMES + 10):
        faults.count(f"name-{n}")
    assert len(faults.snapshot()) == MAX_NAMES + 1 and faults.snapshot()["other"] == 11


def test_the_crew_waits_for_its_threads_up_to_a_deadline() -> None:
    crew, hold = Crew(Faults()), threading.Event()
    crew.start("patient-1", hold.wait)  # type: ignore[arg-type]
    assert crew.join(time.monotonic() + 0.05) == ["mixdown-patient-1"]
    hold.set()
    assert crew.join(time.monotonic() + 5) == [] and crew.names() == []


def test_the_pool_makes_threads_as_needed_and_lets_them_go() -> None:
    faults = Faults()
    crew = Crew(faults)
    pool = DecoderPool(crew, faults, size=2, idle_seconds=0.05)
    hold, ran = threading.Event(), []

    def job() -> None:
        hold.wait(5)
        ran.append(threading.current_thread().name)

    for _ in range(5):
        pool.submit(job)
    assert len(crew.names()) == 2
    hold.set()
    wait_for(lambda: len(ran) == 5)
    assert len(set(ran)) == 2
    wait_for(lambda: crew.names() == [])
    pool.submit(job)
    wait_for(lambda: len(ran) == 6)
    pool.close()
    pool.submit(job)
    assert crew.join(time.monotonic() + 5) == [] and len(ran) == 6


def test_one_thread_does_all_the_work_while_it_keeps_up() -> None:
    crew = Crew(Faults())
    pool = DecoderPool(crew, Faults(), size=2, idle_seconds=5.0)
    both, ran = threading.Barrier(2), []
    for _ in range(2):
        pool.submit(lambda: ran.append(both.wait(5)))
    wait_for(lambda: pool.waiting == 2)
    names: list[str] = []
    for n in range(1, 11):
        pool.submit(lambda: names.append(threading.current_thread().name))
        wait_for(lambda n=n: len(names) == n and pool.waiting == 2)  # type: ignore[misc]
    assert len(ran) == 2 and len(set(names)) == 1
    pool.close()
    assert crew.join(time.monotonic() + 5) == []


def test_no_job_is_lost_to_a_thread_that_gives_up() -> None:
    crew = Crew(Faults())
    pool = DecoderPool(crew, Faults(), size=2, idle_seconds=0.001)
    ran: list[int] = []
    for n in range(300):
        pool.submit(lambda n=n: ran.append(n))  # type: ignore[misc]
        time.sleep(0.0005 + n % 10 * 0.0002)
    wait_for(lambda: len(ran) == 300)
    wait_for(lambda: crew.names() == [])
    assert sorted(ran) == list(range(300)) and pool.waiting == 0


def test_a_job_that_raises_does_not_cost_its_thread() -> None:
    faults = Faults()
    crew = Crew(faults)
    pool = DecoderPool(crew, faults, size=1, idle_seconds=1.0)
    ran: list[int] = []

    def bad() -> None:
        raise RuntimeError

    pool.submit(bad)
    pool.submit(lambda: ran.append(1))
    wait_for(lambda: ran)
    assert faults.snapshot() == {"decode_error": 1}
    pool.close()
    assert crew.join(time.monotonic() + 5) == []


def test_a_job_that_hangs_costs_its_own_thread_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixdown.mcu.engine.decoder_pool.HUNG_AFTER", 0.05)
    faults = Faults()
    crew = Crew(faults)
    pool = DecoderPool(crew, faults, size=2, idle_seconds=5.0)
    hold, ran, hanging = threading.Event(), [], []

    def hang() -> None:
        hanging.append(1)
        hold.wait(10)

    for _ in range(2):
        pool.submit(hang)
    wait_for(lambda: len(hanging) == 2)
    time.sleep(0.1)  # so that both have hung for long enough when the next job asks for a thread
    pool.submit(lambda: ran.append(1))
    wait_for(lambda: (pool.relieve(), ran)[1])
    assert faults.snapshot() == {"decoder_hung": 2}
    for _ in range(5):
        pool.submit(lambda: ran.append(1))
    wait_for(lambda: len(ran) == 6)
    assert 3 <= len(crew.names()) <= 4
    hold.set()
    wait_for(lambda: len(crew.names()) <= 2)
    pool.close()
    assert crew.join(time.monotonic() + 5) == []


# ---- the stage ---------------------------------------------------------------------------------------------------


def room(*participants: ParticipantDocument) -> RoomDocument:
    return RoomDocument(
        "room", 0, (ViewDocument("main", parse_layout_name("speaker"), Canvas(640, 360)),), participants
    )


def test_everybody_but_viewers_has_a_tile() -> None:
    stage = make_stage(room(ParticipantDocument("a", "A"), ParticipantDocument("v", "V", viewer=True)), {}, Voices())
    assert [member.id for member in stage.members] == ["a-camera"]


def test_views_on_demand_have_main_s_canvas() -> None:
    stage = make_stage(room(), {}, Voices())
    grid = stage.view("auto-grid")
    assert grid is not None and grid.layout.name == "grid" and grid.canvas == Canvas(640, 360)
    assert stage.view("wall") is None


# ---- a view's ticks ----------------------------------------------------------------------------------------------


def test_ticks_follow_the_moment_from_which_pictures_may_be_shown():
    view, origin = View("main", picture_timeout=2.0), 100.0
    grey = I420Frame(np.full((2, 2), 16, np.uint8), np.full((1, 1), 128, np.uint8), np.full((1, 1), 128, np.uint8))
    for n in range(400):
        ready = origin + n / 30 + 0.010
        held = Picture(grey, ready - 0.040, ready - 0.030, ready, waited=0.040)
        view.settle([(held, False)], origin)
    assert 0.012 <= view.plan.shift <= 0.016
    assert view.plan.start(30) == pytest.approx(1 + view.plan.shift) and view.plan.pts(30) == 90_000


def test_what_has_come_before_the_tick_is_drawn_before_it():
    pool = DecoderPool(Crew(Faults()), Faults(), 1, 1.0)
    source = VideoSource("a-camera", "a", SourceKind.CAMERA, 0, pool, Faults(), CpuMeter(0.0), lambda name: None)
    stage = make_stage(room(ParticipantDocument("a", "A")), {"a-camera": source}, Voices())
    view = View("main", picture_timeout=2.0)
    view.adopt(stage, 0.0)

    def shown(at: float) -> int:
        source.mailbox.put(Picture(colour(Size(64, 36), 90, 128, 128), at, at, at, waited=0.0))
        return view._compositor.scaled if view._compositor else 0

    begins = clock.now()
    shown(begins)
    view.tick = 0
    assert view.draw(stage, begins).fresh and view.moves
    for age, ahead in ((0.005, 1), (0.040, 0)):  # after 40 ms the next one is due before the tick
        begins += 0.033
        before = shown(begins - age)
        view.draw_ahead(stage, begins)
        assert view._compositor.scaled == before + ahead
        assert len(view.draw(stage, begins).fresh) == 1
        assert view._compositor.scaled == before + 1
    for tick, moves in ((1, True), (2, True), (3, True), (4, False)):  # a camera of 10 pictures a second moves
        view.tick = tick
        view.draw(stage, begins)
        assert view.moves is moves


def test_who_spoke_counts_as_one_who_talks_for_a_while():
    pool = DecoderPool(Crew(Faults()), Faults(), 1, 1.0)
    source = VideoSource("a-camera", "a", SourceKind.CAMERA, 0, pool, Faults(), CpuMeter(0.0), lambda name: None)
    view, begun = View("main", picture_timeout=2.0), clock.now()
    silent, speaks = (
        make_stage(room(ParticipantDocument("a", "A")), {"a-camera": source}, Voices(who))
        for who in (frozenset[str](), frozenset({"a"}))
    )
    view.adopt(silent, 0.0)
    for after, stage, talks in ((0, silent, False), (1, speaks, True), (2, silent, True), (17, silent, False)):
        picture = Picture(colour(Size(64, 36), 90, 128, 128), begun + after, begun + after, begun + after, waited=0.0)
        source.mailbox.put(picture)
        assert view.draw(stage, begun + after).fresh == ((picture, talks),), after


def test_a_picture_tells_what_it_waited_for_its_sound_before_its_decoder_too() -> None:
    crew, faults = Crew(Faults()), Faults()
    pool = DecoderPool(crew, faults, 1, 1.0)
    source = VideoSource("c", "a", SourceKind.CAMERA, 0, pool, faults, CpuMeter(0.0), lambda name: None)
    source.set_visible(True)
    encoder = make_video_encoder(CodecId.VP8, Tier(TierName.LOW, 64, 64, 30, 100))
    grey = I420Frame(
        np.full((64, 64), 90, np.uint8), np.full((32, 32), 128, np.uint8), np.full((32, 32), 128, np.uint8)
    )
    waited = []
    for n, wait in enumerate((0.0, 0.080)):
        source.set_wait(wait)
        made = encoder.encode(grey, n, n == 0)
        assert made is not None
        now = clock.now()
        before = source.mailbox.latest
        source.offer(EncodedFrame("c", 0, CodecId.VP8, n, n, round(now * 90_000), made.data, key=made.key, arrival=now))
        wait_for(lambda before=before: source.picture(clock.now(), 2.0) is not before)  # type: ignore[misc]
        picture = source.mailbox.latest
        assert picture is not None
        waited.append(picture.waited)
        assert picture.ready >= picture.arrival + picture.waited
    assert waited[0] == 0.0 and waited[1] == pytest.approx(0.080, abs=0.010)
    source.close()
    encoder.close()
    pool.close()
