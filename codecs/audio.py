"""Audio codecs by name: one shape for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mixdown.codecs import libopus
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.g711 import G711Decoder, G711Encoder
from mixdown.codecs.g722 import G722Decoder, G722Encoder
from mixdown.codecs.opus import OpusDecoder, OpusEncoder
from mixdown.codecs.opus_av import AvOpusDecoder, AvOpusEncoder
from mixdown.mixer.media import Samples


class AudioEncoder(Protocol):
    """Blocks of float32 (960, 2) at 48 kHz to packets of 20 ms. One thread at a time."""

    def encode(self, samples: Samples) -> bytes:
        """Raises CodecError."""

    def prime(self, blocks: Iterable[Samples]) -> None:
        """Start anew as if these blocks had been sent."""

    def close(self) -> None:
        """Free it. Idempotent."""


class AudioDecoder(Protocol):
    """Packets to float32 (n, 2) at 48 kHz. One thread at a time."""

    def samples(self, packet: bytes) -> int:
        """Samples at 48 kHz that `decode` will make of it. Raises CodecError."""

    def decode(self, packet: bytes) -> Samples:
        """Raises CodecError."""

    def conceal(self, n: int) -> Samples:
        """At least n samples in place of lost ones."""

    def decode_fec(self, following: bytes, n: int) -> Samples:
        """At least n samples in place of those lost right before the packet `following`."""

    def close(self) -> None:
        """Free it. Idempotent."""


def make_audio_encoder(
    codec: CodecId, *, bitrate: int = 48_000, complexity: int = 5, dtx: bool = False, loss_percent: int = 0
) -> AudioEncoder:
    """bitrate, complexity, dtx: of Opus. loss_percent: over 0 asks for in-band FEC, where there is any.
    Raises CodecError."""
    if codec is CodecId.OPUS:
        if not libopus.available():
            return AvOpusEncoder(bitrate, complexity)
        return OpusEncoder(bitrate, complexity, fec=loss_percent > 0, dtx=dtx, loss_percent=loss_percent)
    if codec in (CodecId.PCMU, CodecId.PCMA):
        return G711Encoder(codec)
    if codec is CodecId.G722:
        return G722Encoder()
    raise CodecError(f"{codec} is no audio codec")


def make_audio_decoder(codec: CodecId) -> AudioDecoder:
    """Raises CodecError if `codec` is no audio codec."""
    if codec is CodecId.OPUS:
        return OpusDecoder() if libopus.available() else AvOpusDecoder()
    if codec in (CodecId.PCMU, CodecId.PCMA):
        return G711Decoder(codec)
    if codec is CodecId.G722:
        return G722Decoder()
    raise CodecError(f"{codec} is no audio codec")
