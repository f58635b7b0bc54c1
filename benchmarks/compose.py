"""What one tick of the compositor costs, and what its bare scaling calls cost in the same run.

    python -m benchmarks.compose [--ticks 60] [--full] [--json FILE]

CPU time of the one thread, the median of several rounds. "all new": every tile has a new frame at every tick;
"one new": one tile has; "none": nothing changed. "bare": the same `cv2.resize` calls, or copies, and nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure, at_most
from benchmarks.plot import Bars, Panel
from benchmarks.sheet import Sheet, sheet
from mixdown.mixer.compositor import Compositor
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.scaling import scale_into, window
from mixdown.mixer.scene import Tile

CANVAS = Size(1280, 720)
JUDGED, TARGET = ("grid", 16, "640x360"), 1.2
"A case by layout, sources and their size, and ms of CPU that a tick of it may take."
CASES = [
    *(("grid", n, Size(640, 360)) for n in (1, 4, 9, 16, 25, 49)),
    *(("grid", n, Size(1280, 720)) for n in (4, 9)),
    *((layout, 5, Size(640, 360)) for layout in ("speaker", "presentation", "pip")),
]


def noise(size: Size, seed: int) -> I420Frame:
    rng = np.random.default_rng(seed)
    half = size.height // 2, size.width // 2
    return I420Frame(*(rng.integers(16, 235, shape, np.uint8) for shape in ((size.height, size.width), half, half)))


def cost(work: Callable[[int], object], ticks: int) -> float:
    """ms of CPU per call, the median of five rounds."""
    rounds = []
    for _ in range(5):
        begun = time.thread_time()
        for n in range(ticks):
            work(n)
        rounds.append((time.thread_time() - begun) / ticks * 1e3)
    return statistics.median(rounds)


def bare(tiles: list[Tile], frames: list[dict[str, I420Frame]], ticks: int) -> float:
    y = np.zeros((CANVAS.height, CANVAS.width), np.uint8)
    u, v = np.zeros((2, CANVAS.height // 2, CANVAS.width // 2), np.uint8)
    parts = []
    for tile in tiles:
        r = tile.rect
        rows, columns = slice(r.y // 2, (r.y + r.height) // 2), slice(r.x // 2, (r.x + r.width) // 2)
        luma = y[r.y : r.y + r.height, r.x : r.x + r.width]
        how = window(frames[0][tile.source].size, r.size, tile.fit)
        parts.append((tile.source, how, luma, u[rows, columns], v[rows, columns]))

    def work(n: int) -> None:
        now = frames[n % 2]
        for source, how, luma, blue, red in parts:
            scale_into(now[source], how, luma, blue, red)

    return cost(work, ticks)


def measure(layout: str, count: int, size: Size, ticks: int) -> dict[str, object]:
    cells = arrange(parse_layout_name(layout), CANVAS, count)
    tiles = [
        Tile(f"s{i}", f"p{i}", "camera", f"Person {i}", cell.rect, z=cell.z, speaking=i == 1)
        for i, cell in enumerate(cells)
    ]
    new = [{tile.source: noise(size, i + 100 * k) for i, tile in enumerate(tiles)} for k in (0, 1)]
    one = [new[0], {**new[0], "s0": new[1]["s0"]}]
    compositor = Compositor(CANVAS)
    compositor.compose(tiles, new[0])
    row: dict[str, object] = {"layout": layout, "sources": count, "size": f"{size.width}x{size.height}"}
    row["all_new_ms"] = cost(lambda n: compositor.compose(tiles, new[n % 2]), ticks)
    row["one_new_ms"] = cost(lambda n: compositor.compose(tiles, one[n % 2]), ticks)
    row["none_ms"] = cost(lambda n: compositor.compose(tiles, new[0]), ticks)
    row["bare_ms"] = bare(tiles, new, ticks)
    return row


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ticks", type=int, help="of each of the five rounds")


def figures(record: Record) -> list[Figure]:
    row = next(row for row in record["rows"] if (row["layout"], row["sources"], row["size"]) == JUDGED)
    name = f"{row['sources']} tiles of {row['size']} into 720p, all new"
    return [
        at_most(name, row["all_new_ms"], TARGET, "ms", round(row["bare_ms"], 3), "control: its scaling calls alone")
    ]


def sheets(record: Record) -> list[Sheet]:
    heads = ["layout", "sources", "of", "all new", "one new", "none", "bare scaling"]
    names = ("layout", "sources", "size", "all_new_ms", "one_new_ms", "none_ms", "bare_ms")
    rows = [[row[name] for name in names] for row in record["rows"]]
    return [sheet("compose: ms of CPU a tick, 1280x720", heads, rows)]


def panels(record: Record) -> list[Panel]:
    rows = [row for row in record["rows"] if row["layout"] == "grid" and row["size"] == JUDGED[2]]
    shown = {"all new": "all_new_ms", "bare scaling": "bare_ms", "one new": "one_new_ms", "none": "none_ms"}
    series = {label: [row[name] for row in rows] for label, name in shown.items()}
    names = [str(row["sources"]) for row in rows]
    return [Bars(f"A tick, by tiles of {JUDGED[2]}", "ms of CPU", names, series, limits={"target of 16 tiles": TARGET})]


BENCHMARK = Benchmark(
    name="compose",
    about=__doc__,
    short={"ticks": 20},
    full={"ticks": 120},
    options=options,
    measure=lambda options: {"rows": [measure(*case, options.ticks) for case in CASES]},
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
