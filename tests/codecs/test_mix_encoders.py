"""Who listens to which stream, when he is moved, and what that sounds like."""

from __future__ import annotations

import numpy as np

from mixdown.codecs.audio import make_audio_encoder
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.mix_encoders import HANDOVER_TICKS, PROTECTED, MixEncoders
from mixdown.codecs.opus import OpusDecoder, OpusEncoder, has_fec
from mixdown.mixer.audio_mixer import AudioMixer, MixResult
from mixdown.mixer.media import Samples, silence

SHARED = "r/mix/opus"
LISTENERS = {"a": "a", "b": "b", "v": "v"}


class Counting:
    """Opus encoders, counted."""

    def __init__(self) -> None:
        self.made = self.alive = self.encoded = 0

    def __call__(self, fec: bool) -> OpusEncoder:
        counting = self
        self.made += 1
        self.alive += 1

        class Counted(OpusEncoder):
            def encode(self, samples: Samples) -> bytes:
                counting.encoded += 1
                return super().encode(samples)

            def close(self) -> None:
                counting.alive -= self._state is not None
                super().close()

        return Counted(fec=fec, loss_percent=10 * fec)


def result(*talkers: str, level: float = 0.0) -> MixResult:
    full = np.full((960, 2), level, np.float32)
    return MixResult(full, {p: silence() for p in talkers}, frozenset(talkers), {})


def tone(hz: float, tick: int) -> Samples:
    wave = (0.2 * np.sin(2 * np.pi * hz * np.arange(tick * 960, (tick + 1) * 960) / 48000)).astype(np.float32)
    return np.stack((wave, wave), axis=1)


def test_all_who_are_silent_share_one_encoder():
    made = Counting()
    encoders = MixEncoders(SHARED, made)
    out = encoders.encode(result(), LISTENERS)
    assert out.streams == dict.fromkeys(LISTENERS, SHARED) and set(out.packets) == {SHARED}
    assert made.made == 1


def test_without_listeners_nothing_is_encoded():
    made = Counting()
    encoders = MixEncoders(SHARED, made)
    for _ in range(5):
        assert encoders.encode(result("a"), {}).packets == {}
    out = encoders.encode(result("a"), {"b": "b"})
    assert set(out.packets) == {SHARED} and made.made == 1
    out = encoders.encode(result("a"), {})
    assert out.ended == (SHARED,) and made.alive == 0


def test_a_talker_is_moved_at_once_and_comes_back_after_200_ms_of_equality():
    made = Counting()
    encoders = MixEncoders(SHARED, made)
    encoders.encode(result(), LISTENERS)
    own = f"{SHARED}/a"
    for _ in range(3):
        out = encoders.encode(result("a"), LISTENERS)
        assert out.streams == {"a": own, "b": SHARED, "v": SHARED} and set(out.packets) == {own, SHARED}
    for _ in range(HANDOVER_TICKS):
        assert encoders.encode(result(), LISTENERS).streams["a"] == own
    out = encoders.encode(result(), LISTENERS)
    assert out.streams["a"] == SHARED and out.ended == (own,) and made.alive == 1


def test_streams_are_the_same_object_until_somebody_changes():
    encoders = MixEncoders(SHARED, Counting())
    listeners = dict(LISTENERS)
    first = encoders.encode(result("a"), listeners).streams
    assert encoders.encode(result("a"), listeners).streams is first
    del listeners["v"]
    second = encoders.encode(result("a"), listeners).streams
    assert set(second) == {"a", "b"}
    third = encoders.encode(result("a"), listeners, {"b"}).streams
    assert third["b"] == SHARED + PROTECTED and second["b"] == SHARED
    assert encoders.encode(result("a", "b"), listeners, {"b"}).streams["b"] == f"{SHARED}{PROTECTED}/b"


def test_when_all_talk_nobody_pays_for_the_shared_stream():
    encoders = MixEncoders(SHARED, Counting())
    encoders.encode(result(), {"a": "a", "b": "b"})
    out = encoders.encode(result("a", "b"), {"a": "a", "b": "b"})
    assert set(out.packets) == {f"{SHARED}/a", f"{SHARED}/b"} and out.ended == (SHARED,)


def test_a_new_encoder_is_primed_with_what_its_listener_heard():
    made = Counting()
    encoders = MixEncoders(SHARED, made)
    for _ in range(30):
        encoders.encode(result(), {"b": "b"})
    before = made.encoded
    encoders.encode(result("a"), LISTENERS)
    assert made.encoded - before == HANDOVER_TICKS + 2


def test_who_loses_packets_gets_a_second_encode_with_fec_in_it():
    made, mixer, carried = Counting(), AudioMixer(), {}
    encoders = MixEncoders(SHARED, made)
    for n in range(60):
        result = mixer.mix({"a-microphone": tone(300, n), "b-microphone": silence()}, {"a-microphone": "a"}, {}, ())
        protected = {"b", "a"} if n >= 20 else set()
        out = encoders.encode(result, LISTENERS, protected)
        for stream, packet in out.packets.items():
            carried.setdefault(stream, []).append(has_fec(packet.data))
        if n == 15:
            assert out.streams == {"a": f"{SHARED}/a", "b": SHARED, "v": SHARED}
    assert out.streams == {"a": f"{SHARED}+fec/a", "b": f"{SHARED}+fec", "v": SHARED}
    assert sum(carried[f"{SHARED}+fec"]) > 10 and not any(carried[SHARED])
    assert made.alive == 3
    out = encoders.encode(result, LISTENERS)
    assert set(out.ended) == {f"{SHARED}+fec", f"{SHARED}+fec/a"} and made.alive == 2


def test_levels_of_streams_are_their_own():
    out = MixEncoders(SHARED, Counting()).encode(result("a", level=0.1), LISTENERS)
    assert out.packets[SHARED].level == 20 and out.packets[f"{SHARED}/a"].level == 127


def test_an_encoder_that_fails_is_counted_and_opened_anew():
    class Broken(OpusEncoder):
        def encode(self, samples: Samples) -> bytes:
            raise CodecError("no")

    made = iter([Broken(), OpusEncoder()])
    encoders = MixEncoders(SHARED, lambda fec: next(made))
    assert encoders.encode(result(), LISTENERS).packets == {} and encoders.failures == 1
    assert set(encoders.encode(result(), LISTENERS).packets) == {SHARED}


def test_a_listener_hears_the_others_through_all_his_moves_and_never_himself():
    """a talks now and then (1500 Hz), b all the time (600 Hz): a's decoder gets 600 Hz without a break or a click."""
    mixer, decoder = AudioMixer(), OpusDecoder()
    encoders = MixEncoders(SHARED, lambda fec: make_audio_encoder(CodecId.OPUS))
    owners = {"a-microphone": "a", "b-microphone": "b"}
    sound, moves = [], set()
    for n in range(200):
        blocks = {"b-microphone": tone(600, n)}
        if 40 <= n < 60 or 130 <= n < 150:
            blocks["a-microphone"] = tone(1500, n)
        out = encoders.encode(mixer.mix(blocks, owners, {}, ()), LISTENERS)
        stream = out.streams["a"]
        moves.add(stream)
        sound.append(decoder.decode(out.packets[stream].data))
    assert len(moves) == 2
    for n in range(5, 200):
        left = sound[n][:, 0].astype(np.float64)
        t = np.arange(960) / 48000
        level = {hz: 2 * abs(np.exp(-2j * np.pi * hz * t) @ left) / 960 for hz in (600, 1500)}
        assert abs(level[600] - 0.2) < 0.02, n
        assert level[1500] < 0.2 * 0.01, n
    whole = np.concatenate(sound[5:])[:, 0]
    assert np.abs(np.diff(whole, 2)).max() < 0.2 * (2 * np.pi * 600 / 48000) ** 2 * 1.5
