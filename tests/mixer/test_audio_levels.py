from __future__ import annotations

import math

import numpy as np
import pytest

from mixdown.mixer.inclusion import HOLD_TICKS, Inclusion
from mixdown.mixer.levels import level_dbov, rfc6464
from mixdown.mixer.media import silence
from mixdown.mixer.speakers import Speakers


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
