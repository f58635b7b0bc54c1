"""The form that all benchmarks share: options, a record, tables, a verdict on each target, a plot.

A benchmark is a module with one `Benchmark` in it and a last line:

    BENCHMARK = Benchmark(
        name="fanout",                        # benchmarks/results/fanout.json and .svg
        about=__doc__,
        short={"peers": "8,64", "rounds": 1},  # options of the short form, by their names: `make bench`
        full={"peers": "1,8,64", "rounds": 5},  # and of the full one: `make bench-full`
        options=options,                      # (parser) -> None; adds its own, without defaults
        measure=measure,                      # (namespace) -> dict: what was measured, as JSON takes it
        figures=figures,                      # (record) -> [Figure]: what has a target; pure
        sheets=sheets,                        # (record) -> [Sheet]: the tables; pure
        panels=panels,                        # (record) -> [Panel]: the plot; pure
    )

    if __name__ == "__main__":
        sys.exit(main(BENCHMARK))

`record` is what `measure` returned together with what `record_of` adds: machine, commit, load before and after,
options. Tables, targets and plot are computed from the record alone, so that docs/benchmarks.md is made from
benchmarks/results/ without measuring again (benchmarks/report.py); they must say what is missing if, say, a rival was
not installed, and not fail.

The short form is the default. Its record goes to benchmarks/results/short/, which git does not keep; with --full it
goes to benchmarks/results/, and the pages that show it are written anew. A single option may be changed in both.
--json FILE: there too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.figure import Figure
from benchmarks.plot import Panel, svg
from benchmarks.record import RESULTS, load, machine
from benchmarks.sheet import Sheet, targets

Record = Mapping[str, Any]
SHORT = RESULTS / "short"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """See the module. short, full: defaults of its options."""

    name: str
    about: str
    short: Mapping[str, Any]
    full: Mapping[str, Any]
    options: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace], dict[str, Any]]
    figures: Callable[[Record], list[Figure]]
    sheets: Callable[[Record], list[Sheet]]
    panels: Callable[[Record], list[Panel]]


def main(benchmark: Benchmark, words: Sequence[str] | None = None) -> int:
    """Measures, shows, keeps. 0 if every target was met, 1 if not."""
    options = parse(benchmark, sys.argv[1:] if words is None else words)
    before = load()
    record = record_of(benchmark, options, before, benchmark.measure(options))
    show(benchmark, record)
    paths = keep(benchmark, record, RESULTS if options.full else SHORT, options.json)
    if options.full:
        from benchmarks import report  # it knows all benchmarks, so they cannot need it to be loaded

        paths += report.write()
    print("\n".join(map(str, paths)))
    return 0 if all(one.good for one in benchmark.figures(record)) else 1


def parse(benchmark: Benchmark, words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{benchmark.name}",
        description=benchmark.about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benchmark.options(parser)
    parser.add_argument("--full", action="store_true", help="the full form, kept in benchmarks/results/")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the record here too")
    form = benchmark.full if "--full" in words else benchmark.short
    if unknown := set(form) - {action.dest for action in parser._actions}:
        raise ValueError(f"{benchmark.name} has no options {unknown}")
    parser.set_defaults(**form)
    return parser.parse_args(words)


def record_of(
    benchmark: Benchmark, options: argparse.Namespace, before: float, measured: Mapping[str, Any]
) -> dict[str, Any]:
    used = {name: value for name, value in vars(options).items() if name not in ("json", "full")}
    return {
        "benchmark": benchmark.name,
        "form": "full" if options.full else "short",
        "options": used,
        "machine": machine(),
        "load_before": before,
        "load_after": load(),
        **measured,
    }


def show(benchmark: Benchmark, record: Record) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    for sheet in benchmark.sheets(record):
        console.print(sheet.rich())
    console.print(made_on(record))
    if figures := benchmark.figures(record):
        console.print(targets(figures).rich())


def made_on(record: Record) -> str:
    """One line: the machine, the load, the commit, the day."""
    about = record["machine"]
    load = f"load {record['load_before']}..{record['load_after']}"
    return f"{about['processor']}, {about['cores']} cores, {load}, {about['commit']}, {about['time'][:10]}"


def keep(benchmark: Benchmark, record: Record, folder: Path, beside: Path | None = None) -> list[Path]:
    """Writes the record and its plot; git keeps the ones before."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    paths = [folder / f"{benchmark.name}.json", *([beside] if beside else [])]
    for path in paths:
        path.write_text(text)
    if panels := benchmark.panels(record):
        paths.insert(1, folder / f"{benchmark.name}.svg")
        paths[1].write_text(svg(panels))
    return paths


def read(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """The record kept last; None if there is none."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    record: dict[str, Any] = json.loads(path.read_text())
    return record
