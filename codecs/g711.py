"""G.711 (RFC 3551, 4.5.14): PCMU and PCMA, 8 kHz mono, by table."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.telephone import MAX_BYTES, TelephoneDecoder, TelephoneEncoder
from mixdown.mixer.media import Samples

RATE = 8_000


class G711Encoder(TelephoneEncoder):
    """codec: PCMU or PCMA."""

    def __init__(self, codec: CodecId) -> None:
        super().__init__(RATE)
        self._table = _encode_table(codec)

    def encode(self, samples: Samples) -> bytes:
        """float32 (960, 2) to 160 bytes."""
        return self._table[self.narrow(samples).view(np.uint16)].tobytes()


class G711Decoder(TelephoneDecoder):
    """codec: PCMU or PCMA."""

    def __init__(self, codec: CodecId) -> None:
        super().__init__(RATE)
        self._table = _decode_table(codec)

    def samples(self, packet: bytes) -> int:
        """6 for each byte. Raises CodecError for an empty packet or one over 120 ms."""
        if not 0 < len(packet) <= MAX_BYTES:
            raise CodecError(f"a G.711 packet of {len(packet)} bytes")
        return len(packet) * 6

    def decode(self, packet: bytes) -> Samples:
        self.samples(packet)
        return self.widen(self._table[np.frombuffer(packet, np.uint8)])


@cache
def _decode_table(codec: CodecId) -> npt.NDArray[np.int16]:
    """int16 (256,), ITU-T G.711 tables 1 and 2, in 16 bit."""
    codes = np.arange(256)
    if codec is CodecId.PCMU:
        bits = ~codes & 0xFF
        size = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132
    else:
        bits = codes ^ 0x55
        segment = (bits >> 4) & 7
        size = np.where(segment == 0, ((bits & 15) << 4) + 8, (((bits & 15) << 4) + 264) << np.maximum(segment - 1, 0))
        bits = ~bits
    return np.where(bits & 0x80, -size, size).astype(np.int16)


@cache
def _encode_table(codec: CodecId) -> npt.NDArray[np.uint8]:
    """uint8 (65536,): the code nearest to each int16, indexed by its bits taken as uint16."""
    values = _decode_table(codec).astype(np.int32)
    order = np.argsort(values, kind="stable")
    borders = (values[order][1:] + values[order][:-1]) / 2
    pcm = np.arange(65536, dtype=np.uint16).view(np.int16)
    return order[np.searchsorted(borders, pcm)].astype(np.uint8)
