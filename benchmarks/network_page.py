"""The table of docs/network.md, made from the record of `make show-network`: nobody copies figures by hand.

python -m benchmarks.network_page
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, ROOT
from benchmarks.sheet import cell

PAGE = ROOT / "docs" / "network.md"
RECORD = RESULTS / "show_network.json"
BEGIN, END = "<!-- figures: python -m benchmarks.network_page -->", "<!-- end of figures -->"


def table(rows: Mapping[str, Any]) -> str:
    """rows: of the record, by name. Misses in bold. Of each row the commit and the load at its beginning."""
    lines = ["| row | figure | worst | target | control | run at |", "|---|---|---:|---|---:|---|"]
    for name, row in rows.items():
        first = (name, f"{row['machine']['commit']}, load {row['load_before']}")
        for number, figure in enumerate(row["figures"]):
            which, about = ("", "") if number else first
            lines.append("| " + " | ".join((which, figure["name"], *_values(figure), about)) + " |")
    return "\n".join(lines)


def _values(figure: Mapping[str, Any]) -> tuple[str, str, str]:
    unit = figure["unit"]
    value = f"{cell(figure['value'])} {unit}".rstrip()
    control = "" if figure["control"] is None else f"{cell(figure['control'])} {unit}".rstrip()
    return value if figure["good"] else f"**{value}, missed**", figure["target"], control


def written(page: str, rows: Mapping[str, Any]) -> str:
    """The page with the table between its two markers. Raises ValueError if they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for the figures: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{after}"


def recorded() -> dict[str, Any]:
    """The rows that were ever run in full, by name."""
    rows: dict[str, Any] = json.loads(RECORD.read_text())["rows"] if RECORD.exists() else {}
    return rows


def write(page: Path = PAGE) -> None:
    page.write_text(written(page.read_text(), recorded()))


if __name__ == "__main__":
    sys.exit(write())
