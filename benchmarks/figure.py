"""A measured value beside its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """limit: value <= limit is met, with `least` value >= limit. control: None where there is none."""

    name: str
    value: float
    limit: float
    unit: str = ""
    least: bool = False
    control: float | None = None
    note: str = ""

    @property
    def good(self) -> bool:
        return self.value >= self.limit if self.least else self.value <= self.limit

    @property
    def target(self) -> str:
        return f"{'>=' if self.least else '<='} {self.limit:g}"

    @property
    def verdict(self) -> str:
        return "met" if self.good else "MISSED"

    @property
    def badness(self) -> float:
        """Larger is worse; by the distance to the limit, which may differ from run to run."""
        return self.limit - self.value if self.least else self.value - self.limit


def at_most(
    name: str, value: float, limit: float, unit: str = "", control: float | None = None, note: str = ""
) -> Figure:
    return Figure(name, round(value, 3), round(limit, 3), unit, False, control, note)


def at_least(
    name: str, value: float, limit: float, unit: str = "", control: float | None = None, note: str = ""
) -> Figure:
    return Figure(name, round(value, 3), round(limit, 3), unit, True, control, note)
