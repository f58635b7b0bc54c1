"""The limiter between quiet and loud."""

from __future__ import annotations

import numpy as np

from mixdown.mixer.limiter import CEILING, LOOK_AHEAD, RISE, STEPS, LimiterBank
from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, Samples

KEYS = ("a", "b")


def blocks(*levels: float) -> list[Samples]:
    """For each level a block of three rows of noise, the second twice as loud, with peaks near the level."""
    rng = np.random.default_rng(1)
    shape = (1 + len(KEYS), BLOCK_SAMPLES, CHANNELS)
    rows = np.array([1, 2, 0.5], np.float32)[:, None, None]
    return [(rng.uniform(-level, level, shape) * rows).astype(np.float32) for level in levels]


def test_what_is_quiet_passes_to_the_last_bit_before_and_after_a_peak() -> None:
    bank = LimiterBank()
    back = int(1 / RISE / STEPS) + 3
    sums = blocks(*[0.1] * 5, 3.0, *[0.1] * back)
    out = np.concatenate([bank.process(KEYS, block) for block in sums], axis=1)
    whole = np.concatenate(sums, axis=1)[:, :-LOOK_AHEAD]
    late = out[:, LOOK_AHEAD:]
    assert np.abs(out).max() <= CEILING + 1e-6
    assert np.array_equal(late[:, : 4 * BLOCK_SAMPLES], whole[:, : 4 * BLOCK_SAMPLES])
    assert np.array_equal(late[:, -BLOCK_SAMPLES // 2 :], whole[:, -BLOCK_SAMPLES // 2 :])
    loud = slice(5 * BLOCK_SAMPLES, 7 * BLOCK_SAMPLES)
    assert not np.array_equal(late[:, loud], whole[:, loud])


def test_a_bank_that_rested_limits_like_a_new_one() -> None:
    rested, new = LimiterBank(), LimiterBank()
    quiet = blocks(*[0.1] * 20)
    for block in quiet:
        rested.process(KEYS, block)
    new.process(KEYS, quiet[-1])
    for block in blocks(0.2, 0.7, 2.5, 0.4, 0.1, 1.2, 0.1):
        assert np.array_equal(rested.process(KEYS, block), new.process(KEYS, block))
    assert not rested.settled("a")
