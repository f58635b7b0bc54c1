"""The mix: who hears whom, at what level, without clicks and overflow."""

from __future__ import annotations

import numpy as np
import pytest

from mixdown.mixer.audio_mixer import AudioMixer, MixResult
from mixdown.mixer.limiter import CEILING, LOOK_AHEAD
from mixdown.mixer.media import Samples, silence

TONES = [400 + 350 * i for i in range(9)]
"Whole periods in every 20 ms."


def tone(hz: float, tick: int, amplitude: float = 0.1) -> Samples:
    t = np.arange(tick * 960, (tick + 1) * 960) / 48000
    wave = amplitude * np.sin(2 * np.pi * hz * t)
    return np.stack((wave, wave), axis=1).astype(np.float32)


def db(samples: Samples, hz: float) -> float:
    """The level of one frequency, dB of its amplitude, over a whole number of its periods."""
    t = np.arange(len(samples)) / 48000
    part = 2 * abs(np.exp(-2j * np.pi * hz * t) @ samples[:, 0].astype(np.float64)) / len(samples)
    return 20 * np.log10(max(part, 1e-12))


def same(names: list[str]) -> dict[str, str]:
    return {f"{name}-microphone": name for name in names}


def run(mixer: AudioMixer, sources: dict[str, float], ticks: range, amplitude: float = 0.1, **kw) -> list[MixResult]:
    """Participants by name with the tone each of them sends."""
    owners = same(list(sources))
    return [
        mixer.mix(
            {f"{name}-microphone": tone(hz, n, amplitude) for name, hz in sources.items()},
            owners,
            kw.get("gains", {}),
            kw.get("muted", ()),
        )
        for n in ticks
    ]


def heard(results: list[MixResult], name: str | None) -> Samples:
    """What that listener's stream carried."""
    return np.concatenate([r.minus.get(name, r.full) if name else r.full for r in results])


def residue_db(samples: Samples) -> float:
    """The largest sample that is left above 6 kHz: what a click has and a low tone has not. dBFS."""
    n = np.arange(-100, 101)
    low = np.sinc(n / 4) / 4 * np.kaiser(201, 9)
    high = -low / low.sum()
    high[100] += 1
    return 20 * np.log10(np.abs(np.convolve(samples[:, 0], high, "valid")).max() + 1e-12)


def test_each_of_nine_talkers_hears_the_eight_others_and_not_himself():
    sources = {f"p{i}": hz for i, hz in enumerate(TONES)}
    results = run(AudioMixer(loudest=9), sources, range(12))[2:]
    assert set(results[0].minus) == set(sources) == results[0].talkers
    for name, own in sources.items():
        sound = heard(results, name)
        for hz in TONES:
            level = db(sound, hz) - 20 * np.log10(0.1)
            assert level < -60 if hz == own else abs(level) < 1, (name, hz, level)
    assert all(abs(db(heard(results, None), hz) + 20) < 1 for hz in TONES)


def test_only_the_loudest_are_mixed_and_only_they_have_a_mix_of_their_own():
    mixer = AudioMixer(loudest=2)
    results = loud(mixer, {"a": 0.01, "b": 0.1, "c": 0.1, "d": 0.003}, range(8))[4:]
    assert all(r.talkers == set(r.minus) == {"b", "c"} for r in results)
    assert db(heard(results, None), 400) < -90 and db(heard(results, None), 1450) < -90


def loud(mixer: AudioMixer, amplitudes: dict[str, float], ticks: range) -> list[MixResult]:
    """Each with a tone of his own, by the place of his letter: 400, 750, 1100, ... Hz."""
    owners = same(list(amplitudes))
    return [
        mixer.mix(
            {f"{p}-microphone": tone(TONES[ord(p) - 97], n, loud) for p, loud in amplitudes.items()}, owners, {}, ()
        )
        for n in ticks
    ]


def test_a_talker_hears_the_next_loudest_in_his_own_place():
    results = loud(AudioMixer(loudest=2), {"a": 0.05, "b": 0.1, "c": 0.1, "d": 0.003}, range(8))[4:]
    for listener, others in {"b": "ac", "c": "ab", "a": "bc", "d": "bc"}.items():
        sound = heard(results, listener)
        for n, name in enumerate("abcd"):
            assert (db(sound, TONES[n]) > -30) == (name in others), (listener, name)
            assert name in others or db(sound, TONES[n]) < -80


def test_nine_talk_and_each_hears_the_eight_others_though_eight_are_mixed():
    sources = {f"p{i}": hz for i, hz in enumerate(TONES)}
    results = run(AudioMixer(), sources, range(12))[2:]
    assert len(results[0].talkers) == 8
    for name, own in sources.items():
        sound = heard(results, name)
        for hz in TONES:
            level = db(sound, hz) + 20
            assert level < -60 if hz == own else abs(level) < 1, (name, hz, level)


def test_places_change_hands_without_a_click_or_a_gap_for_anybody():
    """a is loudest and b talks quietly throughout; c and d swell and fade in turn, so that seats and reserve change."""
    mixer, results, seats = AudioMixer(loudest=2), [], set()
    owners = same(["a", "b", "c", "d"])
    for n in range(300):
        t = np.arange(n * 960, (n + 1) * 960) / 48000
        swell = (0.5 + 0.5 * np.sin(2 * np.pi * 0.5 * t)).astype(np.float32)[:, np.newaxis]
        blocks = {
            "a-microphone": tone(TONES[0], n, 0.3),
            "b-microphone": tone(TONES[1], n, 0.05),
            "c-microphone": tone(TONES[2], n, 0.2) * swell,
            "d-microphone": tone(TONES[3], n, 0.2) * (1 - swell),
        }
        results.append(mixer.mix(blocks, owners, {}, ()))
        seats.add(results[-1].talkers)
        for name in results[-1].minus:
            # Of -14 dB; what is left leaks from the swelling.
            assert n == 0 or db(results[-1].minus[name], TONES[ord(name) - 97]) < -45
    assert {frozenset("ac"), frozenset("ad")} <= seats
    sound = heard(results[2:], "b")
    for n in range(0, len(sound), 960):
        assert db(sound[n : n + 960], TONES[0]) == pytest.approx(20 * np.log10(0.3), abs=0.3)
    for name in "abcd":
        assert residue_db(heard(results[2:], name)) < -50


def test_who_is_silent_is_not_in_the_mix_and_has_none_of_his_own():
    results = run(AudioMixer(), {"a": 400, "b": 750}, range(3), amplitude=0.0003)
    assert all(not r.talkers and not r.minus and not r.full.any() for r in results)


@pytest.mark.parametrize("amplitude", [0.1, 1.0], ids=["plain", "limiting"])
def test_nobody_hears_himself_when_he_starts_and_stops(amplitude):
    """With a = b alone in the room, b silent: a's own stream must stay digital silence through ramps, hold and tail."""
    mixer = AudioMixer()
    full = []
    for n in range(120):
        block = tone(997, n, amplitude) if 10 <= n < 40 else silence()
        result = mixer.mix({"a-microphone": block, "b-microphone": silence()}, same(["a", "b"]), {}, ())
        if result.full.any():
            assert not result.minus["a"].any(), n
        full.append(result)
    assert any(r.full.any() for r in full)
    assert not full[-1].minus


def test_a_participants_second_source_is_left_out_of_his_mix_too():
    mixer = AudioMixer()
    owners = {"a-microphone": "a", "a-screen-audio": "a", "b-microphone": "b"}
    for n in range(4):
        blocks = {"a-microphone": tone(400, n), "a-screen-audio": tone(750, n), "b-microphone": tone(1100, n)}
        result = mixer.mix(blocks, owners, {}, ())
    assert db(result.minus["a"], 400) < -80 and db(result.minus["a"], 750) < -80
    assert db(result.minus["a"], 1100) == pytest.approx(-20, abs=0.1)
    assert db(result.minus["b"], 750) == pytest.approx(-20, abs=0.1)


def test_starting_and_stopping_a_tone_does_not_click():
    mixer, results = AudioMixer(), []
    for n in range(80):
        blocks = {"a-microphone": tone(997, n, 0.5)} if 5 <= n < 20 or 50 <= n < 61 else {}
        results.append(mixer.mix(blocks, same(["a"]), {}, ()))
    assert residue_db(heard(results, None)) < -50


def test_mutes_and_gains_do_not_click_and_are_done_within_a_block():
    mixer = AudioMixer()
    before = run(mixer, {"a": 997}, range(5), 0.5)
    during = run(mixer, {"a": 997}, range(5, 8), 0.5, muted={"a"})
    after = run(mixer, {"a": 997}, range(8, 12), 0.5, gains={"a": -12.0})
    assert during[0].full.any() and not during[1].full.any()
    assert not during[1].minus and not during[1].talkers and during[1].levels["a"] == -127
    assert residue_db(heard(before[2:] + during + after, None)) < -50
    assert np.abs(after[-1].full).max() == pytest.approx(0.5 * 10 ** (-12 / 20), rel=0.01)


def test_nine_at_full_scale_do_not_overflow_click_or_pump():
    mixer = AudioMixer(loudest=9)
    results = run(mixer, {f"p{i}": hz for i, hz in enumerate(TONES)}, range(60), amplitude=1.0)
    for name in [None, "p0", "p8"]:
        assert np.abs(heard(results, name)).max() <= CEILING + 1e-6
    # All tones fit the block, so every block is the same: a gain that pumps would show as different levels.
    rms = [float(np.sqrt(np.mean(r.full**2))) for r in results[10:]]
    assert max(rms) / min(rms) < 1.01
    assert residue_db(heard(results, None)) < -50


@pytest.mark.parametrize("hz", [50, 100, 997])
def test_an_overload_is_turned_down_and_not_bent(hz):
    """Third harmonic under -50 dB, once the gain has settled."""
    mixer = AudioMixer()
    results = run(mixer, {"a": hz, "b": hz}, range(60), amplitude=0.9)
    sound = heard(results[10:], None)
    assert db(sound, 3 * hz) - db(sound, hz) < -50


def test_a_signal_below_the_ceiling_goes_through_untouched():
    results = run(AudioMixer(), {"a": 997}, range(10), amplitude=0.8)
    sound = heard(results[2:], None)
    sent = np.concatenate([tone(997, n, 0.8) for n in range(1, 10)])
    late = 960 - LOOK_AHEAD
    assert np.array_equal(sound, sent[late : late + len(sound)])


def test_after_limiting_a_talker_keeps_his_mix_until_it_is_exactly_the_full_mix():
    mixer = AudioMixer()
    sources = {"a": 400, "b": 750}
    run(mixer, sources, range(20), amplitude=1.0)
    results = run(mixer, sources, range(20, 100), amplitude=0.8, muted={"a"})
    last = max(n for n, r in enumerate(results) if "a" in r.minus)
    assert 0 < last < 40
    assert all("a" in r.minus for r in results[: last + 1])
    assert all(r.talkers == {"b"} for r in results[1:])
    assert not np.array_equal(results[0].minus["a"], results[0].full)
    assert np.array_equal(results[last].minus["a"][-1], results[last].full[-1])


def test_broken_input_is_taken_for_silence_and_counted():
    mixer = AudioMixer()
    bad = tone(400, 0)
    bad[7, 1] = np.nan
    owners = same(["a", "b", "c"])
    blocks = {"a-microphone": bad, "b-microphone": tone(400, 0)[:100], "c-microphone": tone(750, 0)}
    result = mixer.mix(blocks, owners, {}, ())
    assert mixer.refused_blocks == 2
    assert result.talkers == {"c"} and np.isfinite(result.full).all()
    assert np.isfinite(mixer.mix({}, owners, {}, ()).full).all()


def test_the_mix_is_not_made_of_sources_without_an_owner():
    assert not AudioMixer().mix({"x": tone(400, 0)}, {}, {}, ()).talkers
