"""The pages, shown: each figure beside its target.

    python -m benchmarks.show_pages [--only left-open roaming share] [--minutes 30]

left-open  Chromium in a room with one or two others, its list of people open. Each minute brings 150 events (hands,
           names, mutes, layouts, who speaks), a visitor who comes and goes, and clicks of its own, so that half an hour
           has as many as a working day of meetings. Garbage is collected before each look; the figures are what a
           straight line through the last 20 minutes rises by in an hour.
roaming    Chromium in a network namespace: blackouts, other addresses, other networks; seconds until there is a new
           frame. Needs root.
share      ten starts and stops of a screen share: the others' longest gap between two frames, in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.record import RESULTS, load, machine, save

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from benchmarks.pages.left_open import MORE_AN_HOUR, Minute, left_open, slopes
from benchmarks.pages.roaming import BACK_S, BLACKOUT_S, roaming
from benchmarks.pages.share import GAP_MS, OVER_CONTROL_MS, share

ROWS = ("left-open", "roaming", "share")
SHOWN = 12
"Lines of the table of minutes."
TARGETS: dict[str, dict[str, float | None]] = {
    "left-open": {**MORE_AN_HOUR},
    "roaming": {
        "blackout_1_s": BLACKOUT_S,
        "blackout_5_s": BLACKOUT_S,
        "blackout_offers": 0,
        "new_address_s": BACK_S,
        "new_network_s": BACK_S,
        "new_network_after_2_s": BACK_S,
        "strangers": 0,
        "tiles": 1,
    },
    "share": {
        "control_ms": None,
        "gap_ms": GAP_MS,
        "over_control_ms": OVER_CONTROL_MS,
        "median_start_ms": None,
        "median_stop_ms": None,
        "median_control_ms": None,
    },
}
"At most so much; None: recorded only."


@dataclass(frozen=True, slots=True)
class Row:
    """minutes: of the page that is left open."""

    figures: dict[str, float]
    minutes: Sequence[Minute] = ()


def _tell(minute: Minute) -> None:
    held = f"{minute.listeners} listeners, {minute.nodes} nodes, {minute.heap / 1e6:.2f} MB"
    print(held, file=sys.stderr, flush=True)


def _run(name: str, minutes: float) -> Row:
    if name == "left-open":
        seen = asyncio.run(left_open(minutes, _tell))
        return Row(slopes(seen), seen)
    return Row(asyncio.run(roaming() if name == "roaming" else share()))


def _met(value: float, target: float | None) -> bool:
    return target is None or value <= target


def _show_minutes(seen: Sequence[Minute]) -> None:
    table = Table(title="A join page left open")
    for column in ("minute", "listeners", "nodes", "objects, MB", "its process, MB"):
        table.add_column(column, justify="right")
    step = max(1, len(seen) // SHOWN)
    for n in sorted({*range(0, len(seen), step), len(seen) - 1}):
        one = seen[n]
        heap, renderer = f"{one.heap / 1e6:.2f}", f"{one.renderer / 1e6:.0f}"
        table.add_row(str(n + 1), str(one.listeners), str(one.nodes), heap, renderer)
    Console().print(table)


def _show(rows: dict[str, Row]) -> bool:
    """Prints the tables; whether every target was met."""
    table = Table("row", "figure", "worst", "target", "")
    for name, row in rows.items():
        if row.minutes:
            _show_minutes(row.minutes)
        first = name
        for figure, target in TARGETS[name].items():
            value = row.figures[figure]
            bound = "recorded" if target is None else f"<= {target:g}"
            word = "" if target is None else "ok" if _met(value, target) else "MISSED"
            table.add_row(first, figure, f"{value:.3g}", bound, word)
            first = ""
        table.add_section()
    Console(width=110).print(table)
    return all(
        _met(row.figures[figure], TARGETS[name][figure]) for name, row in rows.items() for figure in TARGETS[name]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--minutes", type=float, default=30, help="how long the page is left open")
    options = parser.parse_args()
    done: dict[str, Row] = {}
    records: dict[str, dict[str, Any]] = {}
    for name in options.only:
        before = {"machine": machine(), "load": load()}
        done[name] = row = _run(name, options.minutes)
        records[name] = {**before, "figures": row.figures, "targets": TARGETS[name]}
        if row.minutes:
            records[name]["minutes"] = [asdict(one) for one in row.minutes]
    fine = _show(done)
    print(save("pages", {"rows": _kept() | records}))
    return 0 if fine else 1


def _kept() -> dict[str, Any]:
    """The rows of earlier runs: each says for itself when, where and at which commit it was run."""
    path = RESULTS / "pages.json"
    kept: dict[str, Any] = json.loads(path.read_text())["rows"] if path.exists() else {}
    return {name: kept[name] for name in ROWS if name in kept}


if __name__ == "__main__":
    sys.exit(main())
