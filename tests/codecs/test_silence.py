"""Sources that say that they are silent are not decoded, and are heard at once when they are not any more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixdown.codecs.audio_source import AudioSource
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.opus import OpusEncoder
from mixdown.codecs.silence import ASLEEP_AFTER, CHECK_EVERY, SILENT
from mixdown.mixer.levels import level_dbov, rfc6464

QUIET, LOUD = 200, 100
"Blocks: four seconds of a quiet room, then somebody speaks."


def sound(n: int) -> np.ndarray:
    noise = np.random.default_rng(n).normal(0, 4e-5, (960, 2)).astype(np.float32)
    if n < QUIET:
        return noise
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(n * 960, (n + 1) * 960) / 48_000)
    return noise + wave[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def frames() -> list[EncodedFrame]:
    encoder, made = OpusEncoder(), []
    for n in range(QUIET + LOUD):
        block = sound(n)
        level = rfc6464(level_dbov(block))
        made.append(EncodedFrame("s", 0, CodecId.OPUS, n, n, n * 960, encoder.encode(block), level=level))
    encoder.close()
    return made


class Played:
    """What a source made of packets that come in time. decoded: packets that its decoder saw."""

    def __init__(self, frames: list[EncodedFrame]) -> None:
        source = AudioSource(CodecId.OPUS)
        self.decoded = 0
        decode = source._decoder.decode

        def counted(packet: bytes) -> np.ndarray:
            self.decoded += 1
            return decode(packet)

        source._decoder.decode = counted  # type: ignore[method-assign]
        self.blocks = []
        for tick, frame in enumerate(frames):
            source.push(frame, tick * 0.02 + 0.001)
            self.blocks.append(source.pull((tick + 1) * 0.02))
        self.stats = source.stats
        source.close()


def power(blocks: list[np.ndarray | None]) -> float:
    return float(np.mean([0.0 if block is None else np.square(block).mean() for block in blocks]))


def test_who_says_that_he_is_silent_is_decoded_for_a_second_and_then_once_a_second(frames):
    played = Played(frames[:QUIET])
    assert played.decoded <= ASLEEP_AFTER + (QUIET - ASLEEP_AFTER) // CHECK_EVERY * 4 + 4
    assert sum(block is not None for block in played.blocks[ASLEEP_AFTER + 10 :]) <= 3 * 2
    assert played.stats.concealed == 0


def test_the_first_word_is_heard_as_if_all_had_been_decoded(frames):
    slept, awake = Played(frames), Played([replace(frame, level=None) for frame in frames])
    assert slept.decoded < awake.decoded - 100
    for first in range(QUIET, QUIET + 10):
        ours, theirs = (power(each.blocks[first : first + 1]) for each in (slept, awake))
        assert ours == pytest.approx(theirs, rel=0.3, abs=1e-4)
    both = [each.blocks[QUIET + 5 : QUIET + LOUD] for each in (slept, awake)]
    error = np.concatenate([a - b for a, b in zip(*both, strict=True)])
    assert np.square(error).mean() < 1e-3 * power(both[1])


def test_without_levels_all_is_decoded(frames):
    played = Played([replace(frame, level=None) for frame in frames])
    assert played.decoded >= len(frames) - 4


def test_who_speaks_and_says_that_he_is_silent_is_soon_heard(frames):
    loud = [
        replace(frame, sequence=n, last_sequence=n, rtp_time=n * 960, level=127)
        for n, frame in enumerate(frames[QUIET:] * 2)
    ]
    played = Played(loud)
    heard = [block is not None and np.square(block).mean() > 0.01 for block in played.blocks]
    missing = len(loud) - sum(heard)
    assert missing <= CHECK_EVERY + 8
    assert all(heard[-60:])


def test_a_copy_of_a_lost_packet_wakes_nobody(frames):
    copies = [
        replace(f, level=None, redundant=True) if n > 100 and n % 7 == 0 else f for n, f in enumerate(frames[:QUIET])
    ]
    assert Played(copies).decoded <= Played(frames[:QUIET]).decoded + 4


def test_a_level_just_over_silence_is_sound(frames):
    played = Played([replace(frame, level=SILENT - 1) for frame in frames[:QUIET]])
    assert played.decoded >= QUIET - 4


def test_who_is_heard_by_nobody_is_not_decoded_and_comes_back_without_a_click() -> None:
    """A loud tone that is set aside for a second and then wanted again."""
    encoder, source = OpusEncoder(), AudioSource(CodecId.OPUS)
    blocks = []
    for n in range(100):
        wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(n * 960, (n + 1) * 960) / 48_000)[:, None]
        data = encoder.encode(np.repeat(wave, 2, axis=1).astype(np.float32))
        source.push(EncodedFrame("s", 0, CodecId.OPUS, n, n, n * 960, data, level=14), n * 0.02 + 0.001)
        source.unheard = 25 <= n < 75
        blocks.append(source.pull((n + 1) * 0.02))
    aside, back = blocks[30:74], np.concatenate([b for b in blocks[74:] if b is not None])
    assert all(block is None for block in aside)
    assert power(list(blocks[80:])) == pytest.approx(0.045, rel=0.05)
    first = int(np.argmax(np.abs(back[:, 0]) > 0))
    assert np.abs(np.diff(back[first : first + 960, 0])).max() < 0.3 * 2 * np.pi * 440 / 48_000 * 1.2
    assert np.abs(back[max(0, first) : first + 48]).max() < 0.1
    encoder.close()
    source.close()


def test_who_does_not_say_how_loud_he_is_is_always_decoded() -> None:
    encoder, source = OpusEncoder(), AudioSource(CodecId.OPUS)
    source.unheard = True
    for n in range(10):
        wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(n * 960, (n + 1) * 960) / 48_000)[:, None]
        data = encoder.encode(np.repeat(wave, 2, axis=1).astype(np.float32))
        source.push(EncodedFrame("s", 0, CodecId.OPUS, n, n, n * 960, data), n * 0.02 + 0.001)
        block = source.pull((n + 1) * 0.02)
    assert block is not None and level_dbov(block) > -20
    encoder.close()
    source.close()
