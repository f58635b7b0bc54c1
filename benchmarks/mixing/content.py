"""What the senders of the mixing benchmark send: moving natural content and speech-like sound, encoded once.

A picture whose spectrum falls with the frequency, as that of photographs does, is panned and zoomed; before it a head
moves, and over all lies a camera's noise. At 640x360, 30 a second, VP8 makes about 600 kb/s of it, as a call would.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from mixdown.mixer.media import Size

FPS = 30
KEY_EVERY = 60
"Frames: the clip repeats, and a decoder that skips finds a key frame soon."
NOISE = 3.0
"Standard deviation of the camera's noise, of 255."
SAMPLES = 960

Pixels = NDArray[np.uint8]


def pictures(size: Size, seconds: float, seed: int = 1) -> Iterator[Pixels]:
    """BGR, (height, width, 3). The last one leads over to the first."""
    rng = np.random.default_rng(seed)
    world = _natural(Size(size.width * 2, size.height * 2), rng)
    head = _natural(Size(size.width // 4 // 2 * 2, size.height // 2 // 2 * 2), rng)
    mask = _ellipse(head.shape[0], head.shape[1])
    noise = [rng.normal(0, NOISE, (size.height, size.width, 1)).astype(np.float32) for _ in range(8)]
    count = int(seconds * FPS)
    for n in range(count):
        turn = 2 * np.pi * n / count
        x, y = (0.5 + 0.3 * np.cos(turn)) * size.width, (0.5 + 0.3 * np.sin(turn)) * size.height
        part = cv2.getRectSubPix(world, (size.width, size.height), (x + size.width / 2, y + size.height / 2))
        picture = part.astype(np.float32)
        _lay(picture, head, mask, turn)
        yield np.clip(picture + noise[n % len(noise)], 0, 255).astype(np.uint8)


def _natural(size: Size, rng: np.random.Generator) -> Pixels:
    """An amplitude of 1/f; colours vary less than brightness, as they do in rooms."""
    fy, fx = np.fft.fftfreq(size.height)[:, None], np.fft.rfftfreq(size.width)[None]
    falling = 1 / np.maximum(np.hypot(fy, fx), 1 / size.width) ** 1.2

    def plane() -> NDArray[np.float64]:
        white = np.fft.rfft2(rng.normal(size=(size.height, size.width)))
        shape = np.fft.irfft2(falling * white, s=(size.height, size.width))
        return np.asarray((shape - shape.mean()) / np.ptp(shape))

    brightness = 128 + 230 * plane()
    planes = [brightness + 60 * plane() for _ in range(3)]
    return np.ascontiguousarray(np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8))


def _ellipse(height: int, width: int) -> NDArray[np.float32]:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.clip((1 - np.hypot(x, y)) * 8, 0, 1).astype(np.float32)[..., None]


def _lay(picture: NDArray[np.float32], head: Pixels, mask: NDArray[np.float32], turn: float) -> None:
    height, width = head.shape[:2]
    x = int(picture.shape[1] * (0.4 + 0.05 * np.sin(3 * turn)))
    y = int(picture.shape[0] * (0.3 + 0.04 * np.sin(5 * turn)))
    place = picture[y : y + height, x : x + width]
    place += (head - place) * mask


def video_clip(codec: str, size: Size, kbps: int, seconds: float = 5.0, seed: int = 1) -> list[bytes]:
    """codec: "libvpx" or "libx264". As a call's sender would encode it."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = size.width, size.height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.bit_rate, context.thread_count = kbps * 1000, 1
    context.options = (
        {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "max-intra-rate": "450"}
        if codec == "libvpx"
        else {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"}
    )
    clip = []
    for n, picture in enumerate(pictures(size, seconds, seed)):
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = n, Fraction(1, FPS)
        if n % KEY_EVERY == 0:
            frame.pict_type = PictureType.I
        clip.append(b"".join(bytes(packet) for packet in context.encode(frame)))
    return clip


def sound_clip(talking: bool, seconds: float = 5.0, seed: int = 1) -> list[bytes]:
    """Opus, 20 ms each, 32 kbit/s mono. talking: syllables of a buzz through formants; else a room's quiet noise,
    under the level of inclusion."""
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format = 48_000, "mono", "s16"
    context.time_base, context.bit_rate = Fraction(1, 48_000), 32_000
    samples = voice(seconds, seed) if talking else np.random.default_rng(seed).normal(0, 8e-5, int(seconds * 48_000))
    clip = []
    for n in range(int(seconds * 50)):
        block = (samples[n * SAMPLES : (n + 1) * SAMPLES] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[None]), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, n * SAMPLES
        clip += [bytes(packet) for packet in context.encode(frame)]
    return clip


def voice(seconds: float, seed: int) -> NDArray[np.float64]:
    t = np.arange(int(seconds * 48_000)) / 48_000
    pitch = 110 + 13 * seed
    formants = (600 + 20 * seed, 1200, 2500)
    voice = np.zeros_like(t)
    for k in range(1, 30):
        strength = sum(np.exp(-(((k * pitch - f) / 250) ** 2)) for f in formants) + 0.02
        voice += strength * np.sin(2 * np.pi * k * pitch * t + k)
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t + seed)
    return 0.2 * voice / np.abs(voice).max() * syllables
