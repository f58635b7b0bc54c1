"""Opus through PyAV, for a machine on which no libopus can be called: no FEC, and a plain fade for concealment."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler

from mixdown.codecs.errors import CodecError
from mixdown.codecs.opus import packet_samples
from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, SAMPLE_RATE, Samples


class AvOpusEncoder:
    """As OpusEncoder, without its controls."""

    def __init__(self, bitrate: int = 48_000, complexity: int = 5) -> None:
        self._options = {"bitrate": bitrate, "complexity": complexity}
        self._context = self._open()
        self._position = 0

    def encode(self, samples: Samples) -> bytes:
        """float32 (960, 2) to one packet. Raises CodecError."""
        if samples.shape != (BLOCK_SAMPLES, CHANNELS):
            raise CodecError(f"a block of {samples.shape}, not {(BLOCK_SAMPLES, CHANNELS)}")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._position, Fraction(1, SAMPLE_RATE)
        self._position += BLOCK_SAMPLES
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise CodecError(f"encoding Opus: {error}") from error
        if len(packets) != 1:
            raise CodecError(f"{len(packets)} Opus packets for one block")
        return bytes(packets[0])

    def prime(self, blocks: Iterable[Samples]) -> None:
        """Start anew as if these blocks had been sent."""
        self._context = self._open()
        self._position = 0
        for block in blocks:
            self.encode(block)

    def close(self) -> None:
        """Nothing to do: PyAV frees its contexts itself."""

    def _open(self) -> Any:
        context: Any = av.CodecContext.create("libopus", "w")
        context.sample_rate, context.format, context.layout = SAMPLE_RATE, "flt", "stereo"
        context.time_base = Fraction(1, SAMPLE_RATE)
        context.bit_rate = self._options["bitrate"]
        context.options = {"compression_level": str(self._options["complexity"]), "frame_duration": "20"}
        return context


class AvOpusDecoder:
    """As OpusDecoder, with a fading repetition for what is lost."""

    def __init__(self) -> None:
        self._context: Any = av.CodecContext.create("libopus", "r")
        self._context.sample_rate, self._context.layout = SAMPLE_RATE, "stereo"
        self._resampler = AudioResampler("flt", "stereo", SAMPLE_RATE)
        self._last: Samples = np.zeros((BLOCK_SAMPLES, CHANNELS), np.float32)

    def samples(self, packet: bytes) -> int:
        return packet_samples(packet)

    def decode(self, packet: bytes) -> Samples:
        """float32 (n, 2). Raises CodecError."""
        packet_samples(packet)
        try:
            frames = [
                even for frame in self._context.decode(av.Packet(packet)) for even in self._resampler.resample(frame)
            ]
        except av.FFmpegError as error:
            raise CodecError(f"decoding Opus: {error}") from error
        if not frames:
            raise CodecError("an Opus packet without sound")
        self._last = np.concatenate([frame.to_ndarray().reshape(-1, CHANNELS) for frame in frames])
        return self._last

    def conceal(self, n: int) -> Samples:
        """The last block to and fro, fading by 6 dB a block."""
        mirrored = self._last[::-1] * np.linspace(1, 0.5, len(self._last), dtype=np.float32)[:, np.newaxis]
        self._last = np.asarray(mirrored, np.float32)
        return np.resize(self._last, (n, CHANNELS))

    def decode_fec(self, following: bytes, n: int) -> Samples:
        return self.conceal(n)

    def close(self) -> None:
        """Nothing to do: PyAV frees its contexts itself."""
