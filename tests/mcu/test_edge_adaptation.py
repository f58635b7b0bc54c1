"""A line that becomes thin and wide again, in simulated time: which step of quality a peer gets, and when."""

from __future__ import annotations

import itertools

import pytest
from support.bottleneck import Air, Call, Link, Outage

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.adaptation import Adaptation, Limit
from mixdown.mcu.edge.ladder import Ladder
from mixdown.mcu.edge.path import Path
from mixdown.mcu.edge.transport_cc import Arrivals

WIDE, THIN = 2_500_000, 350_000


def tiers(call: Call) -> list[TierName]:
    return [tier for _, tier in call.history]


@pytest.mark.parametrize("queue", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("reports", [True, False], ids=["arrivals", "remb"])
def test_a_wide_line_keeps_the_best_step(queue: float, reports: bool) -> None:
    call = Call(Link(WIDE, queue=queue), reports=reports)
    call.run(20)
    assert call.history == [] and call.probed == 0 and call.adaptation.limit is Limit.NONE


@pytest.mark.parametrize("queue", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("reports", [True, False], ids=["arrivals", "remb"])
def test_thin_fits_in_three_seconds_and_wide_is_back_in_twenty(queue: float, reports: bool) -> None:
    call = Call(Link(WIDE, queue=queue), reports=reports)
    call.run(10)
    call.link.rate = THIN
    call.run(3)
    assert call.tier is TierName.LOW and call.adaptation.limit is Limit.BANDWIDTH
    assert call.rate(1.0) <= 1.05 * THIN
    call.run(27)
    assert TierName.MEDIUM not in tiers(call)[-1:], "nothing but what fits while the line is thin"
    assert len(call.history) <= 3 and TierName.AUDIO not in tiers(call)
    call.link.rate = WIDE
    call.run(20)
    assert call.tier is TierName.FULL and call.adaptation.limit is Limit.NONE


def test_sound_waits_only_while_the_line_is_found_out() -> None:
    call = Call(Link(WIDE, queue=1.0))
    call.run(10)
    call.link.rate = THIN
    call.run(30)
    late = [at for at, delay in call.sound_delays if at > 10 and (delay is None or delay > 0.3)]
    assert late and max(late) < 10 + 3


def test_packets_that_left_together_spare_probes_on_a_thin_line() -> None:
    call = Call(Link(WIDE))
    call.run(5)
    call.link.rate = THIN
    call.run(60)
    assert call.probed < 1.5


@pytest.mark.parametrize("reports", [True, False], ids=["arrivals", "remb"])
def test_a_line_too_thin_for_any_picture_gets_sound_alone_and_comes_back(reports: bool) -> None:
    call = Call(Link(WIDE), reports=reports)
    call.run(5)
    call.link.rate = 150_000
    call.run(6)
    assert call.adaptation.tier is TierName.AUDIO
    call.link.rate = WIDE
    call.run(35)
    assert call.adaptation.tier is TierName.FULL


@pytest.mark.parametrize("reports", [True, False], ids=["arrivals", "remb"])
def test_ten_percent_of_random_loss_change_nothing_and_a_fourth_does(reports: bool) -> None:
    call = Call(Link(WIDE), reports=reports)
    call.random_loss = 0.1
    call.run(30)
    assert call.history == []
    call.random_loss = 0.25
    call.run(30)
    assert tiers(call) and TierName.AUDIO not in tiers(call)


@pytest.mark.parametrize(
    ("rate", "ends"),
    [
        (1_650_000, TierName.MEDIUM),
        (800_000, TierName.LOW),
        (500_000, TierName.LOW),
        (300_000, TierName.AUDIO),
    ],
)
def test_a_line_that_is_a_little_too_thin_is_found_out_and_left_alone(rate: int, ends: TierName) -> None:
    """The queue grows slowly, and the next step nearly fits: neither seesaw nor a queue that stays."""
    call = Call(Link(rate))
    call.run(240)
    assert call.adaptation.tier is ends and len(call.history) <= 3
    late = [delay for at, delay in call.sound_delays if at > 30 and (delay is None or delay > 0.2)]
    assert len(late) < 0.01 * len(call.sound_delays)


@pytest.mark.parametrize(
    ("jitter", "stall", "every"), [(0.03, 0, 1), (0.1, 0, 1), (0, 0.15, 1), (0, 0.3, 2), (0.03, 0.2, 1), (0, 0.5, 10)]
)
def test_jitter_and_stalls_of_the_air_are_no_thin_line(jitter: float, stall: float, every: float) -> None:
    call = Call(Air(WIDE, jitter=jitter, stall=stall, every=every))
    call.run(60)
    assert call.history == []


@pytest.mark.parametrize(
    ("seconds", "reports"),
    [(0.1, True), *itertools.product((0.2, 0.3, 0.5, 1.0, 2.0, 5.0), (True, False))],  # a REMB sees a queue in 0.1 s
)
@pytest.mark.parametrize("late", [0.0, 0.03, 0.05])
def test_a_blackout_is_no_thin_line(seconds: float, late: float, reports: bool) -> None:
    for begin in (3.0, 3.01, 3.02, 3.04, 12.0, 12.05):
        call = Call(Outage(WIDE, begin=begin, end=begin + seconds, late=late), reports=reports)
        call.run(begin + seconds + 6)
        assert call.history == [], (begin, call.adaptation.reason)


@pytest.mark.parametrize("seconds", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("fading", [0.1, 0.2])
def test_nor_is_one_that_began_with_a_delay(seconds: float, fading: float) -> None:
    """What was reported last stands for all of it: nothing is judged by that."""
    for begin in (3.0, 3.01, 3.02, 3.04, 12.0, 12.05):
        call = Call(Outage(WIDE, begin=begin, end=begin + seconds, fading=fading))
        call.run(begin + seconds)
        assert call.history == [], (begin, call.adaptation.reason)


@pytest.mark.parametrize(
    ("fps", "lost", "outage"), [(30, 4, False), (30, 9, True), (5, 1, False), (5, 2, False), (5, 6, True)]
)
def test_a_few_frames_lost_are_no_blackout_at_any_frame_rate(fps: int, lost: int, outage: bool) -> None:
    """Three marks to a frame, and a report on each; then `lost` frames of which none arrives."""
    path = Path()
    for n in range(20):
        arrives = n < 19 - lost or n == 19
        for mark in (3 * n, 3 * n + 1, 3 * n + 2):
            path.sent(mark, n / fps, 3000 * mark)
        if arrives:
            first = 0 if n == 0 else 3 * (n if n < 19 else n - lost)
            missing = 3 * n - first
            path.feedback(Arrivals(first, (None,) * missing + (n / fps + 0.05,) * 3), n / fps + 0.1)
    assert (path.loss(19 / fps + 0.1, seconds=3.0) == 0) == outage


@pytest.mark.parametrize("seconds", [0.3, 0.5])
def test_a_blackout_does_not_make_a_thin_line_worth_a_probe(seconds: float) -> None:
    link = Outage(THIN, begin=20.0, end=20.0 + seconds)
    call = Call(link)
    call.run(20)
    assert call.tier is TierName.LOW
    before = call.probed
    call.run(seconds + 1)
    assert call.probed == before


def test_a_remb_that_fell_by_a_moments_growth_is_no_reason_however_little_is_sent() -> None:
    """A still picture takes far less than its step may: what comes, and 0.85 of it, says nothing of the line then."""
    adaptation, path = Adaptation(TierName.FULL, 0.0), Path()
    adaptation.shortage.sent = 500_000
    adaptation.on_remb(600_000, 4.9)
    adaptation.on_remb(0.85 * 0.9 * 500_000, 5.0)
    assert not adaptation.decide(path, 5.0)
    adaptation.on_remb(300_000, 5.5)
    assert adaptation.decide(path, 5.5) and adaptation.tier is TierName.LOW


def test_jitter_takes_nobodys_picture_away_by_remb() -> None:
    call = Call(Air(WIDE, jitter=0.06), reports=False)
    call.run(60)
    assert TierName.AUDIO not in tiers(call)


def test_a_line_between_two_steps_is_not_tried_for_ever() -> None:
    """It carries what padding takes for a moment, but not the picture: each failure makes the next wait longer."""
    adaptation, path, now = Adaptation(TierName.FULL, 0.0), Path(), 0.0
    ups: list[float] = []
    while now < 600:
        now += 0.1
        if adaptation.tier is TierName.FULL and now - adaptation._changed > 2:
            adaptation.on_remb(2_000_000, now - 0.01)
            adaptation.on_remb(800_000, now)  # it fell, under the step
        elif adaptation.probe is not None:
            adaptation.on_remb(adaptation.probe.rate, now)
        before = adaptation.tier
        if adaptation.decide(path, now) and adaptation.tier is TierName.FULL and before is not TierName.FULL:
            ups.append(now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(ups)]
    assert 6 <= len(ups) <= 16 and gaps[-1] > 60 > gaps[0]


def test_the_choice_is_the_ceiling() -> None:
    call = Call(Link(WIDE))
    call.adaptation.choose(TierName.MEDIUM, 0.0)
    call.run(20)
    assert call.adaptation.tier is TierName.MEDIUM and call.adaptation.limit is Limit.CHOICE and call.probed == 0
    call.adaptation.choose(TierName.FULL, call.now)
    assert call.adaptation.tier is TierName.FULL, "the line was not the limit"


def test_a_choice_while_the_line_is_the_limit_is_not_jumped_to() -> None:
    call = Call(Link(THIN))
    call.run(10)
    assert call.adaptation.tier is TierName.LOW
    call.adaptation.choose(TierName.MEDIUM, call.now)
    assert call.adaptation.tier is TierName.LOW
    call.adaptation.choose(TierName.AUDIO, call.now)
    assert call.adaptation.tier is TierName.AUDIO and call.adaptation.limit is Limit.CHOICE


def test_remb_counts_only_if_it_fell() -> None:
    adaptation, path = Adaptation(TierName.FULL, 0.0), Path()
    for n in range(100):
        adaptation.on_remb(300_000 * 1.01**n, n * 0.2)  # what a browser says before it has received much
        assert not adaptation.decide(path, n * 0.2)


def test_without_a_repair_stream_a_step_up_is_tried_without_padding() -> None:
    adaptation, path = Adaptation(TierName.FULL, 0.0, can_probe=False), Path()
    adaptation.on_remb(2_000_000, 4.9)
    adaptation.on_remb(300_000, 5.0)
    assert adaptation.decide(path, 5.0) and adaptation.tier is TierName.LOW
    assert not adaptation.decide(path, 6.0)
    assert adaptation.decide(path, 9.0) and adaptation.tier is TierName.MEDIUM and adaptation.probe is None


def test_a_queue_that_was_reported_last_does_not_keep_the_picture_away_for_ever() -> None:
    """With sound alone nothing is reported any more."""
    adaptation, path = Adaptation(TierName.FULL, 0.0), Path()
    adaptation.on_remb(2_000_000, 0.9)
    adaptation.on_report(0.2, 0.9)
    adaptation.on_remb(50_000, 1.0)
    assert adaptation.decide(path, 1.0) and adaptation.tier is TierName.AUDIO
    path.queue, path.last_report, path.reports = 0.3, 1.5, 10
    assert not adaptation.decide(path, 2.0) and adaptation.probe is None
    adaptation.decide(path, 6.0)
    assert adaptation.probe is not None


def test_ladder() -> None:
    ladder = Ladder((1500, 700, 200), 80_000)
    assert ladder.total(TierName.AUDIO) == 80_000
    assert ladder.fitting(5_000_000, TierName.FULL) is TierName.FULL
    assert ladder.fitting(5_000_000, TierName.LOW) is TierName.LOW
    assert ladder.fitting(900_000, TierName.FULL) is TierName.MEDIUM
    assert ladder.fitting(100_000, TierName.FULL) is TierName.AUDIO
