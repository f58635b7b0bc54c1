"""The pages, shown: what a join page that is left open holds on to.

    python -m benchmarks.show_pages [--minutes 30]

Chromium in a room with one or two others, its list of people open. Each minute brings 150 events (hands, names, mutes,
layouts, who speaks), a visitor who comes and goes, and clicks of its own, so that half an hour has as many as a working
day of meetings. Garbage is collected before each look. Flat means: a line through the last 20 minutes rises by no more
than `MORE_AN_HOUR` says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.record import RESULTS, load, machine, save

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from benchmarks.pages.left_open import MORE_AN_HOUR, Minute, flat, left_open, slopes

SHOWN = 12
"Lines of the table of minutes."


def _tell(minute: Minute) -> None:
    print(
        f"{minute.listeners} listeners, {minute.nodes} nodes, {minute.heap / 1e6:.2f} MB", file=sys.stderr, flush=True
    )


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


def _show_growth(growth: dict[str, float]) -> None:
    table = Table("an hour more", "figure", "target", "")
    for name, most in MORE_AN_HOUR.items():
        table.add_row(name, f"{growth[name]:.3g}", f"<= {most:g}", "ok" if growth[name] <= most else "MISSED")
    Console().print(table)


def _left_open(minutes: float) -> tuple[bool, dict[str, Any]]:
    seen = asyncio.run(left_open(minutes, _tell))
    growth = slopes(seen)
    _show_minutes(seen)
    _show_growth(growth)
    record = {"minutes": [asdict(one) for one in seen], "an_hour_more": growth, "targets": MORE_AN_HOUR}
    return flat(growth), record | {"flat": flat(growth)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="how long the page is left open")
    options = parser.parse_args()
    before = {"machine": machine(), "load": load()}
    fine, record = _left_open(options.minutes)
    print(save("pages", {"rows": _kept() | {"left open": before | record}}))
    return 0 if fine else 1


def _kept() -> dict[str, Any]:
    """The rows of earlier runs: each says for itself when, where and at which commit it was run."""
    path = RESULTS / "pages.json"
    kept: dict[str, Any] = json.loads(path.read_text()).get("rows", {}) if path.exists() else {}
    return kept


if __name__ == "__main__":
    sys.exit(main())
