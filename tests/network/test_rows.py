"""How rows judge: pure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.freezes import freezes

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import network_page
from benchmarks.network.row import at_least, at_most, worst


def test_a_steady_picture_has_no_freeze_and_a_gap_is_one() -> None:
    steady = [n / 30 for n in range(90)]
    assert freezes(steady).count == 0
    run = freezes(steady + [3.3 + n / 30 for n in range(60)])
    assert (run.count, round(run.longest, 2)) == (1, 0.33)
    assert run.a_minute == pytest.approx(60 / run.span)


def test_the_limit_is_three_times_the_average_or_150_ms_over_it() -> None:
    fast = [n / 30 for n in range(300)]
    assert freezes([*fast, fast[-1] + 0.18]).count == 0
    assert freezes([*fast, fast[-1] + 0.19]).count == 1
    slow = [n / 5 for n in range(100)]
    assert freezes([*slow, slow[-1] + 0.59]).count == 0
    assert freezes([*slow, slow[-1] + 0.62]).count == 1


def test_a_picture_that_never_changed_is_one_long_freeze() -> None:
    assert freezes([]).longest == freezes([1.0]).longest == float("inf")


def test_of_three_runs_the_worst_counts_and_a_control_comes_from_its_own_run() -> None:
    runs = [
        [at_most("a", 3, 4, control=1), at_least("b", 9, 5)],
        [at_most("a", 3.5, 3, control=2), at_least("b", 4, 5)],
    ]
    first, second = worst(runs)
    assert (first.value, first.limit, first.control, first.good) == (3.5, 3, 2, False)
    assert first.note == "runs 3, 3.5"
    assert (second.value, second.good, second.target) == (4, False, ">= 5")


def test_a_value_at_its_limit_meets_it() -> None:
    assert at_most("a", 5, 5).good
    assert at_least("a", 5, 5).good
    assert not at_most("a", float("inf"), 5).good


def test_the_page_shows_what_is_recorded_and_a_miss_as_one() -> None:
    assert network_page.written(network_page.PAGE.read_text(), network_page.recorded()) == network_page.PAGE.read_text()
    figure = {"name": "freezes", "value": 1.5, "unit": "", "target": "<= 1", "control": None, "good": False}
    row = {"machine": {"commit": "abc"}, "load_before": 0.5, "figures": [figure, figure | {"value": 0, "good": True}]}
    missed, met = network_page.table({"uplink-2": row}).splitlines()[2:]
    assert missed == "| uplink-2 | freezes | **1.50, missed** | <= 1 |  | abc, load 0.5 |"
    assert met == "|  | freezes | 0 | <= 1 |  |  |"


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        network_page.written("nothing", {})
