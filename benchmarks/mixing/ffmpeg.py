"""The same pictures mixed by ffmpeg, for comparison: scale and xstack, one encoder, plain RTP out to everybody.

Its inputs are the senders' clips, read from files at their rate: ffmpeg opens live inputs one after the other, each
after its first key frame, and lets the late ones hold up the rest. So it receives nothing, has no SRTP, no sound and no
signalling. The encoder has the server's own options. Debian: ffmpeg.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.mixing.content import FPS, KEY_EVERY, video_clip
from benchmarks.mixing.loads import Load
from benchmarks.mixing.outside import MAX_PAYLOAD, Outputs, cores_and_pictures
from benchmarks.mixing.room import WARM_UP
from mixdown.codecs.h264 import _options as h264_options
from mixdown.codecs.vp8 import _options as vp8_options
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import Size

SPARE = 5.0
"Seconds that the files are longer than what is measured of them."


def available(load: Load) -> bool:
    """Whether it is installed and can do that."""
    return shutil.which("ffmpeg") is not None and not load.viewers and load.codec == "VP8"


def ivf(frames: Sequence[bytes], size: Size) -> bytes:
    """VP8 frames as a file."""
    head = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", size.width, size.height, FPS, 1, len(frames), 0)
    return head + b"".join(struct.pack("<IQ", len(data), n) + data for n, data in enumerate(frames))


def command(load: Load, files: Sequence[Path], ports: Sequence[int]) -> list[str]:
    words = ["ffmpeg", "-nostdin", "-loglevel", "error", "-filter_complex_threads", "1"]
    for path in files:
        words += ["-threads", "1", "-re", "-i", str(path)]
    words += ["-filter_complex", graph(load), "-map", "[out]", "-r", str(load.tier.fps), *_encoder(load)]
    places = "|".join(f"[f=rtp]rtp://127.0.0.1:{port}?pkt_size={MAX_PAYLOAD}" for port in ports)
    return [*words, "-f", "tee", places]


def graph(load: Load) -> str:
    """Each input into its cell of the room's own grid."""
    rects = [
        cell.rect for cell in arrange(parse_layout_name("grid"), Size(load.tier.width, load.tier.height), load.senders)
    ]
    scaled = [f"[{n}:v]scale={r.width}:{r.height}:flags=bilinear[s{n}]" for n, r in enumerate(rects)]
    if len(rects) == 1:
        return scaled[0].replace("[s0]", "[out]")
    names = "".join(f"[s{n}]" for n in range(len(rects)))
    places = "|".join(f"{r.x}_{r.y}" for r in rects)
    return ";".join([*scaled, f"{names}xstack=inputs={len(rects)}:layout={places}:fill=black[out]"])


def _encoder(load: Load) -> list[str]:
    names: Mapping[str, str] = vp8_options(load.tier, 1) if load.receive == "VP8" else h264_options(load.tier)
    words = ["-c:v", "libvpx" if load.receive == "VP8" else "libx264", "-threads", "1", "-pix_fmt", "yuv420p"]
    words += ["-b:v", str(load.tier.kbps * 1000)]
    return words + [word for name, value in names.items() for word in (f"-{name}", value)]


def measure(load: Load, seconds: float) -> dict[str, float]:
    """cores: of the ffmpeg process; fps: pictures that came out. Raises RuntimeError if none did."""
    clip = video_clip("libvpx", load.picture, load.kbps)
    with tempfile.TemporaryDirectory(prefix="mixdown-bench-") as folder, Outputs(load.senders) as outputs:
        files = [Path(folder) / f"{n}.ivf" for n in range(load.senders)]
        for n, path in enumerate(files):
            shift = n * 37 % len(clip) // KEY_EVERY * KEY_EVERY
            count = int((WARM_UP + seconds + SPARE) * FPS)
            path.write_bytes(ivf([clip[(k + shift) % len(clip)] for k in range(count)], load.picture))
        process = subprocess.Popen(
            command(load, files, outputs.ports), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            time.sleep(WARM_UP)
            return cores_and_pictures(process, outputs, seconds)
        finally:
            process.kill()
            process.communicate(timeout=10)
