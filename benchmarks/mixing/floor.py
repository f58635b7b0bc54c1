"""The codec floor: nothing but the codecs' own work for what a room decodes and encodes, in one thread.

The same clips, the same canvases, the same mixes, through the same encoders and decoders with the same settings as the
server's. Composing and mixing, which make the canvases and the mixes, are not counted. As in a room each source has a
decoder of its own and they take turns, so that the processor's caches are as cold as they must be.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixdown.codecs.audio import make_audio_decoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId, Tier
from mixdown.codecs.video import make_video_decoder, make_video_encoder
from mixdown.mixer.compositor import Compositor
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.scene import Tile

TICKS = 150
"Canvases, and frames of each clip: five seconds."


@dataclass(frozen=True, slots=True)
class Prices:
    """CPU milliseconds of one frame, canvas or packet of 20 ms; psnr: dB of the encoded canvases' luma."""

    video_decode: float
    video_encode: float
    audio_decode: float
    audio_encode: float
    psnr: float

    def video(self, decoded: float, encoded: float) -> float:
        """Cores, for frames a second."""
        return (decoded * self.video_decode + encoded * self.video_encode) / 1000

    def sound(self, decoded: float, encoded: float) -> float:
        """Cores, for packets a second."""
        return (decoded * self.audio_decode + encoded * self.audio_encode) / 1000


def prices(
    codec: CodecId, clip: Sequence[bytes], sound: Sequence[bytes], count: int, tier: Tier, bitrate: int, complexity: int
) -> Prices:
    """count: senders in the grid."""
    frames = _decoded(codec, clip)
    canvases = _canvases(frames, count, Size(tier.width, tier.height))
    decoders = [make_video_decoder(codec) for _ in range(count)]
    encoder = make_video_encoder(codec, tier)
    out: list[bytes] = []
    decode = encode = 0.0
    for tick, canvas in enumerate(canvases):
        begun = time.thread_time()
        for decoder in decoders:
            decoder.decode(clip[tick])
        between = time.thread_time()
        made = encoder.encode(canvas, tick, False)
        decode, encode = decode + between - begun, encode + time.thread_time() - between
        out.append(made.data if made else b"")
    hear, speak = _sound(sound, count, bitrate, complexity)
    ticks = len(canvases) / 1000
    return Prices(decode / ticks / count, encode / ticks, hear, speak, _psnr(codec, out, canvases))


def _decoded(codec: CodecId, clip: Sequence[bytes]) -> list[I420Frame]:
    decoder = make_video_decoder(codec)
    return [picture for data in clip[:TICKS] for picture in decoder.decode(data)]


def _sound(sound: Sequence[bytes], count: int, bitrate: int, complexity: int) -> tuple[float, float]:
    """Milliseconds of decoding and of encoding a packet; one decoder for each sender, as in the room."""
    decoders = [make_audio_decoder(CodecId.OPUS) for _ in range(count)]
    encoder = make_audio_encoder(CodecId.OPUS, bitrate=bitrate, complexity=complexity)
    decode = encode = 0.0
    for packet in sound:
        begun = time.thread_time()
        mixes = [decoder.decode(packet) for decoder in decoders]
        between = time.thread_time()
        encoder.encode(mixes[0])
        decode, encode = decode + between - begun, encode + time.thread_time() - between
    return decode / len(sound) / count * 1000, encode / len(sound) * 1000


def _canvases(frames: Sequence[I420Frame], count: int, size: Size) -> list[I420Frame]:
    cells = arrange(parse_layout_name("grid"), size, count)
    tiles = [Tile(f"s{n}", f"p{n}", "camera", f"P{n}", cell.rect, z=cell.z) for n, cell in enumerate(cells)]
    compositor = Compositor(size)
    canvases = []
    for tick in range(len(frames)):
        at = {tile.source: frames[(tick + 37 * n) % len(frames)] for n, tile in enumerate(tiles)}
        made = compositor.compose(tiles, at)
        canvases.append(I420Frame(made.y.copy(), made.u.copy(), made.v.copy()))
    return canvases


def _psnr(codec: CodecId, encoded: Sequence[bytes], canvases: Sequence[I420Frame]) -> float:
    decoder = make_video_decoder(codec)
    errors = [
        _error(picture.y, canvas.y)
        for data, canvas in zip(encoded, canvases, strict=True)
        for picture in decoder.decode(data)
    ]
    return 10 * math.log10(255**2 / (sum(errors) / len(errors)))


def _error(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.mean((a.astype(np.float32) - b) ** 2))
