"""Opus (RFC 6716, RFC 7587) through libopus: stereo float at 48 kHz in and out.

48 kbit/s is full-band stereo for speech with music behind it. Complexity 5 is where more costs a lot and is not heard.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable
from enum import IntEnum

import numpy as np

from mixdown.codecs import libopus
from mixdown.codecs.errors import CodecError
from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, SAMPLE_RATE, Samples

MAX_SAMPLES = 5760
"The longest packet, 120 ms."
LOOK_AHEAD = 312
"Samples, 6.5 ms, by which sound is later when it is decoded than it was when it was encoded (RFC 7845, 4.2: pre-skip)."
UNIT_SAMPLES = 120
"2.5 ms: lengths of packets and of concealment are multiples of it."


class Signal(IntEnum):
    AUTO = libopus.SIGNAL_AUTO
    VOICE = libopus.SIGNAL_VOICE
    MUSIC = libopus.SIGNAL_MUSIC


def _frame_samples(mode: int) -> int:
    """Samples at 48 kHz in a frame; mode: the table of RFC 6716, 3.1."""
    if mode < 12:
        return (480, 960, 1920, 2880)[mode & 3]
    return (480, 960)[mode & 1] if mode < 16 else UNIT_SAMPLES << (mode & 3)


_FRAME_SAMPLES = tuple(_frame_samples(mode) for mode in range(32))


def packet_samples(packet: bytes) -> int:
    """Samples at 48 kHz in a packet, by its first two bytes (RFC 6716, 3.1). Raises CodecError if malformed."""
    if not packet:
        raise CodecError("an Opus packet has at least one byte")
    toc = packet[0]
    frame, code = _FRAME_SAMPLES[toc >> 3], toc & 3
    if code == 0:
        return frame
    count = 2 if code < 3 else packet[1] & 0x3F if len(packet) > 1 else 0
    if not 0 < frame * count <= MAX_SAMPLES:
        raise CodecError(f"an Opus packet of {count} frames of {frame} samples")
    return frame * count


def has_fec(packet: bytes) -> bool:
    """Whether a packet of one frame carries in-band FEC for the one before: an LBRR flag of the SILK layer is set
    (RFC 6716, 4.2.4). A malformed packet does not."""
    if len(packet) < 2 or packet[0] & 0x83:
        return False
    toc = packet[0]
    frames = max(1, _FRAME_SAMPLES[toc >> 3] // BLOCK_SAMPLES)
    first = packet[1]
    mid = first >> (7 - frames) & 1
    side = first >> (6 - 2 * frames) & 1 if toc & 4 else 0
    return bool(mid or side)


class OpusEncoder:
    """20 ms blocks to packets. bitrate: bit/s; complexity: 0..10; loss_percent: what FEC reckons with, 0..100.

    With `fec` the encoder leans to speech, because only SILK carries in-band FEC.
    """

    def __init__(
        self,
        bitrate: int = 48_000,
        complexity: int = 5,
        fec: bool = False,
        dtx: bool = False,
        *,
        vbr: bool = True,
        loss_percent: int = 0,
        signal: Signal = Signal.AUTO,
    ) -> None:
        self._library = libopus.library()
        error = ctypes.c_int()
        application = libopus.APPLICATION_VOIP if fec else libopus.APPLICATION_AUDIO
        self._state = self._library.opus_encoder_create(SAMPLE_RATE, CHANNELS, application, ctypes.byref(error))
        libopus.check(error.value, "opening an Opus encoder")
        self._pcm = np.zeros((BLOCK_SAMPLES, CHANNELS), np.float32)
        self._pcm_at = self._pcm.ctypes.data
        self._packet = ctypes.create_string_buffer(libopus.MAX_PACKET)
        self.control(libopus.SET_BITRATE, bitrate)
        self.control(libopus.SET_COMPLEXITY, complexity)
        self.control(libopus.SET_VBR, int(vbr))
        self.control(libopus.SET_INBAND_FEC, int(fec))
        self.control(libopus.SET_PACKET_LOSS_PERC, loss_percent)
        self.control(libopus.SET_DTX, int(dtx))
        self.control(libopus.SET_SIGNAL, int(signal))

    def control(self, request: int, value: int) -> None:
        """One of libopus's SET_ controls, from the next block on. Raises CodecError if refused."""
        self._check_open()
        libopus.check(self._library.opus_encoder_ctl(self._state, request, value), f"Opus control {request}={value}")

    def encode(self, samples: Samples) -> bytes:
        """samples: float32 (960, 2). One packet, of 1 or 2 bytes if DTX has nothing to say. Raises CodecError."""
        self._check_open()
        if samples.shape != self._pcm.shape:
            raise CodecError(f"a block of {samples.shape}, not {self._pcm.shape}")
        np.copyto(self._pcm, samples)
        size = self._library.opus_encode_float(
            self._state, self._pcm_at, BLOCK_SAMPLES, self._packet, libopus.MAX_PACKET
        )
        return ctypes.string_at(self._packet, libopus.check(size, "encoding Opus"))

    def prime(self, blocks: Iterable[Samples]) -> None:
        """Start anew as if these blocks had been sent: a listener changes over to this encoder without a break."""
        self._check_open()
        libopus.check(self._library.opus_encoder_ctl(self._state, libopus.RESET_STATE, 0), "resetting an Opus encoder")
        for block in blocks:
            self.encode(block)

    def close(self) -> None:
        """Free the encoder. Idempotent."""
        if self._state is not None:
            self._library.opus_encoder_destroy(self._state)
            self._state = None

    def _check_open(self) -> None:
        if self._state is None:
            raise CodecError("the Opus encoder is closed")

    def __del__(self) -> None:
        if getattr(self, "_state", None) is not None:
            self.close()


class OpusDecoder:
    """Packets of 2.5 to 120 ms to stereo; mono packets come out on both channels."""

    def __init__(self) -> None:
        self._library = libopus.brief()
        error = ctypes.c_int()
        self._state = self._library.opus_decoder_create(SAMPLE_RATE, CHANNELS, ctypes.byref(error))
        libopus.check(error.value, "opening an Opus decoder")
        self._pcm = np.zeros((MAX_SAMPLES, CHANNELS), np.float32)
        self._pcm_at = self._pcm.ctypes.data

    samples = staticmethod(packet_samples)
    "How many samples `decode` will return. Raises CodecError."

    def decode(self, packet: bytes) -> Samples:
        """float32 (n, 2), n: 120 .. 5760; the decoder may overshoot +-1.0. Raises CodecError."""
        if not packet:
            raise CodecError("an Opus packet has at least one byte")
        return self._decode(packet, MAX_SAMPLES, fec=False)

    def conceal(self, n: int) -> Samples:
        """What may have been in n lost samples, guessed from what came before. n: 120 .. 5760 by 120."""
        return self._decode(None, _whole_units(n), fec=False)

    def decode_fec(self, following: bytes, n: int) -> Samples:
        """The n samples lost right before the packet `following`, from its in-band FEC if it has any, else concealed.
        `following` is to be decoded after that as usual."""
        return self._decode(following, _whole_units(n), fec=True)

    def close(self) -> None:
        """Free the decoder. Idempotent."""
        if self._state is not None:
            self._library.opus_decoder_destroy(self._state)
            self._state = None

    def _decode(self, packet: bytes | None, room: int, *, fec: bool) -> Samples:
        if self._state is None:
            raise CodecError("the Opus decoder is closed")
        size = len(packet) if packet is not None else 0
        count = self._library.opus_decode_float(self._state, packet, size, self._pcm_at, room, int(fec))
        return self._pcm[: libopus.check(count, "decoding Opus")].copy()

    def __del__(self) -> None:
        if getattr(self, "_state", None) is not None:
            self.close()


def _whole_units(n: int) -> int:
    return min(MAX_SAMPLES, max(1, math.ceil(n / UNIT_SAMPLES)) * UNIT_SAMPLES)
