"""The sound, shown: each row three times with other seeds, the worst against its target.

    python -m benchmarks.show_sound [--only tones transitions loss jitter drift clean crowd house ...] [--runs 3]

Rows marked (real time) are a real engine, rows marked (real) are real clients against `mixdown serve`; all others are
simulated time with the engine's own tick: the same figures on every machine, whatever else it does.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.record import RESULTS, load, machine, save
from benchmarks.sound.crowd import crowd, pressed
from benchmarks.sound.house import full_house
from benchmarks.sound.lips import lips
from benchmarks.sound.mixing import nine_tones, transitions
from benchmarks.sound.real import browser_lips, phones, reactions
from benchmarks.sound.reception import clean, drift, jitter, loss

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

Figures = dict[str, float]
PESQ_DROP = {1: 0.3, 5: 0.7, 10: 1.1}


@dataclass(frozen=True, slots=True)
class Target:
    """at_most: whether a larger figure is the worse one. None: recorded only."""

    figure: str
    bound: float | None
    at_most: bool = True

    def worst(self, runs: list[Figures]) -> float:
        values = [run[self.figure] for run in runs]
        return max(values) if self.at_most else min(values)

    def met(self, value: float) -> bool:
        return self.bound is None or (value <= self.bound if self.at_most else value >= self.bound)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    what: str
    run: Callable[[int], Figures]
    targets: tuple[Target, ...]


def _loss_row(percent: int) -> Row:
    targets = (
        Target("red_pesq_drop", PESQ_DROP[percent]),
        Target("red_bound", None),
        Target("red_gap_ms", 59.9),
        Target("red_delay_p95_ms", 150.0),
        Target("fec_pesq_drop", None),
        Target("fec_bound", None),
        Target("fec_gap_ms", None),
        Target("fec_delay_p95_ms", None),
        Target("lost_percent", None),
    )
    return Row("loss", f"uplink loss {percent} %", lambda seed: loss(seed, percent / 100), targets)


ROWS = (
    Row(
        "tones",
        "nine tones, everybody talks",
        nine_tones,
        (Target("others_off_db", 1.0), Target("own_db", -60.0), Target("peak_dbfs", 0.0)),
    ),
    Row(
        "transitions",
        "1000 talk/silent transitions",
        transitions,
        (Target("click_plain_dbfs", -50.0), Target("click_opus_dbfs", -50.0), Target("own_dbfs", -90.0)),
    ),
    *(_loss_row(percent) for percent in PESQ_DROP),
    Row(
        "jitter",
        "jitter of 60 ms sigma; a 500 ms spike",
        jitter,
        (Target("dry_blocks", 0), Target("back_after_s", 10.0), Target("delay_p95_ms", None)),
    ),
    Row(
        "drift",
        "+-200 ppm for 10 minutes",
        drift,
        (Target("spread_ms", 40.0), Target("step_ms", 0.2), Target("made_up", 0), Target("scaled", 0)),
    ),
    Row("clean", "clean call: packet in to packet out", clean, (Target("p50_ms", 80.0), Target("p95_ms", 120.0))),
    Row("clean", "clean call: lip sync", lips, (Target("skew_ms", 40.0),)),
    Row(
        "lips",
        "a browser's flash and beep (real)",
        browser_lips,
        (
            Target("skew_p50_ms", 40.0),
            Target("skew_worst_ms", None),
            Target("direct_p50_ms", None),
            Target("direct_worst_off_ms", None),
            Target("events", None, at_most=False),
        ),
    ),
    Row(
        "reactions",
        "mute and gain by HTTP until heard (real)",
        reactions,
        tuple(
            Target(f"{what}_{which}_ms", 100.0)
            for what in ("own_mute", "own_unmute", "moderator_mute", "gain")
            for which in ("p50", "worst")
        ),
    ),
    Row(
        "crowd",
        "64 participants, 3 talk (real time)",
        crowd,
        (
            Target("encodes", 4.05),
            Target("late_percent", 0.1),
            Target("cpu_cores", None),
            Target("p50_ms", 80.0),
            Target("p95_ms", 120.0),
        ),
    ),
    Row(
        "pressed",
        "64, beside programs or offers (real time)",
        pressed,
        tuple(
            Target(f"{beside}_{figure}", None) for beside in ("busy", "offers") for figure in ("late_percent", "p95_ms")
        ),
    ),
    Row(
        "house",
        "64 real clients, 3 talk (real)",
        full_house,
        (
            Target("encodes", 4.05),
            Target("listeners", 64, at_most=False),
            Target("late_percent", 0.1),
            Target("cpu_cores", None),
            Target("p50_ms", 80.0),
            Target("p95_ms", 120.0),
        ),
    ),
    Row(
        "phones",
        "Opus, G.722, PCMU clients (real)",
        phones,
        (
            Target("opus_others_db", -22.0, at_most=False),
            Target("G722_others_db", -22.0, at_most=False),
            Target("PCMU_others_db", -22.0, at_most=False),
            Target("own_under_others_db", -40.0),
        ),
    ),
)


def _show(rows: list[tuple[Row, list[Figures]]]) -> bool:
    """Prints the table; whether every target was met."""
    table = Table("what", "figure", "worst", "target", "")
    fine = True
    for row, runs in rows:
        name = row.what
        for target in row.targets:
            value = target.worst(runs)
            met = target.met(value)
            fine = fine and met
            sign = "<=" if target.at_most else ">="
            bound = "recorded" if target.bound is None else f"{sign} {target.bound:g}"
            table.add_row(
                name, target.figure, f"{value:.3g}", bound, "" if target.bound is None else "ok" if met else "MISSED"
            )
            name = ""
        table.add_section()
    Console(width=110).print(table)
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sorted({row.name for row in ROWS}))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    done: list[tuple[Row, list[Figures]]] = []
    rows: dict[str, dict[str, Any]] = {}
    for row in ROWS:
        if options.only and row.name not in options.only:
            continue
        began, before = time.monotonic(), load()
        runs = [row.run(seed) for seed in range(1, options.runs + 1)]
        done.append((row, runs))
        print(f"{row.what}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        rows[row.what] = {"machine": machine(), "load": before, "runs": runs, "targets": _targets(row)}
        path = save("show_sound", {"rows": _kept() | rows})  # a row that fails does not take the others along
    fine = _show(done)
    print(path)
    return 0 if fine else 1


def _kept() -> dict[str, Any]:
    """The rows of earlier runs: each says for itself when, where and at which commit it was run."""
    path = RESULTS / "show_sound.json"
    kept: dict[str, Any] = json.loads(path.read_text())["rows"] if path.exists() else {}
    return {row.what: kept[row.what] for row in ROWS if row.what in kept}


def _targets(row: Row) -> dict[str, float | None]:
    return {target.figure: target.bound for target in row.targets}


if __name__ == "__main__":
    sys.exit(main())
