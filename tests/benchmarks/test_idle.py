"""The idle benchmark's record, read."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import idle


def record(**more):
    return {"options": {"rooms": 500}, "none_cores": [0.001], "all_cores": [0.0012], "bytes": [7000.0], **more}


def test_what_rooms_add_is_judged_and_not_what_the_server_takes_anyway():
    cpu, memory = idle.figures(record(none_cores=[0.02, 0.03, 0.5], all_cores=[0.0205, 0.0308, 0.5002]))
    assert cpu.good and cpu.value == pytest.approx(0.5)
    assert memory.good and memory.value == 7


def test_rooms_that_cost_are_a_miss():
    cpu, memory = idle.figures(record(all_cores=[0.0025], bytes=[60_000.0]))
    assert not cpu.good
    assert not memory.good


def test_a_row_for_each_round():
    two = record(none_cores=[0.001, 0.002], all_cores=[0.001, 0.002], bytes=[1.0, 2.0])
    assert len(idle.sheets(two)[0].rows) == 2
    assert len(idle.panels(two)[0].groups) == 2


def test_the_clock_is_the_processs_own_cpu_time():
    clock = idle._clock(os.getpid())
    assert time.process_time() <= time.clock_gettime(clock) <= time.process_time()
