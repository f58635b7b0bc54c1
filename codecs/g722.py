"""G.722 at 64 kbit/s (RFC 3551, 4.5.2) through libavcodec: 16 kHz mono. Its RTP clock counts 8000, one per byte."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np

from mixdown.codecs.errors import CodecError
from mixdown.codecs.telephone import MAX_BYTES, TelephoneDecoder, TelephoneEncoder
from mixdown.mixer.media import Samples

RATE = 16_000


class G722Encoder(TelephoneEncoder):
    def __init__(self) -> None:
        super().__init__(RATE)
        self._context = self._open()

    def encode(self, samples: Samples) -> bytes:
        """float32 (960, 2) to 160 bytes. Raises CodecError."""
        frame = av.AudioFrame.from_ndarray(self.narrow(samples).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise CodecError(f"encoding G.722: {error}") from error
        return b"".join(bytes(packet) for packet in packets)

    def prime(self, blocks: Iterable[Samples]) -> None:
        self._context = self._open()
        super().prime(blocks)

    @staticmethod
    def _open() -> Any:
        context: Any = av.CodecContext.create("g722", "w")
        context.sample_rate, context.format, context.layout = RATE, "s16", "mono"
        context.time_base = Fraction(1, RATE)
        return context


class G722Decoder(TelephoneDecoder):
    def __init__(self) -> None:
        super().__init__(RATE)
        self._context: Any = av.CodecContext.create("g722", "r")
        self._context.sample_rate, self._context.layout = RATE, "mono"

    def samples(self, packet: bytes) -> int:
        """6 for each byte. Raises CodecError for an empty packet or one over 120 ms."""
        if not 0 < len(packet) <= MAX_BYTES:
            raise CodecError(f"a G.722 packet of {len(packet)} bytes")
        return len(packet) * 6

    def decode(self, packet: bytes) -> Samples:
        self.samples(packet)
        try:
            frames = self._context.decode(av.Packet(packet))
        except av.FFmpegError as error:
            raise CodecError(f"decoding G.722: {error}") from error
        if not frames:
            raise CodecError("a G.722 packet without sound")
        return self.widen(np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]))
