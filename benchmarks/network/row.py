"""A row of the table: how it is measured, and what came of it. See the package for the interface."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.figure import Figure, at_least, at_most

__all__ = ["Figure", "Measure", "Row", "at_least", "at_most", "worst"]

Measure = Callable[[int, float], Awaitable[list[Figure]]]
"(seed, seconds to measure for) -> figures, the same ones by name in each run."


@dataclass(frozen=True, slots=True)
class Row:
    """seconds: the length of one measurement. runs: how many are made, of which the worst counts."""

    name: str
    measure: Measure
    about: str
    seconds: float = 30.0
    runs: int = 3


def worst(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Of each figure its worst run; the values of all of them in its note."""
    by_name: dict[str, list[Figure]] = {}
    for run in runs:
        for figure in run:
            by_name.setdefault(figure.name, []).append(figure)
    return [_worst(figures, len(runs)) for figures in by_name.values()]


def _worst(figures: Sequence[Figure], runs: int) -> Figure:
    bad = max(figures, key=lambda one: one.badness)
    if runs == 1:
        return bad
    values = ", ".join(f"{one.value:g}" for one in figures)
    return replace(bad, note=f"runs {values}; {bad.note}".rstrip("; "))
