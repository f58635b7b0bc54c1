"""What the codecs cost in real time, with pauses between their frames, instead of one frame right after the other.

    python -m benchmarks.pace [--seconds 5] [--full] [--json FILE]

A processor that slept comes back slow, with others' data in its caches: the very same frames cost more. The codec floor
of the mixing benchmark is taken without pauses; a server that works in real time cannot come closer to it than this.
CPU of the one thread; nine decoders take turns, as in a room of nine: pictures come one by one, sound is decoded and
encoded in ticks, nine packets and four mixes at once. No targets.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure
from benchmarks.mixing.content import sound_clip, video_clip
from benchmarks.mixing.loads import Load
from benchmarks.plot import Bars, Panel
from benchmarks.sheet import Sheet, sheet
from mixdown.codecs.audio import make_audio_decoder, make_audio_encoder
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.video import make_video_decoder, make_video_encoder
from mixdown.mixer.compositor import Compositor
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.scene import Tile

SOURCES, MIXES = 9, 4
Work = Callable[[int], object]


def spent(work: Work, count: int, rate: int, paced: bool) -> float:
    """ms of CPU of one call in a row of `count`; paced: `rate` a second, else one after the other."""
    total, begun = 0.0, time.monotonic()
    for n in range(count):
        if paced:
            time.sleep(max(0.0, begun + n / rate - time.monotonic()))
        before = time.thread_time()
        work(n)
        total += time.thread_time() - before
    return total / count * 1000


def canvases(clip: Sequence[bytes], size: Size) -> list[I420Frame]:
    """A grid of SOURCES, each at another place of the clip."""
    decoder = make_video_decoder(CodecId.VP8)
    frames = [picture for data in clip for picture in decoder.decode(data)]
    cells = arrange(parse_layout_name("grid"), size, SOURCES)
    tiles = [Tile(f"s{n}", f"p{n}", "camera", f"P{n}", cell.rect, z=cell.z) for n, cell in enumerate(cells)]
    compositor = Compositor(size)
    made = []
    for n in range(len(frames)):
        shown = {tile.source: frames[(n + 37 * k) % len(frames)] for k, tile in enumerate(tiles)}
        canvas = compositor.compose(tiles, shown)
        made.append(I420Frame(canvas.y.copy(), canvas.u.copy(), canvas.v.copy()))
    return made


def works() -> dict[str, tuple[Callable[[], Work], int, int]]:
    """By name: what makes the work anew, how often a second it is done in a room, and how many frames at once."""
    load = Load(SOURCES)
    clip, sound = video_clip("libvpx", load.picture, load.kbps), sound_clip(True)
    pictures = canvases(clip, Size(load.tier.width, load.tier.height))
    decoded = make_audio_decoder(CodecId.OPUS)
    blocks = [decoded.decode(packet) for packet in sound]

    def decode_video() -> Work:
        decoders = [make_video_decoder(CodecId.VP8) for _ in range(SOURCES)]
        return lambda n: decoders[n % SOURCES].decode(clip[n // SOURCES % len(clip)])

    def encode_video() -> Work:
        encoder = make_video_encoder(CodecId.VP8, load.tier)
        return lambda n: encoder.encode(pictures[n % len(pictures)], n, False)

    def decode_sound() -> Work:
        decoders = [make_audio_decoder(CodecId.OPUS) for _ in range(SOURCES)]
        return lambda n: [decoder.decode(sound[n % len(sound)]) for decoder in decoders]

    def encode_sound() -> Work:
        encoders = [make_audio_encoder(CodecId.OPUS) for _ in range(MIXES)]
        return lambda n: [encoder.encode(blocks[n % len(blocks)]) for encoder in encoders]

    return {
        f"VP8 {load.size} decode": (decode_video, 30 * SOURCES, 1),
        "VP8 1280x720 encode": (encode_video, load.tier.fps, 1),
        "Opus decode": (decode_sound, 50, SOURCES),
        "Opus encode": (encode_sound, 50, MIXES),
    }


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, help="of each work, in real time")


def measure(options: argparse.Namespace) -> dict[str, object]:
    rows = []
    for name, (make, rate, frames) in works().items():
        count = int(options.seconds * rate)
        tight, paced = (spent(make(), count, rate, paced) / frames for paced in (False, True))
        rows.append({"work": name, "rate": rate * frames, "tight_ms": tight, "paced_ms": paced})
    return {"rows": rows}


def figures(record: Record) -> list[Figure]:
    return []


def sheets(record: Record) -> list[Sheet]:
    rows = [
        [row["work"], row["rate"], row["tight_ms"], row["paced_ms"], row["paced_ms"] / row["tight_ms"]]
        for row in record["rows"]
    ]
    heads = ["work", "a second", "without pauses", "in real time", "ratio"]
    return [sheet("pace: ms of CPU of the same codec work", heads, rows)]


def panels(record: Record) -> list[Panel]:
    rows = [row for row in record["rows"] if "VP8" in row["work"]]
    shown = {"without pauses": "tight_ms", "in real time": "paced_ms"}
    series = {label: [row[name] for row in rows] for label, name in shown.items()}
    return [Bars("The same frames", "ms of CPU", [row["work"] for row in rows], series)]


BENCHMARK = Benchmark(
    name="pace",
    about=__doc__,
    short={"seconds": 3.0},
    full={"seconds": 10.0},
    options=options,
    measure=measure,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
