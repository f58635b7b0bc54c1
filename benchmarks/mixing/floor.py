"""The codec floor: nothing but the codecs' own work for what a room decoded and encoded, in one thread.

The clips that the senders sent, the canvases that the server had (found again from what it sent: canvases.py), mixes of
the same voices, through the same decoders and encoders with the same settings as the server's. Composing and mixing,
which make canvases and mixes, are done in between and not counted. As in a room each source has a decoder of its own
and they take turns, so that the processor's caches are as cold as they must be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from benchmarks.mixing.canvases import Canvases, psnr
from benchmarks.mixing.loads import CODECS, Load
from benchmarks.mixing.recording import Recording
from mixdown.codecs.audio import AudioDecoder, make_audio_decoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.video import make_video_decoder, make_video_encoder
from mixdown.mixer.media import Samples

LEAD = 60
"Pictures encoded before those that count, so that the key frame at the beginning and its aftermath do not."
EVERY = 5
"Of the pictures that count each fifth is looked at for its quality."


@dataclass(frozen=True, slots=True)
class Prices:
    """CPU milliseconds of one frame, canvas or packet of 20 ms: of a voice, of a room's noise, of a mix. psnr: dB of
    the bare encoder's luma, server_psnr: of what the server sent, both against the same canvases."""

    video_decode: float
    video_encode: float
    voice_decode: float
    noise_decode: float
    audio_encode: float
    psnr: float
    server_psnr: float

    def video(self, decoded: float, encoded: float) -> float:
        """Cores, for frames a second."""
        return (decoded * self.video_decode + encoded * self.video_encode) / 1000

    def sound(self, voices: float, noises: float, encoded: float) -> float:
        """Cores, for packets a second."""
        return (voices * self.voice_decode + noises * self.noise_decode + encoded * self.audio_encode) / 1000


@dataclass(slots=True)
class Spent:
    """Milliseconds of the thread's CPU, and how often."""

    total: float = 0.0
    times: int = 0
    _begun: float = field(default=0.0, repr=False)

    def __enter__(self) -> None:
        self._begun = time.thread_time()

    def __exit__(self, *error: object) -> None:
        self.total += (time.thread_time() - self._begun) * 1000
        self.times += 1

    def each(self, parts: int = 1) -> float:
        return self.total / self.times / parts if self.times else 0.0


def prices(
    load: Load,
    clip: Sequence[bytes],
    voices: Sequence[Sequence[bytes]],
    noise: Sequence[bytes],
    heard: Recording,
    count: int,
    opus: tuple[int, int],
) -> Prices:
    """clip, voices, noise: what senders sent. heard: what one of them got; its last `count` pictures are those that
    count. opus: bit rate and complexity. ValueError if the recording is shorter."""
    if len(heard.frames) < count:
        raise ValueError(f"{len(heard.frames)} pictures recorded, {heard.lost} packets lost: {count} are needed")
    canvases = Canvases(load, clip)
    decode, encode, errors, theirs = _video(load, clip, heard, count, canvases)
    of_voice, of_noise, of_mix = _sound(load, voices, noise, opus)
    return Prices(decode.each(load.senders), encode.each(), of_voice, of_noise, of_mix, psnr(errors), psnr(theirs))


def _video(
    load: Load, clip: Sequence[bytes], heard: Recording, count: int, canvases: Canvases
) -> tuple[Spent, Spent, list[float], list[float]]:
    shown = list(_shown(load, heard, count + LEAD, canvases))
    decoders = [_bare_decoder(CODECS[load.codec]) for _ in range(load.senders)]
    judge = make_video_decoder(CODECS[load.receive])
    encoder = make_video_encoder(CODECS[load.receive], load.tier)
    decode, encode, errors = Spent(), Spent(), list[float]()
    for n, (which, key, _) in enumerate(shown):
        counts = n >= len(shown) - count
        canvas = canvases.canvas(which)
        with decode if counts else Spent():
            _feed(decoders, clip[n % len(clip)])
        with encode if counts else Spent():
            made = encoder.encode(canvas, n, key and n > 0)
        for picture in judge.decode(made.data if made else b""):
            if counts and n % EVERY == 0:
                errors.append(canvases.error(picture, canvas))
    theirs = [error for n, (_, _, error) in enumerate(shown) if error is not None and n >= len(shown) - count]
    return decode, encode, errors, theirs


def _shown(
    load: Load, heard: Recording, count: int, canvases: Canvases
) -> Iterator[tuple[tuple[int, ...], bool, float | None]]:
    """For each of the last `count` pictures: what its tiles showed, if it was a key frame, now and then its error."""
    decoder = make_video_decoder(CODECS[load.receive])
    first = len(heard.frames) - count
    for n, frame in enumerate(heard.frames):
        for picture in decoder.decode(frame.data):
            if n >= first:
                which = canvases.shown(picture)
                error = canvases.error(picture, canvases.canvas(which)) if (n - first) % EVERY == 0 else None
                yield which, frame.key, error


def _bare_decoder(codec: CodecId) -> VideoCodecContext:
    """libav's own, as the server opens it, but without the checks and the copying around it."""
    context = av.CodecContext.create("vp8" if codec is CodecId.VP8 else "h264", "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.flags |= Flags.low_delay
    return context


def _feed(decoders: Sequence[VideoCodecContext], data: bytes) -> None:
    for decoder in decoders:
        decoder.decode(av.Packet(data))


def _sound(
    load: Load, voices: Sequence[Sequence[bytes]], noise: Sequence[bytes], opus: tuple[int, int]
) -> tuple[float, float, float]:
    """Milliseconds of decoding a voice's packet and a noise's, and of encoding a mix; a decoder for each sender, and an
    encoder for everybody's mix and for that of each who talks."""
    talkers = [make_audio_decoder(CodecId.OPUS) for _ in range(load.voices)]
    others = [make_audio_decoder(CodecId.OPUS) for _ in range(load.senders - load.voices)]
    bitrate, complexity = opus
    encoders = [
        make_audio_encoder(CodecId.OPUS, bitrate=bitrate, complexity=complexity) for _ in range(load.voices + 1)
    ]
    voice, quiet, mix = Spent(), Spent(), Spent()
    for n in range(len(noise)):
        with voice:
            blocks = _hear(talkers, [voices[k % len(voices)][n] for k in range(len(talkers))])
        with quiet:
            _hear(others, [noise[n]] * len(others))
        everybody: Samples = np.sum(np.asarray(blocks), axis=0, dtype=np.float32)
        mixes: list[Samples] = [everybody, *(everybody - block for block in blocks)]
        with mix:
            for encoder, samples in zip(encoders, mixes, strict=True):
                encoder.encode(samples)
    return voice.each(max(1, len(talkers))), quiet.each(max(1, len(others))), mix.each(len(encoders))


def _hear(decoders: Sequence[AudioDecoder], packets: Sequence[bytes]) -> list[Samples]:
    return [decoder.decode(packet) for decoder, packet in zip(decoders, packets, strict=True)]
