"""Lines through what was measured, and what they say of larger rooms."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import sizing


def row(group, senders, viewers, cores, memory):
    load = {"senders": senders, "viewers": viewers, "kbps": 600}
    made = {"memory_mb": memory, "wire_kbps": 1700.0}
    return {"group": group, "load": load, "round": made, "rounds": [{"cores": cores, "ratio": 1.0}]}


def record():
    rooms = [row("rooms", n, 0, 0.2 + 0.03 * n, 150 + 5 * n) for n in (1, 4, 9, 16, 25)]
    viewers = [row("listeners", 4, m, 0.32 + 0.004 * m, 170 + 0.5 * m) for m in (1, 10, 50, 200)]
    return {"rows": rooms + viewers}


@given(st.floats(-5, 5), st.floats(-5, 5), st.lists(st.integers(0, 1000), min_size=2, max_size=9, unique=True))
def test_a_straight_line_is_found_again(base, each, xs):
    line = sizing.fit([(x, base + each * x) for x in xs])
    assert line.at(10) == pytest.approx(base + 10 * each, abs=1e-6)
    assert line.off == pytest.approx(0, abs=1e-6)
    assert line.most == max(xs)


def test_how_far_a_line_misses_its_worst_point_is_said():
    assert sizing.fit([(0, 0.0), (1, 3.0), (2, 0.0)]).off == pytest.approx(2.0)


def test_one_point_is_no_line():
    with pytest.raises(ValueError, match="two points"):
        sizing.fit([(1, 1.0)])


def test_a_model_says_of_rooms_and_audiences_what_their_lines_say():
    found = sizing.model(record())
    assert found.room_cores.at(9) == pytest.approx(0.47)
    assert found.viewer_cores.each == pytest.approx(0.004)
    _, rooms, audiences = sizing.sheets(found)
    nine = next(line for line in rooms.rows if line[0] == "9")
    assert nine[1:3] == ("0.47", "195")
    assert nine[4] == f"{9 * 1.7:.1f}"
    thousand = audiences.rows[-1]
    assert thousand[0] == "1000 (beyond what was measured)"
    assert thousand[1] == f"{0.32 + 4:.2f}"
    assert thousand[4] == f"{1004 * 1.7:.1f}"


def test_without_rooms_or_audiences_there_is_no_model():
    rows = record()["rows"]
    assert sizing.model({"rows": rows[:5]}) is None
    assert sizing.model({"rows": rows[5:]}) is None


def test_what_one_sends_includes_headers_and_sound():
    sent = sizing.sent_by_one(600)
    assert 600 + 32 < sent < 1.15 * 632
    assert sent == pytest.approx(600 + 32 + (30 * 3 + 50) * 50 * 8 / 1000)
