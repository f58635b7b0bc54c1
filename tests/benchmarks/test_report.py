"""The pages say what the records say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import report
from benchmarks.all import MODULES, find
from benchmarks.command import read
from benchmarks.plot import svg
from benchmarks.record import RESULTS, ROOT


@pytest.mark.parametrize("path", report.PAGES)
def test_a_page_is_what_the_records_say(path):
    assert report.written(path) == (ROOT / path).read_text(), "python -m benchmarks.report writes it anew"


@pytest.mark.parametrize("name", MODULES)
def test_a_record_kept_in_git_is_of_the_full_form_and_its_plot_is_made_of_it(name):
    record, found = read(name), find(name)
    assert found.name == name
    if record is None:
        assert not (RESULTS / f"{name}.svg").exists()
        return
    assert record["form"] == "full"
    assert (RESULTS / f"{name}.svg").read_text() == svg(found.panels(record))


def test_a_text_is_placed_between_its_own_markers_and_nothing_else_changes():
    page = "a\n<!-- one -->\nold\n<!-- end of one -->\nb\n<!-- two -->\n<!-- end of two -->\n"
    made = report.placed(report.placed(page, "two", "2"), "one", "1")
    assert made == "a\n<!-- one -->\n1\n<!-- end of one -->\nb\n<!-- two -->\n2\n<!-- end of two -->\n"
    assert report.placed(made, "one", "1") == made


def test_a_page_without_a_place_is_an_error():
    with pytest.raises(ValueError, match="no place for one"):
        report.placed("<!-- one --> and no end", "one", "1")
