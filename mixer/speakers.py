"""Who is speaking and who is the active speaker: for borders, events and the speaker layouts, never for the mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mixdown.mixer.levels import SILENCE_DBOV

START_DBOV = -45.0
"Speech in a room is at -35 .. -15 dBov, an open microphone without speech below -50."
STOP_DBOV = -50.0
START_UPDATES = 3
"60 ms: a click or a key stroke is no speech."
STOP_SECONDS = 0.6
"Longer than the pauses between words."
NOISE_LEAST, NOISE_MOST = -60.0, -40.0
"dBov between which what goes on without a pause counts as a room's noise; what is louder is a tone, or music."
NOISE_RISE, NOISE_FALL = 0.5, 0.2
"dB an update, 25 a second; and the weight of an update that is quieter, 100 ms: speech has pauses, a fan has none."
OVER_NOISE, STILL_OVER_NOISE = 9.0, 5.0
"dB over the noise at which somebody begins to speak, and goes on."
FLOOR_UPDATES = 25
"Half a second of sound before somebody takes the floor from another one: a cough is over by then."
ACTIVE_SECONDS = 2.0
"An active speaker is not replaced sooner."
LOUDER_DB = 3.0
"By how much another one must be louder than an active speaker who goes on speaking."
SMOOTHING = 0.1
"Weight of one 20 ms level in the loudness that speakers are compared by: about 200 ms."


@dataclass(frozen=True, slots=True)
class SpeakerState:
    """speaking: participants. active: the active speaker, who stays it until another one speaks. started, stopped:
    what changed with this update."""

    speaking: frozenset[str]
    active: str | None
    started: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    active_changed: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.started or self.stopped or self.active_changed)


@dataclass(slots=True)
class _Voice:
    """noise: dBov, None before the first sound. above: updates in a row. sounded: updates since it began to speak."""

    loudness: float = SILENCE_DBOV
    noise: float | None = None
    above: int = 0
    sounded: int = 0
    heard: float = 0.0
    speaking: bool = False


class Speakers:
    """Levels of every 20 ms in, speakers out, with hysteresis. Not thread-safe."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._active: str | None = None
        self._since = 0.0
        self._state = SpeakerState(frozenset(), None)

    def update(self, levels: Mapping[str, float], now: float) -> SpeakerState:
        """levels: participant -> dBov (-127 .. 0) of the last 20 ms; who is not in it was silent. now: seconds."""
        for participant in levels:
            if participant not in self._voices:
                self._voices[participant] = _Voice()
        for participant, voice in self._voices.items():
            _listen(voice, levels.get(participant, SILENCE_DBOV), now)
        speaking = frozenset(p for p, voice in self._voices.items() if voice.speaking)
        before = self._state
        self._choose(speaking, now)
        if speaking != before.speaking or self._active != before.active:
            self._state = SpeakerState(
                speaking,
                self._active,
                speaking - before.speaking,
                before.speaking - speaking,
                self._active != before.active,
            )
        elif before.changed:
            self._state = SpeakerState(speaking, self._active)
        return self._state

    def forget(self, participant: str) -> None:
        """The participant left. Shows in the next update as stopped, and as no longer active."""
        self._voices.pop(participant, None)

    def _choose(self, speaking: frozenset[str], now: float) -> None:
        if self._active not in self._voices:
            self._active = None
        loudest = max(speaking, key=lambda p: (self._voices[p].loudness, p), default=None)
        if loudest is None or loudest == self._active or not self._may_replace(loudest, speaking, now):
            return
        self._active, self._since = loudest, now

    def _may_replace(self, candidate: str, speaking: frozenset[str], now: float) -> bool:
        if self._active is None:
            return True
        if now - self._since < ACTIVE_SECONDS or self._voices[candidate].sounded < FLOOR_UPDATES:
            return False
        if self._active not in speaking:
            return True
        return self._voices[candidate].loudness >= self._voices[self._active].loudness + LOUDER_DB


def _listen(voice: _Voice, level: float, now: float) -> None:
    """One voice's hysteresis: START_UPDATES in a row above START_DBOV begin it, STOP_SECONDS below STOP_DBOV end it;
    both are higher where there is noise."""
    voice.loudness += SMOOTHING * (level - voice.loudness)
    noise = _noise(voice, level)
    if level < STOP_DBOV and not voice.speaking:
        voice.above = voice.sounded = 0
        return
    voice.above = voice.above + 1 if level >= max(START_DBOV, noise + OVER_NOISE) else 0
    if level >= max(STOP_DBOV, noise + STILL_OVER_NOISE):
        voice.heard = now
        voice.sounded += 1
    if voice.above >= START_UPDATES:
        voice.speaking = True
    elif now - voice.heard > STOP_SECONDS:
        voice.speaking = False
    if not voice.speaking and not voice.above:
        voice.sounded = 0


def _noise(voice: _Voice, level: float) -> float:
    """What goes on without a pause, dBov: it rises slowly and falls with every pause."""
    if level <= NOISE_LEAST == voice.noise:
        return NOISE_LEAST
    level = max(NOISE_LEAST, level)
    if voice.noise is None:
        voice.noise = NOISE_LEAST if level == NOISE_LEAST else min(level, NOISE_MOST)
    elif level > voice.noise:
        voice.noise = min(level, NOISE_MOST, voice.noise + NOISE_RISE)
    else:
        voice.noise += NOISE_FALL * (level - voice.noise)
    return voice.noise
