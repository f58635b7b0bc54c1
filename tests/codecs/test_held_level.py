"""Concealment stays nearly as loud as what was heard, is never made quieter, and silence stays silence."""

from __future__ import annotations

import numpy as np
import pytest

from mixdown.codecs.held_level import DECAY, MOST, HeldLevel
from mixdown.mixer.media import Samples


def noise(level: float, blocks: int = 1) -> Samples:
    return (level * np.random.default_rng(3).standard_normal((960 * blocks, 2))).astype(np.float32)


def decibel(samples: Samples) -> float:
    return float(10 * np.log10(np.square(samples.astype(np.float64)).mean()))


def test_concealment_that_fades_is_held_and_fades_slowly():
    level = HeldLevel()
    level.heard(noise(0.1))
    held = [level.hold(noise(0.1 * 0.5**n)) for n in range(1, 6)]
    for n, block in enumerate(held[1:], 2):
        assert decibel(block) == pytest.approx(-20 - DECAY * n / 5, abs=3)
    gains = np.concatenate([block / noise(0.1 * 0.5**n) for n, block in enumerate(held, 1)])[:, 0]
    assert np.abs(np.diff(gains)).max() < 0.05, "the gain has a step"


def test_what_is_loud_enough_is_left_as_it_is():
    level = HeldLevel()
    level.heard(noise(0.01))
    block = noise(0.1)
    assert level.hold(block) is block


def test_silence_stays_silence_and_noise_is_not_made_a_voice():
    level = HeldLevel()
    level.heard(np.zeros((960, 2), np.float32))
    assert not level.hold(noise(1e-7)).max() > 1e-5
    level.heard(noise(0.1))
    level.hold(noise(1e-5))
    assert decibel(level.hold(noise(1e-5))) <= -100 + MOST + 1


@pytest.mark.parametrize(("blocks", "lowest", "highest"), [(2, -40, -28), (50, -65, -59)])
def test_between_two_sounds_of_a_word_something_is_heard_and_after_the_word_nothing(blocks, lowest, highest):
    level = HeldLevel()
    level.heard(noise(0.5))
    for _ in range(blocks):
        level.heard(noise(0.001))
    level.hold(noise(0.001))
    assert lowest < decibel(level.hold(noise(0.001))) < highest
