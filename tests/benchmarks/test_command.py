"""The common form: defaults of both forms, where records go, and what the exit code says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import command
from benchmarks.command import Benchmark, main, parse, read
from benchmarks.figure import at_most
from benchmarks.plot import Bars
from benchmarks.sheet import sheet


def benchmark(value=1.0, **more):
    given = {
        "name": "example",
        "about": "An example.",
        "short": {"rounds": 1},
        "full": {"rounds": 5},
        "options": lambda parser: parser.add_argument("--rounds", type=int),
        "measure": lambda options: {"value": value, "rounds": options.rounds},
        "figures": lambda record: [at_most("value", record["value"], 2)],
        "sheets": lambda record: [sheet("values", ["value"], [[record["value"]]])],
        "panels": lambda record: [Bars("values", "y", ["a"], {"one": [record["value"]]})],
    }
    return Benchmark(**{**given, **more})


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SHORT", tmp_path / "short")
    return tmp_path / "short"


@pytest.mark.parametrize(
    ("words", "rounds"), [([], 1), (["--full"], 5), (["--rounds", "3"], 3), (["--full", "--rounds", "3"], 3)]
)
def test_each_form_has_its_defaults_and_a_word_changes_one(words, rounds):
    assert parse(benchmark(), words).rounds == rounds


def test_a_default_without_an_option_is_refused():
    with pytest.raises(ValueError, match="loops"):
        parse(benchmark(short={"loops": 1}), [])


def test_a_short_round_leaves_a_record_and_a_plot_and_writes_where_it_is_told(results, tmp_path, capsys):
    told = tmp_path / "told.json"
    assert main(benchmark(), ["--json", str(told)]) == 0
    record = read("example", results)
    assert record == json.loads(told.read_text())
    assert record["value"] == 1
    assert record["form"] == "short"
    assert record["options"] == {"rounds": 1}
    assert {"commit", "processor", "cores"} <= set(record["machine"])
    assert {"load_before", "load_after"} <= set(record)
    assert (results / "example.svg").read_text().startswith("<svg")
    assert "met" in capsys.readouterr().out


def test_a_missed_target_is_the_exit_code(capsys):
    assert main(benchmark(value=3.0), []) == 1
    assert "MISSED" in capsys.readouterr().out


def test_without_a_record_there_is_none(tmp_path):
    assert read("nothing", tmp_path) is None
