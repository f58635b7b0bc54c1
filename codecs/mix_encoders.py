"""The encoders of a room's sound: one for everybody who is silent, one for each listener who is heard; and of either
a second one, with in-band FEC, if there are listeners who lose packets.

Opus predicts from what it sent before. So a listener is moved between two streams only where both have sent the same
for 200 ms: a new encoder is primed with what its listener heard until then, and a talker goes back to the shared
stream only after the mix without him was the full mix for that long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from mixdown.codecs.audio import AudioEncoder
from mixdown.codecs.errors import CodecError
from mixdown.mixer.audio_mixer import MixResult
from mixdown.mixer.levels import level_dbov, rfc6464
from mixdown.mixer.media import Samples

HANDOVER_TICKS = 10
"200 ms."
PROTECTED = "+fec"
"What is put behind the shared stream's id for the encodes with FEC."


@dataclass(frozen=True, slots=True)
class MixPacket:
    """data: one packet of 20 ms. level: 0..127, -dBov (RFC 6464)."""

    data: bytes
    level: int


@dataclass(frozen=True, slots=True)
class MixPackets:
    """One tick. packets: stream id -> packet. streams: subscriber -> the stream it is on from this tick's packet on,
    the same object for as long as none of it changes. ended: streams that were there in the last tick and have no
    listener any more."""

    packets: dict[str, MixPacket]
    streams: dict[str, str]
    ended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A stream of this tick. apart_for: the participant who is left out of it, None for the full mix."""

    apart_for: str | None
    fec: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """Who is on which stream, good for as long as listeners, protected and apart stay. apart: the participants who do
    not hear the full mix. streams: subscriber -> stream."""

    listeners: dict[str, str]
    protected: frozenset[str]
    apart: frozenset[str]
    streams: dict[str, str]
    wanted: dict[str, _Wanted]


class MixEncoders:
    """All encoders of one mix and codec. Not thread-safe. stream: the shared stream's id, and the start of all others'.

    make: opens an encoder, with FEC if asked to. An encoder lives only as long as somebody listens to it.
    """

    def __init__(self, stream: str, make: Callable[[bool], AudioEncoder]) -> None:
        self._stream = stream
        self._make = make
        self._encoders: dict[str, AudioEncoder] = {}
        self._past: deque[MixResult] = deque(maxlen=HANDOVER_TICKS)
        self._equal: dict[str, int] = {}
        "participant -> ticks for which his mix was the full mix; who is not in it may be on the shared stream."
        self._plan = _Plan({}, frozenset(), frozenset(), {}, {})
        self.failures = 0
        "Blocks that an encoder refused; it is opened anew with the next."

    def encode(self, result: MixResult, listeners: Mapping[str, str], protected: Set[str] = frozenset()) -> MixPackets:
        """listeners: subscriber -> participant whose own voice he must not hear. With none only the past is kept.
        protected: the subscribers who are to get FEC."""
        self._follow(result)
        plan = self._plan
        if plan.listeners != listeners or plan.protected != protected or plan.apart != self._equal.keys():
            plan = self._plan = self._planned(listeners, protected)
        ended = tuple(stream for stream in self._encoders if stream not in plan.wanted)
        for stream in ended:
            self._encoders.pop(stream).close()
        packets = {}
        for stream, what in plan.wanted.items():
            packet = self._packet(stream, _heard(result, what.apart_for), what)
            if packet is not None:
                packets[stream] = packet
        self._past.append(result)
        return MixPackets(packets, plan.streams, ended)

    def _planned(self, listeners: Mapping[str, str], protected: Set[str]) -> _Plan:
        wanted: dict[str, _Wanted] = {}
        streams: dict[str, str] = {}
        for subscriber, participant in listeners.items():
            fec = subscriber in protected
            shared = self._stream + PROTECTED if fec else self._stream
            apart = participant in self._equal
            stream = f"{shared}/{participant}" if apart else shared
            streams[subscriber] = stream
            wanted[stream] = _Wanted(participant if apart else None, fec)
        return _Plan(dict(listeners), frozenset(protected), frozenset(self._equal), streams, wanted)

    def close(self) -> None:
        """Free all encoders."""
        for encoder in self._encoders.values():
            encoder.close()
        self._encoders.clear()

    def _follow(self, result: MixResult) -> None:
        self._equal = {p: ticks + 1 for p, ticks in self._equal.items() if ticks < HANDOVER_TICKS}
        self._equal.update(dict.fromkeys(result.minus, 0))

    def _packet(self, stream: str, samples: Samples, what: _Wanted) -> MixPacket | None:
        try:
            encoder = self._encoders.get(stream)
            if encoder is None:
                encoder = self._encoders[stream] = self._make(what.fec)
                encoder.prime(_heard(past, what.apart_for) for past in self._past)
            return MixPacket(encoder.encode(samples), rfc6464(level_dbov(samples)))
        except CodecError:
            self.failures += 1
            broken = self._encoders.pop(stream, None)
            if broken is not None:
                broken.close()
            return None


def _heard(result: MixResult, participant: str | None) -> Samples:
    return result.full if participant is None else result.minus.get(participant, result.full)
