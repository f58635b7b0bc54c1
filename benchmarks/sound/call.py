"""One voice over one network into a room of two, and what the other one hears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.sound.network import PACKET, Arrivals
from benchmarks.sound.room import TICK, SoundRoom
from mixdown.codecs.audio import make_audio_encoder
from mixdown.codecs.audio_source import AudioSource
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.libopus import APPLICATION_AUDIO
from mixdown.codecs.opus import OpusEncoder
from mixdown.codecs.payload import red
from mixdown.codecs.redundancy import RedundantStream
from mixdown.mcu.engine.config import EngineConfig
from mixdown.mixer.media import SAMPLE_RATE, Samples

SET_APPLICATION = 4000
PAYLOAD_TYPE, SPAN = 111, 960
"Of Opus; SPAN: RTP clock units of a packet."
TRANSPARENT = EngineConfig(opus_bitrate=256_000, opus_complexity=9)
"So that what the uplink did is judged, not what the listener's bit rate adds to it."


@dataclass(frozen=True, slots=True)
class Heard:
    """sound: float32 (n, 2). delays: seconds by tick, by which a packet's first sample is in the mix later than it
    was there, had it come over the fastest way; NaN before the first. dry: ticks at which there was nothing to play."""

    sound: Samples
    delays: np.ndarray[tuple[int], np.dtype[np.float64]]
    dry: np.ndarray[tuple[int], np.dtype[np.bool_]]
    source: AudioSource


class RedSender:
    """As Chromium sends Opus if asked for RED (RFC 2198): each packet has a copy of the one before it in front.
    Stands for the network, too: what of it arrives is read as the edge reads it."""

    def __init__(self, packets: list[bytes]) -> None:
        self._packets = packets
        self._stream = RedundantStream(PAYLOAD_TYPE)

    def arrive(self, n: int) -> list[tuple[int, bytes, bool]]:
        """(sequence, Opus packet, whether it is a copy) that come out of packet n at the other side."""
        copies = [(SPAN, self._packets[n - 1])] if n else []
        payload = red.build(PAYLOAD_TYPE, self._packets[n], copies)
        return [(piece.sequence, piece.data, piece.copy) for piece in self._stream.red(n, n * SPAN, payload)]


def browser_packets(sound: Samples, loss_percent: int) -> list[bytes]:
    """As Chromium sends a voice against the server's answer, which asks for stereo: 64 kbit/s, not taken for speech
    beforehand, with FEC for the loss that it was told of."""
    encoder = OpusEncoder(64_000, 9, fec=True, loss_percent=min(20, loss_percent))
    encoder.control(SET_APPLICATION, APPLICATION_AUDIO)
    return [encoder.encode(block) for block in sound.reshape(-1, 960, 2)]


def tone_packets(
    hz: float, count: int, codec: CodecId = CodecId.OPUS, amplitude: float = 0.2, bitrate: int = 192_000
) -> list[bytes]:
    encoder = make_audio_encoder(codec, bitrate=bitrate)
    wave = (amplitude * np.sin(2 * np.pi * hz * np.arange(count * 960) / SAMPLE_RATE)).astype(np.float32)
    return [encoder.encode(block) for block in np.stack((wave, wave), axis=1).reshape(-1, 960, 2)]


def call(
    packets: list[bytes],
    arrivals: Arrivals,
    lost: set[int] = frozenset(),  # type: ignore[assignment]
    *,
    codec: CodecId = CodecId.OPUS,
    config: EngineConfig | None = None,
    listen: bool = True,
    redundant: bool = False,
) -> Heard:
    """packets: 20 ms each, played over again where there are fewer than arrivals. listen: whether to decode the mix.
    redundant: whether the sender uses RED; then there are as many packets as arrivals."""
    room = SoundRoom({"voice": codec, "ear": CodecId.OPUS}, config)
    if not listen:
        room.ears["ear"].deaf = True
    ticks = int(arrivals[-1][0] / TICK) + 1
    delays, dry = np.full(ticks, np.nan), np.zeros(ticks, bool)
    feed = room.feeds["voice-microphone"]
    way = min(at - n * PACKET for at, n in arrivals[:50])
    waiting = 0
    sender = RedSender(packets) if redundant else None
    for number in range(ticks):
        due = number * TICK
        while waiting < len(arrivals) and arrivals[waiting][0] <= due:
            at, n = arrivals[waiting]
            if n not in lost and sender is None:
                room.send("voice", n, packets[n % len(packets)], at)
            elif n not in lost and sender is not None:
                for sequence, data, copy in sender.arrive(n):
                    room.send("voice", sequence, data, at, redundant=copy)
            waiting += 1
        room.tick()
        source = feed.source
        if source is not None and (delay := source.delay(due)) is not None:
            delays[number] = delay - way
            dry[number] = source.dry
    room.check()
    sound = np.concatenate(room.ears["ear"].heard) if listen else np.zeros((0, 2), np.float32)
    room.close()
    assert source is not None
    return Heard(sound, delays, dry, source)
