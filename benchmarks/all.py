"""Every benchmark in turn, and at the end all targets, met or missed.

    python -m benchmarks.all [--full] [--only mixing,audio]

The short form takes some six minutes and keeps its records in benchmarks/results/short/; the full one takes over an
hour, keeps them in benchmarks/results/ and writes docs/benchmarks.md, docs/sizing.md and the README's table anew. A
missed target is a finding and no failure: the command fails if a benchmark could not be run. One that says that this
machine has not what it needs is left out.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.command import SHORT, Benchmark, read
from benchmarks.record import RESULTS, ROOT
from benchmarks.sheet import Sheet, targets

MODULES = {
    "mixing": "benchmarks.mixing.__main__",
    "pace": "benchmarks.pace",
    "profile": "benchmarks.profile",
    "audio": "benchmarks.audio.__main__",
    "fanout": "benchmarks.fanout",
    "receive": "benchmarks.receive",
    "compose": "benchmarks.compose",
    "latency": "benchmarks.latency.__main__",
    "capacity": "benchmarks.capacity",
    "idle": "benchmarks.idle",
}
"By name, in the order in which they are run and shown."
DEADLINE = 45 * 60
"Seconds for one benchmark, whatever it waits for."


def find(name: str) -> Benchmark:
    """KeyError if there is none of that name."""
    found = importlib.import_module(MODULES[name]).BENCHMARK
    assert isinstance(found, Benchmark)
    return found


def unable(name: str) -> str:
    """Why it cannot be run on this machine; empty if it can, as all can that do not say when not."""
    why = getattr(importlib.import_module(MODULES[name]), "unable", None)
    return str(why()) if why else ""


def run(name: str, folder: Path, words: Sequence[str]) -> bool:
    """Whether it left a record: it ends with 1 also if a target was missed."""
    before = time.time()
    try:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *words], cwd=ROOT, check=False, timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        return False
    path = folder / f"{name}.json"
    return path.exists() and path.stat().st_mtime >= before


def verdicts(names: Sequence[str], folder: Path) -> Sheet:
    """The targets of those that have a record."""
    records = [(find(name), record) for name in names if (record := read(name, folder)) is not None]
    return targets([one for benchmark, record in records for one in benchmark.figures(record)], "all targets")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default=",".join(MODULES), help="names, by commas")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := [name for name in names if name not in MODULES]:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(MODULES)}")
    folder, words = (RESULTS, ["--full"]) if options.full else (SHORT, [])
    begun, failed = time.monotonic(), []
    for name in names:
        if why := unable(name):
            print(f"--- {name} is left out: {why}", flush=True)
            continue
        print(f"--- {name}, {time.monotonic() - begun:.0f} s", flush=True)
        if not run(name, folder, words):
            failed.append(name)
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(verdicts(names, folder).rich())
    print(f"{time.monotonic() - begun:.0f} s" + (f"; NOT RUN: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
