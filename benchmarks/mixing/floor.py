"""The codec floor: nothing but the codecs' own work for what a room decoded and encoded, in one thread.

The clips that the senders sent, the canvases that the server had (found again from what it sent: canvases.py), mixes of
the same voices, through the same decoders and encoders with the same settings as the server's. Composing and mixing,
which make canvases and mixes, are done in between and not counted. As in a room each source has a decoder of its own,
at its own place in the clip, and they take turns, so that caches and branch predictors are as cold as they must be.

The same work is priced twice: one frame right after the other (`Floor.prices`, what the targets are of), and each at
its moment of the call (`Floor.in_real_time`), with a processor that sleeps or serves others in between.
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
PACKET = 0.02
"Seconds of sound."


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


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture that was sent. which: of the clip's, by tile; error: its mean squared difference from its canvas,
    None where that was not looked at."""

    which: tuple[int, ...]
    key: bool
    error: float | None


class Pace:
    """When work is done: at its moment, seconds from the beginning, or (tight) right after what was before it."""

    def __init__(self, *, tight: bool) -> None:
        self._tight = tight
        self._begun = 0.0

    def begin(self) -> None:
        self._begun = time.monotonic()

    def wait(self, moment: float) -> None:
        left = self._begun + moment - time.monotonic()
        if not self._tight and left > 0:
            time.sleep(left)


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


class Floor:
    """Of one room's call. clip, voices, noise: what its senders sent. heard: what one of them got; its last `count`
    pictures are those that count. opus: bit rate and complexity. ValueError if the recording is shorter."""

    def __init__(
        self,
        load: Load,
        clip: Sequence[bytes],
        voices: Sequence[Sequence[bytes]],
        noise: Sequence[bytes],
        heard: Recording,
        count: int,
        opus: tuple[int, int],
    ) -> None:
        if len(heard.frames) < count:
            raise ValueError(f"{len(heard.frames)} pictures recorded, {heard.lost} packets lost: {count} are needed")
        self._load, self._clip, self._voices, self._noise, self._opus = load, clip, voices, noise, opus
        self._canvases = Canvases(load, clip)
        self._shown = list(_shown(load, heard, count + LEAD, self._canvases))
        self._lead = len(self._shown) - count

    def prices(self) -> Prices:
        """Without pauses."""
        return self._priced(len(self._shown), len(self._noise), Pace(tight=True))

    def in_real_time(self, seconds: float) -> Prices:
        """The call's beginning once more as it was, in as many seconds each for picture and sound."""
        pictures = min(len(self._shown), self._lead + int(seconds * self._load.tier.fps))
        return self._priced(pictures, min(len(self._noise), int(seconds / PACKET)), Pace(tight=False))

    def _priced(self, pictures: int, packets: int, pace: Pace) -> Prices:
        shown = self._shown[:pictures]
        decode, encode, errors = self._video(shown, pace)
        theirs = [one.error for one in shown[self._lead :] if one.error is not None]
        voice, quiet, mix = self._sound(packets, pace)
        return Prices(decode, encode, voice, quiet, mix, psnr(errors), psnr(theirs))

    def _video(self, shown: Sequence[Shown], pace: Pace) -> tuple[float, float, list[float]]:
        load, clip = self._load, self._clip
        places = shown[0].which
        decoders = [_bare_decoder(CODECS[load.codec], clip[:place]) for place in places]
        judge, encoder = make_video_decoder(CODECS[load.receive]), make_video_encoder(CODECS[load.receive], load.tier)
        decode, encode, errors = Spent(), Spent(), list[float]()
        pace.begin()
        for n, one in enumerate(shown):
            for k, (decoder, place) in enumerate(zip(decoders, places, strict=True)):
                packet = av.Packet(clip[(place + n) % len(clip)])
                pace.wait((n + k / len(decoders)) / load.tier.fps)
                with decode if n >= self._lead else Spent():
                    decoder.decode(packet)
            pace.wait((n + 1) / load.tier.fps)
            canvas = self._canvases.canvas(one.which)
            with encode if n >= self._lead else Spent():
                made = encoder.encode(canvas, n, one.key and n > 0)
            for picture in judge.decode(made.data if made else b""):
                if n >= self._lead and one.error is not None:
                    errors.append(self._canvases.error(picture, canvas))
        return decode.each(), encode.each(), errors

    def _sound(self, packets: int, pace: Pace) -> tuple[float, float, float]:
        """Of a voice's packet and a noise's, decoded, and of a mix, encoded; a decoder for each sender, and an encoder
        for everybody's mix and for that of each who talks."""
        load, voices = self._load, self._voices
        talkers = [make_audio_decoder(CodecId.OPUS) for _ in range(load.voices)]
        others = [make_audio_decoder(CodecId.OPUS) for _ in range(load.senders - load.voices)]
        bitrate, complexity = self._opus
        encoders = [
            make_audio_encoder(CodecId.OPUS, bitrate=bitrate, complexity=complexity) for _ in range(load.voices + 1)
        ]
        voice, quiet, mix = Spent(), Spent(), Spent()
        pace.begin()
        for n in range(packets):
            pace.wait(n * PACKET)
            with voice:
                blocks = _hear(talkers, [voices[k % len(voices)][n] for k in range(len(talkers))])
            with quiet:
                _hear(others, [self._noise[n]] * len(others))
            everybody: Samples = np.sum(np.asarray(blocks), axis=0, dtype=np.float32)
            mixes: list[Samples] = [everybody, *(everybody - block for block in blocks)]
            with mix:
                for encoder, samples in zip(encoders, mixes, strict=True):
                    encoder.encode(samples)
        return voice.each(max(1, len(talkers))), quiet.each(max(1, len(others))), mix.each(len(encoders))


def _shown(load: Load, heard: Recording, count: int, canvases: Canvases) -> Iterator[Shown]:
    """The last `count` pictures."""
    decoder = make_video_decoder(CODECS[load.receive])
    first = len(heard.frames) - count
    for n, frame in enumerate(heard.frames):
        for picture in decoder.decode(frame.data):
            if n >= first:
                which = canvases.shown(picture)
                error = canvases.error(picture, canvases.canvas(which)) if (n - first) % EVERY == 0 else None
                yield Shown(which, frame.key, error)


def _bare_decoder(codec: CodecId, before: Sequence[bytes]) -> VideoCodecContext:
    """libav's own, as the server opens it, without the checks and the copying around it. before: decoded already."""
    context = av.CodecContext.create("vp8" if codec is CodecId.VP8 else "h264", "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.flags |= Flags.low_delay
    for data in before:
        context.decode(av.Packet(data))
    return context


def _hear(decoders: Sequence[AudioDecoder], packets: Sequence[bytes]) -> list[Samples]:
    return [decoder.decode(packet) for decoder, packet in zip(decoders, packets, strict=True)]
