"""The search for how many fit, and how its record is read."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.capacity import Try, carried, late_share, search


def machine_for(most: int):
    async def attempt(count: int) -> Try:
        return Try(count, 0.0 if count <= most else 0.5)

    return attempt


@pytest.mark.parametrize(("most", "tried"), [(21, [4, 8, 16, 32, 24, 20, 22]), (3, [4, 2, 3]), (0, [4, 2, 1])])
async def test_doubles_then_halves(most, tried):
    tries = await search(machine_for(most), 4, 64, 3)
    assert [one.count for one in tries] == tried


async def test_ends_at_the_most_that_is_tried():
    tries = await search(machine_for(1000), 4, 20, 3)
    assert [one.count for one in tries] == [4, 8, 16, 20]
    assert carried([asdict(one) for one in tries]) == (20, True)


async def test_carries_what_fitted_below_what_did_not():
    tries = await search(machine_for(21), 4, 64, 3)
    assert carried([asdict(one) for one in tries]) == (20, False)


def test_a_lucky_try_over_one_that_failed_does_not_count():
    tries = [Try(4, 0.0), Try(8, 0.02), Try(16, 0.0)]
    assert carried([asdict(one) for one in tries]) == (4, False)


def test_what_failed_does_not_fit():
    assert not Try(4, 0.0, error="a join timed out").fits
    assert carried([asdict(Try(4, 1.0))]) == (0, False)


def test_the_worse_of_picture_and_sound_is_judged_and_skipped_ticks_are_late():
    before = {kind: {"count": 100, "late": 1, "skipped": 1} for kind in ("video", "audio")}
    after = {"video": {"count": 200, "late": 1, "skipped": 1}, "audio": {"count": 290, "late": 6, "skipped": 11}}
    assert late_share(before, after) == pytest.approx(15 / 200)


def test_a_tick_that_stood_still_is_late():
    same = {kind: {"count": 100, "late": 0, "skipped": 0} for kind in ("video", "audio")}
    assert late_share(same, same) == 1.0
