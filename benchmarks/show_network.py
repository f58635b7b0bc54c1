"""Calls over bad networks, hostile peers, and what they cost the others: each figure against its target.

    python -m benchmarks.show_network [--rows clean,uplink,...] [--quick]

The server, and a namespace for each client whose network is bad, with an emulator between them; all on this machine.
Worst of three runs, each with a seed of its own. `control` is the same measure without the server, without the loss or
without the attack, in the same run. Each row that was run is recorded in benchmarks/results/show_network.json, and the
table of docs/network.md is made anew from it. --quick: one run of each, shorter, not recorded; for a look.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import network, network_page
from benchmarks.network.row import Figure, Row, worst
from benchmarks.record import load, machine, save

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

RECORD = "show_network"
QUICK = 0.5
ROW_DEADLINE = 240.0
"Seconds for one run of one row, whatever it waits for."
console = Console(highlight=False, width=170)


def find_rows() -> dict[str, Row]:
    """By name, in the order of the modules' names."""
    modules = [
        importlib.import_module(f"benchmarks.network.{one.name}") for one in pkgutil.iter_modules(network.__path__)
    ]
    return {row.name: row for module in modules for row in getattr(module, "ROWS", ())}


async def run_row(row: Row, *, quick: bool = False) -> list[Figure]:
    """A run that fails is one missed figure: the others are shown all the same."""
    found: list[list[Figure]] = []
    for seed in range(1, 2 if quick else row.runs + 1):
        try:
            async with asyncio.timeout(ROW_DEADLINE):
                found.append(await row.measure(seed, row.seconds * QUICK if quick else row.seconds))
        except Exception as error:  # noqa: BLE001 - whatever a row dies of is shown as its miss
            reason = " ".join(f"seed {seed}: {type(error).__name__}: {error}".split())[:300]
            found.append([Figure(f"{row.name}: runs that failed", 1, 0, note=reason)])
    return worst(found)


def show(figures: dict[str, list[Figure]], before: float) -> None:
    about = machine()
    table = Table(title=f"{about['processor']}, {about['cores']} cores, load {before}..{load()}, {about['commit']}")
    for heading in ("row", "figure", "measured", "target", "control", "verdict", "note"):
        table.add_column(heading)
    for row, found in figures.items():
        for one in found:
            control = "" if one.control is None else f"{one.control:g} {one.unit}"
            verdict = "[green]met[/]" if one.good else "[red]MISSED[/]"
            table.add_row(row, one.name, f"{one.value:g} {one.unit}", one.target, control, verdict, one.note)
    console.print(table)


async def run(rows: list[Row], *, quick: bool) -> dict[str, list[Figure]]:
    """Each row is recorded when it is done, unless it is quick: what is stopped later does not take it along."""
    figures, about = {}, machine()
    for row in rows:
        before, began = load(), time.monotonic()
        figures[row.name] = await run_row(row, quick=quick)
        missed = ", ".join(one.name for one in figures[row.name] if not one.good)
        verdict = f"[red]missed: {missed}[/]" if missed else "[green]met[/]"
        console.print(f"[bold]{row.name}[/] {row.about}: {verdict}, {time.monotonic() - began:.0f} s, load {load()}")
        if not quick:
            record(row.name, figures[row.name], {"machine": about, "load_before": before, "load_after": load()})
    return figures


def record(name: str, found: list[Figure], about: dict[str, Any]) -> None:
    """A row with the machine, load and commit that it was run at; the others keep what they had."""
    figures = [asdict(one) | {"good": one.good, "target": one.target} for one in found]
    kept = {row: old for row, old in network_page.recorded().items() if row in find_rows()}
    save(RECORD, {"benchmark": RECORD, "rows": kept | {name: about | {"figures": figures}}})
    network_page.write()


def main() -> int:
    rows = find_rows()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(rows), help=f"of {', '.join(rows)}")
    parser.add_argument("--quick", action="store_true", help="one short run of each; nothing is recorded")
    options = parser.parse_args()
    wanted = options.rows.split(",")
    if unknown := [name for name in wanted if name not in rows]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(rows)}")
    before = load()
    figures = asyncio.run(run([rows[name] for name in wanted], quick=options.quick))
    show(figures, before)
    return 0 if all(one.good for found in figures.values() for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
