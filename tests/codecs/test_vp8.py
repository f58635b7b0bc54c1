from __future__ import annotations

import numpy as np

from mixdown.codecs.encoded import Tier, TierName
from mixdown.codecs.vp8 import Vp8Encoder
from mixdown.mixer.media import I420Frame


def test_a_still_picture_costs_next_to_nothing_once_it_is_sharp() -> None:
    rng = np.random.default_rng(1)
    half = np.full((90, 160), 128, np.uint8)
    still = I420Frame(np.kron(rng.integers(40, 200, (18, 32), np.uint8), np.ones((10, 10), np.uint8)), half, half)
    encoder = Vp8Encoder(Tier(TierName.LOW, 320, 180, 15, 200))
    sizes = [len(encoder.encode(still, n, False).data) for n in range(120)]
    assert max(sizes[90:]) < 200_000 / 8 / 15 / 3


def test_no_frame_is_dropped_when_all_is_noise() -> None:
    rng = np.random.default_rng(2)
    half = np.full((90, 160), 128, np.uint8)
    encoder = Vp8Encoder(Tier(TierName.LOW, 320, 180, 15, 100))
    for n in range(60):
        noise = I420Frame(rng.integers(16, 235, (180, 320), np.uint8), half, half)
        assert encoder.encode(noise, n, n % 7 == 0) is not None
