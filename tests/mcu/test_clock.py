"""The clocks: what a step of the wall clock shows in, and what not."""

from __future__ import annotations

import time

import pytest

from mixdown.mcu import clock


def test_a_step_of_the_wall_clock_does_not_show_in_sender_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    began, before = time.monotonic(), clock.ntp_time()
    for step in (3600, -3600):
        monkeypatch.setattr(time, "time_ns", lambda step=step: int((1_800_000_000 + step) * 1e9))
        passed = (clock.ntp_time() - before) / (1 << 32)
        assert 0 <= passed <= time.monotonic() - began + 1e-6


def test_sender_reports_name_the_wall_clock() -> None:
    seconds = (clock.ntp_time() >> 32) - clock.NTP_EPOCH_OFFSET
    assert abs(seconds - clock.wall_time().timestamp()) < 60
