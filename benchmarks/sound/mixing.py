"""Rows of the table: who hears whom, without clicks. Simulated time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np

from benchmarks.sound.call import TRANSPARENT, tone_packets
from benchmarks.sound.judge import clicks_db, decibel, sine, stereo, tone_db
from benchmarks.sound.room import SoundRoom
from mixdown.codecs.audio import AudioEncoder, make_audio_decoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.mix_encoders import MixEncoders
from mixdown.mixer.audio_mixer import AudioMixer
from mixdown.mixer.media import Samples, silence

NINE = 9
TALKERS = 6
TRANSITIONS = 1000
BASE_HZ = 997.0
SILENT = "silent"
"Listens and never talks."


def nine_tones(seed: int) -> dict[str, float]:
    """Nine talk, through Opus both ways at bit rates with little noise. Worst deviation of the eight others, own tone
    against what it is sent with, and the peak that comes out of nine at full scale."""
    dice = random.Random(seed)
    # Not on one grid: a codec's distortion of some would fall on others.
    tones = [hz + dice.uniform(-30, 30) for hz in dice.sample(range(300, 3400, 110), NINE)]
    worst, own, _ = _nine(tones, 0.1, 320)
    *_, peak = _nine(tones, 1.0, 100)
    return {"others_off_db": worst, "own_db": own, "peak_dbfs": peak}


def _nine(tones: list[float], amplitude: float, ticks: int) -> tuple[float, float, float]:
    names = [f"p{i}" for i in range(len(tones))]
    room = SoundRoom(dict.fromkeys(names, CodecId.OPUS), TRANSPARENT)
    packets = {name: tone_packets(hz, ticks, amplitude=amplitude) for name, hz in zip(names, tones, strict=True)}
    for n in range(ticks):
        for name in names:
            room.send(name, n, packets[name][n], n * 0.02 + 0.001)
        room.tick()
    room.check()
    worst, own, peak = 0.0, -200.0, 0.0
    for name, mine in zip(names, tones, strict=True):
        sound = np.concatenate(room.ears[name].heard)
        peak = max(peak, float(np.abs(sound[48_000:]).max()))
        for hz in tones:
            level = tone_db(sound[-5 * 48_000 :], hz) - decibel(amplitude)
            if hz == mine:
                own = max(own, level)
            else:
                worst = max(worst, abs(level))
    room.close()
    return worst, own, decibel(peak)


class _Plain:
    """Stands where an encoder does and keeps what it is given: what a listener would hear without a codec's noise."""

    def __init__(self, fec: bool) -> None:
        self.fec = fec

    def encode(self, samples: Samples) -> bytes:
        return samples.tobytes()

    def prime(self, blocks: Iterable[Samples]) -> None:
        """It has no memory."""

    def close(self) -> None:
        """Nothing to free."""


def transitions(seed: int) -> dict[str, float]:
    """Six start and stop talking 1000 times; a seventh sends 997 Hz throughout. The largest click that anybody hears,
    with and without Opus in the way, and how far what a talker hears depends on his own voice, in any tick."""
    names = [f"p{i}" for i in range(TALKERS)]
    real, coded = _Mix(names, _Plain), _Mix(names, lambda fec: make_audio_encoder(CodecId.OPUS))
    without = {name: _Mix(names, _Plain) for name in names}  # the same room, where he is silent
    decoders = {name: make_audio_decoder(CodecId.OPUS) for name in [*names, SILENT]}
    plain: dict[str, list[Samples]] = {name: [] for name in decoders}
    opus: dict[str, list[Samples]] = {name: [] for name in decoders}
    own = 0.0
    talked = [False] * TALKERS
    for tick, talks in enumerate(_script(random.Random(seed))):
        blocks = {"base-microphone": stereo(sine(BASE_HZ, tick * 960, 960, 0.2))}
        for index, name in enumerate(names):
            blocks[f"{name}-microphone"] = _voice(index, tick, talked[index], talks[index])
        heard = real.tick(blocks)
        for name, data in heard.items():
            plain[name].append(_pcm(data))
        for name, data in coded.tick(blocks).items():
            opus[name].append(decoders[name].decode(data))
        for name, room in without.items():
            alone = room.tick(blocks | {f"{name}-microphone": silence()})[name]
            own = max(own, float(np.abs(_pcm(alone) - _pcm(heard[name])).max()))
        talked = talks
    return {
        "click_plain_dbfs": max(clicks_db(np.concatenate(sound[10:])) for sound in plain.values()),
        "click_opus_dbfs": max(clicks_db(np.concatenate(sound[10:])) for sound in opus.values()),
        "own_dbfs": decibel(own),
    }


def _pcm(data: bytes) -> Samples:
    return np.frombuffer(data, np.float32).reshape(960, 2)


class _Mix:
    """Mixer and encoders of one room; each tick: listener -> what his stream carried."""

    def __init__(self, names: list[str], make: Callable[[bool], AudioEncoder]) -> None:
        self._mixer = AudioMixer()
        self._encoders = MixEncoders("room/mix", make)
        self._owners = {f"{name}-microphone": name for name in [*names, "base"]}
        self._listeners = {name: name for name in [*names, SILENT]}

    def tick(self, blocks: dict[str, Samples]) -> dict[str, bytes]:
        packets = self._encoders.encode(self._mixer.mix(blocks, self._owners, {}, ()), self._listeners)
        return {name: packets.packets[stream].data for name, stream in packets.streams.items()}


def _script(dice: random.Random) -> list[list[bool]]:
    """By tick: who talks. Each transition is 1 to 12 ticks after the one before."""
    talking = [False] * TALKERS
    script: list[list[bool]] = []
    for _ in range(TRANSITIONS):
        script += [list(talking) for _ in range(dice.randint(1, 12))]
        who = dice.randrange(TALKERS)
        talking[who] = not talking[who]
    return script


def _voice(index: int, tick: int, before: bool, now: bool) -> Samples:
    """A tone with its harmonics that swells and fades over a block, as no mouth is faster."""
    if not before and not now:
        return silence()
    wave = sum(sine(130.0 * k + 17.0 * index, tick * 960, 960, 0.12 / k) for k in range(1, 5))
    swell = np.ones(960) if before and now else 0.5 - 0.5 * np.cos(np.pi * np.arange(960) / 960)
    return stereo(np.asarray(wave) * (swell if now else 1 - swell))
