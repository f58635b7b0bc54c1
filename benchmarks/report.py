"""Writes what was measured into the pages: docs/benchmarks.md, docs/sizing.md and the README's table, from the records.

    python -m benchmarks.report [--check]

Nobody copies figures by hand: between <!-- NAME --> and <!-- end of NAME --> stands what is made here of
benchmarks/results/*.json, without measuring anything. --check: writes nothing, fails if a page differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import sizing
from benchmarks.all import MODULES, find, verdicts
from benchmarks.command import made_on, read
from benchmarks.mixing.table import RIVALS, cores, name_of, ratio, rival, rival_fps, rows_of
from benchmarks.record import RESULTS, ROOT
from benchmarks.sheet import sheet

NOT_YET = "Not measured in full yet."
HELD = 28.5
"Pictures a second under which a rival's rate is written beside its cores."


def benchmark(name: str) -> str:
    """Plot, tables and targets of one."""
    record = read(name)
    if record is None:
        return NOT_YET
    found = find(name)
    parts = [f"![{name}: plot](../benchmarks/results/{name}.svg)"] if (RESULTS / f"{name}.svg").exists() else []
    parts += [one.markdown() for one in found.sheets(record)]
    return "\n\n".join([*parts, f"Made on: {made_on(record)}."])


def all_targets() -> str:
    return verdicts(list(MODULES), RESULTS).markdown()


def sizes() -> str:
    record = read("mixing")
    found = sizing.model(record) if record else None
    if record is None or found is None:
        return NOT_YET
    inputs = f"One participant is sent {found.down:.0f} kb/s and sends {found.up:.0f} kb/s, headers included."
    tables = [one.markdown() for one in sizing.sheets(found)]
    return "\n\n".join([*tables, inputs, f"Made on: {made_on(record)}."])


def others() -> str:
    """The README's: rooms by size, cores of each mixer."""
    record = read("mixing")
    if record is None:
        return NOT_YET
    heads = ["senders and receivers", "Mixdown", *RIVALS.values(), "bare codecs", "Mixdown / bare codecs"]
    rows = []
    for row in rows_of(record, "rooms"):
        cells: list[object] = [name_of(row), cores(row)]
        for name in RIVALS:
            other, rate = rival(row, name), rival_fps(row, name)
            slow = f" ({rate:.0f}/s)" if rate is not None and rate < HELD else ""
            cells.append(f"{other:.2f}{slow}" if other is not None else None)
        rows.append([*cells, cores(row) / ratio(row), ratio(row)])
    return sheet("CPU, in cores", heads, rows).markdown() + f"\n\nMade on: {made_on(record)}."


PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "docs/benchmarks.md": {
        "targets": all_targets,
        **{name: lambda name=name: benchmark(name) for name in MODULES},  # type: ignore[misc]
    },
    "docs/sizing.md": {"sizes": sizes},
    "README.md": {"others": others},
}


def placed(page: str, name: str, text: str) -> str:
    """The page with the text between the two markers of that name. ValueError if they are not there."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no place for {name}: {begin} ... {end}")
    return f"{before}{begin}\n{text}\n{end}{after}"


def written(path: str) -> str:
    """A page as it should be now."""
    page = (ROOT / path).read_text()
    for name, make in PAGES[path].items():
        page = placed(page, name, make())
    return page


def write() -> list[Path]:
    """Those that have changed."""
    changed = []
    for path in PAGES:
        page, place = written(path), ROOT / path
        if page != place.read_text():
            place.write_text(page)
            changed.append(place)
    return changed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        wrong = [path for path in PAGES if written(path) != (ROOT / path).read_text()]
        print("\n".join(f"{path} is not what the records say: python -m benchmarks.report" for path in wrong))
        return 1 if wrong else 0
    print("\n".join(map(str, write())) or "nothing has changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
