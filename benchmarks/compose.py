"""What one tick of the compositor costs, and what its bare scaling calls cost in the same run.

    python benchmarks/compose.py [--json FILE] [--ticks 60]

CPU time of the one thread, the median of several rounds. "all new": every tile has a new frame at every tick;
"one new": one tile has; "none": nothing changed. "bare": the same `cv2.resize` calls, or copies, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mixdown.mixer.compositor import Compositor
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.scaling import scale_into, window
from mixdown.mixer.scene import Tile

CANVAS = Size(1280, 720)
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


def commit() -> str:
    here = Path(__file__).parent
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def machine() -> dict[str, object]:
    versions = {"python": platform.python_version(), "opencv": cv2.__version__, "numpy": np.__version__}
    return {"machine": platform.machine(), "system": platform.platform(), "cores": os.cpu_count(), **versions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the numbers, the commit and the machine to this file")
    parser.add_argument("--ticks", type=int, default=60, help="ticks a round")
    options = parser.parse_args()
    rows = [measure(*case, options.ticks) for case in CASES]
    table = Table("layout", "sources", "of", "all new", "one new", "none", "bare", title="ms of CPU a tick, 1280x720")
    for row in rows:
        *texts, new, one, none, plain = row.values()
        table.add_row(*map(str, texts), *(f"{value:.3f}" for value in (new, one, none, plain)))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps({"commit": commit(), **machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
