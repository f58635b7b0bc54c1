from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest

from mixdown.mixer.inclusion import HOLD_TICKS, Inclusion
from mixdown.mixer.levels import level_dbov, rfc6464
from mixdown.mixer.media import silence
from mixdown.mixer.speakers import Speakers, SpeakerState


def test_levels_are_in_dbov():
    block = silence()
    assert level_dbov(block) == -127
    block[:] = 1
    assert level_dbov(block) == 0
    sine = np.sin(2 * np.pi * np.arange(960) / 48).astype(np.float32)
    assert level_dbov(np.stack((sine, sine), axis=1)) == pytest.approx(-3.01, abs=0.01)
    block[3, 1] = np.inf
    assert math.isnan(level_dbov(block))


@pytest.mark.parametrize(
    ("dbov", "value"), [(0.0, 0), (-30.4, 30), (-127.0, 127), (-200.0, 127), (3.0, 0), (math.nan, 127)]
)
def test_header_extension_levels(dbov, value):
    assert rfc6464(dbov) == value


def test_a_source_is_held_for_half_a_second():
    inclusion = Inclusion(8)
    owners = {"s": "a"}
    assert inclusion.update({"s": -30.0}, owners).seated == {"s"}
    for _ in range(HOLD_TICKS - 1):
        assert inclusion.update({"s": -90.0}, owners).seated == {"s"}
    assert not inclusion.update({"s": -90.0}, owners).seated
    assert not inclusion.update({"s": -63.0}, owners).seated


def test_a_pause_between_words_costs_nobody_the_place():
    inclusion = Inclusion(1)
    owners = {"s": "a", "t": "b"}
    inclusion.update({"s": -20.0, "t": -30.0}, owners)
    for _ in range(10):
        assert inclusion.update({"s": -60.0, "t": -30.0}, owners).seated == {"s"}
    for _ in range(30):
        included = inclusion.update({"s": -60.0, "t": -30.0}, owners)
    assert included.seated == {"t"} and included.reserve == {"s"}


def test_speaking_begins_after_60_ms_and_ends_after_600():
    speakers = Speakers()
    states = [speakers.update({"a": -20.0}, n * 0.02) for n in range(4)]
    assert [bool(s.speaking) for s in states] == [False, False, True, True]
    assert states[2].started == {"a"} and states[2].active == "a" and states[2].active_changed
    assert not states[3].started and not states[3].active_changed
    silent = [speakers.update({"a": -70.0}, 0.08 + n * 0.02) for n in range(40)]
    assert silent[25].speaking == {"a"} and not silent[35].speaking
    assert silent[-1].active == "a"


def test_a_click_is_no_speech():
    speakers = Speakers()
    states = [speakers.update({"a": -20.0 if n % 5 < 2 else -80.0}, n * 0.02) for n in range(50)]
    assert not any(s.speaking for s in states)


def test_an_active_speaker_stays_it_for_two_seconds():
    speakers = Speakers()
    for n in range(5):
        speakers.update({"a": -30.0, "b": -90.0}, n * 0.02)
    changed = next(n for n in range(5, 300) if speakers.update({"a": -90.0, "b": -15.0}, n * 0.02).active == "b")
    assert 2.0 <= changed * 0.02 - 2 * 0.02 <= 2.1


def test_an_active_speaker_who_leaves_is_replaced_at_once():
    speakers = Speakers()
    for n in range(10):
        speakers.update({"a": -20.0, "b": -30.0}, n * 0.02)
    speakers.forget("a")
    state = speakers.update({"b": -30.0}, 0.2)
    assert state.active == "b" and state.stopped == {"a"}


def follow(levels: dict[str, Callable[[int], float]], updates: int) -> list[SpeakerState]:
    """levels: participant -> dBov by update."""
    speakers = Speakers()
    return [speakers.update({p: level(n) for p, level in levels.items()}, n * 0.02) for n in range(updates)]


def speech(n: int, loud: float = -25.0, pause: float = -55.0) -> float:
    """Syllables of 160 ms with 80 ms between them."""
    return loud if n % 12 < 8 else pause


@pytest.mark.parametrize(("noise", "begins"), [(-50.0, 0), (-45.0, 0), (-38.0, 0), (-50.0, 1000), (-45.0, 1000)])
def test_steady_noise_does_not_take_the_floor(noise, begins):
    """Whether it was there from the start, or a fan was switched on; who was speaking has been silent for long."""
    dice = random.Random(1)
    states = follow(
        {
            "talker": lambda n: speech(n) if n < 100 else -127.0,
            "fan": lambda n: -127.0 if n < begins else noise + dice.uniform(-2, 2),
        },
        3000,
    )
    assert all(state.active in (None, "talker") for state in states)
    assert not any("fan" in state.speaking for state in states[begins + 100 :])


def test_speech_in_noise_is_heard_as_such():
    states = follow({"a": lambda n: speech(n, -28.0, -45.0) if n >= 500 else -45.0}, 1500)
    assert not any(state.speaking for state in states[100:500])
    assert all(state.speaking for state in states[510:])


def test_quiet_speech_goes_on_being_speech():
    states = follow({"a": lambda n: speech(n, -41.0, -58.0)}, 3000)
    assert all(state.speaking for state in states[40:])


def test_a_tone_and_music_go_on_being_heard():
    states = follow({"a": lambda n: -25.0}, 3000)
    assert all(state.active == "a" and state.speaking for state in states[5:])


@pytest.mark.parametrize("length", [5, 15, 24])
def test_a_cough_does_not_take_the_floor(length):
    """Of up to 480 ms, long after the talker fell silent; again and again, with pauses."""
    states = follow(
        {
            "talker": lambda n: speech(n) if n < 100 else -70.0,
            "cougher": lambda n: -12.0 if n > 300 and n % 100 < length else -70.0,
        },
        2000,
    )
    assert all(state.active == "talker" for state in states[5:])
    assert any("cougher" in state.speaking for state in states)


def test_who_goes_on_talking_takes_the_floor_within_a_second():
    states = follow(
        {"a": lambda n: speech(n) if n < 100 else -70.0, "b": lambda n: speech(n) if n >= 300 else -70.0}, 400
    )
    taken = next(n for n, state in enumerate(states) if state.active == "b")
    assert 300 + 25 <= taken <= 350
