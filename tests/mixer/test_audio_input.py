from __future__ import annotations

import numpy as np
import pytest

from mixdown.mixer.audio_input import CAPACITY, AudioRing
from mixdown.mixer.media import Samples


def sine(start: int, count: int, hz: float = 997) -> Samples:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(start, start + count) / 48000)
    return np.stack((wave, wave), axis=1).astype(np.float32)


def test_packets_of_any_length_come_out_in_blocks_unchanged():
    ring = AudioRing()
    out, at = [], 0
    for count in [120, 480, 960, 2880, 5760, 7, 1000]:
        ring.push(sine(at, count))
        at += count
        while (block := ring.pull()) is not None:
            out.append(block)
    sound = np.concatenate(out)
    assert np.array_equal(sound, sine(0, len(sound)))
    assert len(sound) + len(ring) == at


@pytest.mark.parametrize("take", [951, 959, 961, 969])
def test_stretched_blocks_have_no_seams(take):
    """A tone comes out as a tone of another pitch, also over the borders of blocks of another length."""
    ring = AudioRing()
    ring.push(sine(0, 11 * 970))
    takes = [take] * 5 + [960] + [take] * 4
    sound = np.concatenate([ring.pull(n) for n in takes])
    at = np.concatenate([sum(takes[:i]) + np.arange(960) * n / 960 for i, n in enumerate(takes)])
    expected = 0.5 * np.sin(2 * np.pi * 997 * at / 48000)
    assert np.abs(sound[:, 0] - expected).max() < 1e-3


def test_the_last_samples_are_stretched_without_what_comes_after_them():
    ring = AudioRing()
    ring.push(sine(0, 951))
    block = ring.pull(951)
    assert block is not None and len(ring) == 0
    assert np.abs(block[:, 0] - 0.5 * np.sin(2 * np.pi * 997 * np.arange(960) * 951 / 960 / 48000)).max() < 2e-3


def test_the_ring_is_bounded():
    ring = AudioRing()
    for n in range(30):
        ring.push(sine(n * 960, 960))
    assert len(ring) == CAPACITY and ring.dropped == 30 * 960 - CAPACITY
    assert np.array_equal(ring.pull(), sine(30 * 960 - CAPACITY, 960))


def test_too_little_is_left_for_later():
    ring = AudioRing()
    ring.push(sine(0, 959))
    assert ring.pull() is None and len(ring) == 959
    with pytest.raises(ValueError, match="cannot be made"):
        ring.pull(970)
