"""Cells and tables, and how values are judged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.figure import at_least, at_most
from benchmarks.sheet import cell, sheet, targets


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (3, "3"), ("a", "a"), (0.12345, "0.123"), (1.2345, "1.23"), (12.345, "12.3"), (1234.5, "1234")],
)
def test_three_digits_that_count(value, shown):
    assert cell(value) == shown


def test_markdown_has_a_line_for_each_row_and_no_cell_breaks_it():
    made = sheet("a title", ["name", "value"], [["a|b", 1.0], ["c", None]])
    assert made.markdown().splitlines() == [
        "**a title**",
        "",
        "| name | value |",
        "| --- | ---: |",
        r"| a\|b | 1.00 |",
        "| c | - |",
    ]


def test_a_miss_is_called_one_at_its_side_of_the_limit():
    rows = targets([at_most("a", 2, 1, "ms"), at_most("b", 1, 1), at_least("c", 29, 30, note="why")]).rows
    assert [row[4] for row in rows] == ["MISSED", "met", "MISSED"]
    assert rows[0][1:3] == ("2 ms", "<= 1")
    assert rows[2][2:] == (">= 30", "-", "MISSED", "why")
