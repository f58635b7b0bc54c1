"""A table that can be shown in a terminal and written into a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.figure import Figure


@dataclass(frozen=True, slots=True)
class Sheet:
    """rows: cells as they are shown, one for each head."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def rich(self) -> Group:
        """Title and table."""
        table = Table()
        for place, head in enumerate(self.heads):
            table.add_column(head, justify="left" if place == 0 else "right")
        for row in self.rows:
            table.add_row(*(_coloured(cell) for cell in row))
        return Group(Text(self.title, style="bold"), table)

    def markdown(self) -> str:
        """GitHub's form, the title in bold above it."""
        lines = [f"**{self.title}**", "", _line(self.heads), _line(["---", *["---:"] * (len(self.heads) - 1)])]
        return "\n".join([*lines, *(_line(row) for row in self.rows)])


def sheet(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Sheet:
    """None is shown as a dash, a float with three digits: the rest as it is."""
    return Sheet(title, tuple(heads), tuple(tuple(cell(value) for value in row) for row in rows))


def cell(value: object) -> str:
    """None: a dash. Floats: three digits that count, never an exponent."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    digits = max(0, 3 - len(str(int(abs(value))))) if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def targets(figures: Sequence[Figure], title: str = "targets") -> Sheet:
    """Each figure beside its target, met or missed."""
    rows = [
        (one.name, f"{cell(one.value)} {one.unit}".rstrip(), one.target, cell(one.control), one.verdict, one.note)
        for one in figures
    ]
    return Sheet(title, ("figure", "measured", "target", "control", "verdict", "note"), tuple(rows))


def _coloured(text: str) -> str:
    return {"met": "[green]met[/]", "MISSED": "[red]MISSED[/]"}.get(text, text.replace("[", r"\["))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", r"\|") for text in cells) + " |"
