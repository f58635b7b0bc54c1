"""The room's sound: one full mix for everybody who is silent, and a mix without themselves for each who is heard.

A source is in the full mix if and only if, in that same tick, its owner gets a mix-minus. All outputs come from one
pass: the sum of all, less one's own part of it, plus the reserve's, which is heard in one's own place when there are
more talkers than a listener hears at once (see inclusion.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from mixdown.mixer.inclusion import Inclusion
from mixdown.mixer.levels import SILENCE_DBOV, db_to_gain, level_dbov
from mixdown.mixer.limiter import LOOK_AHEAD, LimiterBank
from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, Samples

DEFAULT_LOUDEST = 8


@dataclass(frozen=True, slots=True)
class MixResult:
    """One tick. full: float32 (960, 2). minus: participant -> float32 (960, 2), for every talker and, after it, until
    it is the same as `full` to the last bit (its limiter may take up to 0.5 s); who is not in it hears `full`.
    talkers: participants with a part in `full`. levels: participant -> dBov with gain and mute applied, for every
    participant with an input. None of the arrays is written to again."""

    full: Samples
    minus: Mapping[str, Samples]
    talkers: frozenset[str]
    levels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Voice:
    """A source that sounded at the end of the last block. gain: linear, above 0."""

    owner: str
    gain: float
    block: Samples


def _ramp() -> Samples:
    """0 to 1 in a raised cosine, over before what the limiter keeps back: the next tick has none of it any more."""
    ramp = np.ones((BLOCK_SAMPLES, 1), np.float32)
    length = BLOCK_SAMPLES - LOOK_AHEAD
    ramp[:length, 0] = 0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)
    return ramp


_RAMP = _ramp()


class AudioMixer:
    """Pure and not thread-safe: `mix` once every 20 ms. loudest: others that a listener hears at once, 1 or more."""

    def __init__(self, loudest: int = DEFAULT_LOUDEST) -> None:
        self._inclusion = Inclusion(loudest)
        self._limiter = LimiterBank()
        self._voices: dict[str, _Voice] = {}
        self._spare: dict[str, _Voice] = {}
        "The reserve's."
        self._minus: tuple[str, ...] = ()
        self.refused_blocks = 0
        "Input blocks with NaN or infinity in them, or of a wrong shape, taken for silence."

    def mix(
        self,
        inputs: Mapping[str, Samples],
        owners: Mapping[str, str],
        gains_db: Mapping[str, float],
        muted: Collection[str],
    ) -> MixResult:
        """inputs: source -> float32 (960, 2), only those that have something to say. owners: source -> participant;
        a source without an owner is not mixed. gains_db: participant -> dB, 0 if missing. muted: participants."""
        inputs = {source: block for source, block in inputs.items() if source in owners}
        levels = self._levels(inputs, owners, gains_db, muted)
        unmuted = {s: v for s, v in levels.items() if owners[s] not in muted} if muted else levels
        included = self._inclusion.update(unmuted, owners)
        gains = {p: db_to_gain(gains_db.get(p, 0.0)) for p in {owners[s] for s in included.seated | included.reserve}}
        seats = {source: gains[owners[source]] for source in included.seated}
        spares = {source: gains[owners[source]] for source in included.reserve}
        own = _parts(inputs, owners, self._voices, seats)
        before = {voice.owner for voice in self._voices.values()}
        after = {owners[source] for source in seats}
        spare = self._spare_parts(inputs, owners, spares, before, after) if spares or self._spare else {}
        self._voices, self._spare = _voices(inputs, owners, seats), _voices(inputs, owners, spares)
        full, minus = self._outputs(own, spare)
        return MixResult(full, minus, frozenset(own), _by_participant(levels, owners))

    def _levels(
        self,
        inputs: dict[str, Samples],
        owners: Mapping[str, str],
        gains_db: Mapping[str, float],
        muted: Collection[str],
    ) -> dict[str, float]:
        """source -> dBov as it would be heard. Takes blocks that cannot be mixed out of `inputs`."""
        levels = {}
        for source, block in list(inputs.items()):
            level = level_dbov(block) if block.shape == (BLOCK_SAMPLES, CHANNELS) else math.nan
            if math.isnan(level):
                self.refused_blocks += 1
                del inputs[source]
            elif owners[source] in muted:
                levels[source] = SILENCE_DBOV
            else:
                levels[source] = min(0.0, max(SILENCE_DBOV, level + gains_db.get(owners[source], 0.0)))
        return levels

    def _spare_parts(
        self,
        inputs: Mapping[str, Samples],
        owners: Mapping[str, str],
        targets: Mapping[str, float],
        before: set[str],
        after: set[str],
    ) -> dict[str, Samples]:
        """listener -> what he hears of the reserve this tick: ramped in with his own seat and out with it."""
        staying = _parts(inputs, owners, self._spare, targets)
        coming = staying if after <= before else _parts(inputs, owners, {}, targets)
        going = staying if before <= after else _parts(inputs, owners, self._spare, {})
        parts: dict[str, Samples] = {}
        for listener in before | after:
            kept = listener in before and listener in after
            for reserve, part in (staying if kept else coming if listener in after else going).items():
                if reserve != listener:
                    parts[listener] = parts[listener] + part if listener in parts else part
        return parts

    def _outputs(self, own: Mapping[str, Samples], spare: Mapping[str, Samples]) -> tuple[Samples, dict[str, Samples]]:
        late = (p for p in self._minus if p not in own and not self._limiter.settled(p))
        keys = (*own, *late)
        total = np.zeros((BLOCK_SAMPLES, CHANNELS), np.float64)
        for part in own.values():
            total += part
        sums = np.empty((1 + len(keys), BLOCK_SAMPLES, CHANNELS), np.float32)
        sums[:] = total
        for row, (participant, part) in enumerate(own.items(), 1):
            np.subtract(total, part, out=sums[row], casting="same_kind")
            if participant in spare:
                sums[row] += spare[participant]
        limited = self._limiter.process(keys, sums)
        self._minus = keys
        return limited[0], dict(zip(keys, limited[1:], strict=True))


def _voices(
    inputs: Mapping[str, Samples], owners: Mapping[str, str], targets: Mapping[str, float]
) -> dict[str, _Voice]:
    return {source: _Voice(owners[source], gain, inputs[source]) for source, gain in targets.items()}


def _parts(
    inputs: Mapping[str, Samples],
    owners: Mapping[str, str],
    voices: Mapping[str, _Voice],
    targets: Mapping[str, float],
) -> dict[str, Samples]:
    """participant -> its sound of this tick, ramped from the gain in `voices` to the one in `targets`."""
    parts: dict[str, Samples] = {}
    for source in {**voices, **targets}:
        voice = voices.get(source)
        block = inputs.get(source)
        samples = _afterwards(voice.block) if block is None and voice is not None else inputs[source]
        part = _faded(samples, voice.gain if voice else 0.0, targets.get(source, 0.0))
        owner = owners.get(source) or (voice.owner if voice else "")
        parts[owner] = parts[owner] + part if owner in parts else part
    return parts


def _faded(samples: Samples, start: float, end: float) -> Samples:
    if start == end:
        return samples if end == 1.0 else samples * np.float32(end)
    return np.asarray(samples * (np.float32(start) + np.float32(end - start) * _RAMP), np.float32)


def _afterwards(block: Samples) -> Samples:
    """Something to fade out when a source is gone: its last block turned about its last sample, so that neither value
    nor slope has a step where it was cut off."""
    before = np.concatenate((block[-2::-1], block[:1]))
    return np.asarray(2 * block[-1:] - before, np.float32)


def _by_participant(levels: Mapping[str, float], owners: Mapping[str, str]) -> dict[str, float]:
    """The loudest source of each."""
    result: dict[str, float] = {}
    for source, level in levels.items():
        owner = owners[source]
        result[owner] = max(level, result.get(owner, SILENCE_DBOV))
    return result
