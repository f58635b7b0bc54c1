from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixdown.mixer.clock import TickPlan
from mixdown.mixer.phase import GUARD, STEP, TickPhase

FPS = 30
PERIOD = 1 / FPS


class Room:
    """Cameras that send at the rate `fps`, each at its own moment, and a view's ticks. jitter: seconds, of a picture's
    coming. speakers: so many, the first ones, speak. spoken, listened: mean seconds that the pictures of who does, and
    of the others, waited in the last run."""

    def __init__(self, moments: list[float], fps: float = FPS, jitter: float = 0.0, speakers: int = 0) -> None:
        self.speakers = speakers
        self.spoken = self.listened = 0.0
        self.plan = TickPlan(FPS)
        self.phase = TickPhase(FPS)
        self.shifts: list[float] = []
        self._cameras = [_camera(moment, 1 / fps, jitter, seed) for seed, moment in enumerate(moments)]
        self._next = [next(camera) for camera in self._cameras]
        self._tick = 0

    def run(self, seconds: float) -> float:
        """Mean seconds that the pictures that were shown waited for their tick."""
        waits: list[float] = []
        spoken: list[float] = []
        for _ in range(round(seconds * FPS)):
            begins = self.plan.start(self._tick)
            for k, camera in enumerate(self._cameras):
                newest = None
                while self._next[k] <= begins:
                    newest, self._next[k] = self._next[k], next(camera)
                if newest is not None:
                    (spoken if k < self.speakers else waits).append(begins - newest)
                    self.phase.arrived(newest, talks=k < self.speakers)
            self.plan.shift = self.phase.ticked()
            self.shifts.append(self.plan.shift)
            self._tick += 1
        self.spoken, self.listened = (sum(of) / len(of) if of else 0.0 for of in (spoken, waits))
        return sum(waits + spoken) / len(waits + spoken)


def _camera(moment: float, every: float, jitter: float, seed: int) -> Iterator[float]:
    """When its pictures come."""
    chance = random.Random(seed)
    for n in count():
        yield moment + n * every + chance.uniform(0, jitter)


@given(st.floats(0, PERIOD))
def test_a_lone_camera_hardly_waits(moment):
    room = Room([moment])
    room.run(10)
    assert room.run(5) <= 2 * GUARD


@given(st.lists(st.floats(0, PERIOD), min_size=2, max_size=9))
def test_cameras_wait_no_longer_than_at_the_best_moment_and_never_longer_than_by_chance(moments):
    room = Room(moments)
    room.run(10)
    found = room.run(5)
    at_best = min(
        sum(wait if (wait := (tick * PERIOD / 100 - moment) % PERIOD) >= GUARD else wait + PERIOD for moment in moments)
        for tick in range(100)
    ) / len(moments)
    assert found <= at_best + 0.004
    assert found <= PERIOD / 2 + GUARD + 0.002


@pytest.mark.parametrize(("cameras", "mean"), [(1, 0.004), (2, 0.008), (4, 0.011), (9, 0.013)])
def test_how_long_pictures_wait_where_cameras_begin_by_chance(cameras, mean):
    """What the module promises."""
    chance = random.Random(cameras)
    rooms = [Room([chance.uniform(0, PERIOD) for _ in range(cameras)]) for _ in range(60)]
    for room in rooms:
        room.run(6)
    assert sum(room.run(2) for room in rooms) / len(rooms) == pytest.approx(mean, abs=0.0015)


def test_who_speaks_waits_least():
    """What the module promises."""
    chance = random.Random(9)
    rooms = [Room([chance.uniform(0, PERIOD) for _ in range(9)], speakers=1) for _ in range(60)]
    for room in rooms:
        room.run(6)
        room.run(2)
    assert sum(room.spoken for room in rooms) / len(rooms) == pytest.approx(0.005, abs=0.0015)
    assert sum(room.listened for room in rooms) / len(rooms) == pytest.approx(0.016, abs=0.0015)


def test_ticks_follow_from_one_speaker_to_the_next():
    room = Room([0.005, 0.020, *(n * PERIOD / 7 for n in range(7))], speakers=1)
    room.run(10)
    first = room.shifts[-1]
    room._cameras[0], room._cameras[1] = room._cameras[1], room._cameras[0]
    room._next[0], room._next[1] = room._next[1], room._next[0]
    room.run(8)
    assert abs(room.shifts[-1] - first - 0.015) < 0.004
    room.run(1)
    assert room.spoken < 0.008


def test_a_camera_whose_clock_drifts_is_followed():
    room = Room([0.005], fps=FPS * (1 - 300e-6))
    room.run(10)
    assert max(room.run(5) for _ in range(8)) <= 2 * GUARD + 0.001


def test_jitter_is_waited_for_before_the_tick_rather_than_missed():
    room = Room([0.010], jitter=0.008)
    room.run(10)
    assert room.run(10) <= 0.008 + 2 * GUARD


def test_pictures_at_any_moment_move_nothing():
    room = Room([n * PERIOD / 16 for n in range(16)])
    room.run(10)
    settled = room.shifts[-1]
    room.run(20)
    assert max(abs(shift - settled) for shift in room.shifts[300:]) <= 0.002


@pytest.mark.parametrize("seed", range(5))
def test_ticks_move_smoothly_and_stay_within_a_frames_time(seed):
    chance = random.Random(seed)
    room = Room([chance.uniform(0, PERIOD) for _ in range(3)], fps=29.97)
    room.run(60)
    steps = [abs(b - a) for a, b in zip(room.shifts, room.shifts[1:], strict=False)]
    assert max(steps) <= STEP * 1.001
    assert all(0 <= shift < PERIOD for shift in room.shifts)


def test_one_picture_moves_nothing_whoever_it_is_of():
    phase = TickPhase(FPS)
    phase.arrived(0.020, talks=True)
    assert {phase.ticked() for _ in range(100)} == {0.0}


def test_without_pictures_nothing_moves():
    phase = TickPhase(FPS)
    assert {phase.ticked() for _ in range(100)} == {0.0}
