"""What a decision about a peer's line does: to what leaves, and to what is asked of mixer and rooms."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from mixdown.codecs.encoded import MediaKind, TierName
from mixdown.mcu import clock
from mixdown.mcu.edge.adaptation import Limit, Probe
from mixdown.mcu.edge.bandwidth import PAD_PACKET, STEP_TAKES, Bandwidth
from mixdown.mcu.edge.ladder import DEFAULT_RATES
from mixdown.mcu.edge.path import Path


class Out:
    """Notes what is asked of the way out."""

    def __init__(self) -> None:
        self.octets = self.sound = 0
        self.rate: float | None = None
        self.held = 0.0
        self.dropped = False
        self.padding: list[int] = []
        self.on_mark: Any = None

    def hold(self, until: float) -> None:
        self.held = until

    def drop_picture(self) -> None:
        self.dropped = True

    def send_padding(self, packets: list[bytes], marks: list[tuple[int, int]]) -> None:
        self.padding.append(len(packets))
        self.octets += sum(map(len, packets))


class Line:
    """A peer's side of it. told: the steps that were asked for."""

    def __init__(self, tier: TierName = TierName.FULL) -> None:
        self.forgot = 0
        video = SimpleNamespace(
            can_pad=True,
            marks=[],
            padding=lambda now, count: [bytes(PAD_PACKET)] * count,
            repair_no_more=self._forget,
        )
        request = SimpleNamespace(room="r", participant="p")
        self.lines: Any = SimpleNamespace(tier=tier, senders={MediaKind.VIDEO: video}, request=request)
        self.out: Any = Out()
        self.told: list[TierName] = []
        self.counters: Counter[str] = Counter()
        self.bandwidth = Bandwidth(self.lines, self.counters)
        self.bandwidth.on_change = lambda: self.told.append(self.lines.tier)
        self.drained = 0
        self.bandwidth.on_drained = self._drain
        self.bandwidth.open(self.out)

    def _forget(self) -> None:
        self.forgot += 1

    def _drain(self) -> None:
        self.drained += 1

    def becomes_thin(self) -> None:
        now = clock.now()
        for rate in (2_000_000, 300_000):
            self.bandwidth.on_remb(rate, now)


def test_a_thin_line_is_told_once_paced_and_not_overrun_by_the_old_picture() -> None:
    line = Line()
    line.becomes_thin()
    line.becomes_thin()
    assert line.told == [TierName.LOW] and line.bandwidth.limited_by is Limit.BANDWIDTH
    assert line.bandwidth.starved, "what is left of the old picture does not fit"
    low = DEFAULT_RATES[-1] * 1000
    assert line.out.rate is not None and low < line.out.rate < 2 * low
    assert line.counters["tiers_down"] == 1
    assert line.out.dropped and line.forgot == 1, "repairs of the old picture would fill the line"


class FullPath(Path):
    """With a second of pictures on it."""

    backlog = 1.0


def test_the_step_that_fits_is_asked_for_once_the_line_is_about_to_be_empty() -> None:
    line = Line()
    line.bandwidth.path = FullPath()
    line.becomes_thin()
    now = clock.now()
    assert line.told == [TierName.LOW] and line.bandwidth.draining
    assert line.out.held == pytest.approx(now + 1.0, abs=0.2)
    line.bandwidth.poll(line.out.held - 2 * STEP_TAKES)
    assert line.drained == 0
    line.bandwidth.poll(line.out.held - STEP_TAKES + 0.01)
    line.bandwidth.poll(line.out.held)
    assert line.drained == 1 and not line.bandwidth.draining and line.bandwidth.starved


def test_who_chooses_a_step_meanwhile_has_it_at_once() -> None:
    line = Line()
    line.bandwidth.path = FullPath()
    line.becomes_thin()
    line.bandwidth.choose(TierName.MEDIUM)
    assert not line.bandwidth.draining
    line.bandwidth.poll(line.out.held + 1)
    assert line.drained == 0


def test_losses_without_a_queue_leave_the_old_picture_until_the_new_one_comes() -> None:
    line, now = Line(), clock.now()
    for n in range(4):
        line.bandwidth.on_report(0.3, now + n)
        line.bandwidth._decide(now + n)
    assert line.told == [TierName.MEDIUM]
    assert not line.bandwidth.starved and line.forgot == 0 and not line.out.dropped


def test_a_choice_is_no_shortage() -> None:
    line = Line()
    assert line.bandwidth.choose(TierName.MEDIUM) is TierName.MEDIUM
    assert line.lines.tier is TierName.MEDIUM and not line.bandwidth.starved and line.out.rate is None
    assert line.bandwidth.limited_by is Limit.CHOICE and line.told == []


async def test_padding_fills_up_to_the_rate_and_ends_with_the_probe() -> None:
    line = Line(TierName.MEDIUM)
    line.bandwidth.choose(TierName.FULL)
    line.becomes_thin()
    began = clock.now()
    line.bandwidth.adaptation.probe = Probe(began, TierName.MEDIUM, 4_000_000)
    line.bandwidth._decide(began)
    async with asyncio.timeout(10):
        while sum(line.out.padding) < 20:
            await asyncio.sleep(0.005)
    sent, seconds = 8 * line.out.octets, clock.now() - began
    assert sent <= 4_000_000 * seconds + 8 * 10 * PAD_PACKET, "no more than the rate, and what was due at once"
    assert line.counters["bandwidth_probes"] == 1
    line.bandwidth.adaptation.probe = None
    await asyncio.sleep(0.03)
    before = len(line.out.padding)
    await asyncio.sleep(0.05)
    assert len(line.out.padding) == before
    line.bandwidth.close()


async def test_a_peer_that_closes_stops_padding() -> None:
    line = Line()
    line.becomes_thin()
    line.bandwidth.adaptation.probe = Probe(clock.now(), TierName.MEDIUM, 4_000_000)
    line.bandwidth._decide(clock.now())
    line.bandwidth.close()
    before = len(line.out.padding)
    await asyncio.sleep(0.05)
    assert len(line.out.padding) == before


def test_the_mixer_says_what_the_steps_take() -> None:
    line = Line()
    line.bandwidth.rates((375, 175, 100))
    line.bandwidth.rates(())
    assert line.bandwidth.adaptation.ladder.rates == (375, 175, 100)
