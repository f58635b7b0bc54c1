"""Blocks shortened and lengthened by a pitch period."""

from __future__ import annotations

import numpy as np
import pytest

from mixdown.mixer.audio_input import AudioRing
from mixdown.mixer.media import Samples
from mixdown.mixer.time_scale import MAX_LAG, MIN_LAG, lengthen, shorten


def stereo(wave: np.ndarray) -> Samples:
    return np.stack((wave, wave), axis=1).astype(np.float32)


def sine(hz: float, count: int) -> Samples:
    return stereo(0.3 * np.sin(2 * np.pi * hz * np.arange(count) / 48000))


def curvature(samples: Samples) -> float:
    return float(np.abs(np.diff(samples[:, 0], 2)).max())


@pytest.mark.parametrize("hz", [85, 220, 440, 997])
@pytest.mark.parametrize("scale", [shorten, lengthen])
def test_a_tone_goes_on_in_pitch_and_without_a_click(scale, hz):
    tone = sine(hz, 960 + MAX_LAG)
    scaled = scale(tone[: 960 if scale is lengthen else None], 0.9)
    assert scaled is not None and MIN_LAG <= abs(scaled.used - 960) <= MAX_LAG
    assert scaled.block.shape == (960, 2)
    after = sine(hz, scaled.used + 480)[scaled.used :]
    line = np.concatenate((scaled.block, after))
    assert curvature(line) < 1.5 * 0.3 * (2 * np.pi * hz / 48000) ** 2 + 1e-4
    assert np.allclose(scaled.block[0], tone[0], atol=1e-4)


def test_noise_is_left_alone_unless_there_is_no_choice():
    noise = stereo(0.1 * np.random.default_rng(3).standard_normal(960 + MAX_LAG))
    assert shorten(noise, 0.9) is None and lengthen(noise[:960], 0.9) is None
    assert shorten(noise, -1.0) is not None


def test_silence_gives_and_takes_the_most():
    assert shorten(sine(0, 960 + MAX_LAG), 0.9).used == 960 + MAX_LAG
    assert lengthen(sine(0, 960), 0.9).used == 960 - MAX_LAG


def test_the_ring_keeps_what_was_not_used():
    ring, tone = AudioRing(), sine(480, 4800)
    assert ring.shorten(0.9) is None
    ring.push(tone)
    first = ring.shorten(0.9)
    used = 4800 - len(ring)
    assert first is not None and used > 960
    assert np.array_equal(ring.pull(), tone[used : used + 960])
    longer = ring.lengthen(0.9)
    assert longer is not None and len(ring) > 4800 - used - 1920
