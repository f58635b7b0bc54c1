"""Noise goes, a voice stays."""

from __future__ import annotations

import numpy as np
import pytest

from mixdown.codecs import noise
from mixdown.codecs.audio import make_audio_encoder
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.noise import NoiseSuppressor
from mixdown.mcu.engine.audio_feed import AudioFeed
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.link.messages import SourceKind
from mixdown.mixer.levels import level_dbov
from mixdown.mixer.media import Samples

pytestmark = pytest.mark.skipif(not noise.available(), reason="webrtc-noise-gain is not installed")


def hiss(blocks: int) -> list[Samples]:
    wave = (0.01 * np.random.default_rng(5).standard_normal(blocks * 960)).astype(np.float32)
    return list(np.stack((wave, wave), axis=1).reshape(blocks, 960, 2))


def test_steady_noise_is_turned_down():
    suppressor = NoiseSuppressor(3)
    out = [suppressor.process(block) for block in hiss(150)]
    assert all(block.shape == (960, 2) and block.dtype == np.float32 for block in out)
    narrow = level_dbov(np.concatenate(hiss(150))) - 5  # what of it is under 8 kHz
    assert level_dbov(np.concatenate(out[100:])) < narrow - 10


@pytest.mark.parametrize(("codec", "level", "quieter"), [(CodecId.PCMU, 3, True), (CodecId.PCMU, 0, False)])
def test_a_telephone_s_noise_is_suppressed_where_it_is_asked_for(codec, level, quieter):
    feed = AudioFeed("a-microphone", "a", SourceKind.MICROPHONE, 0, Faults(), level)
    feed.set_heard(True)
    encoder = make_audio_encoder(codec)
    out = []
    for n, block in enumerate(hiss(150)):
        feed.offer(
            EncodedFrame("a-microphone", 0, codec, n, n, n * 160, encoder.encode(block), arrival=0.001 + n * 0.02)
        )
        out.append(feed.pull(n * 0.02))
    assert (level_dbov(np.concatenate(out[100:])) < -58) == quieter
    feed.close()
