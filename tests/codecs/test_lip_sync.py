"""How long sound and picture wait for each other, and frames before their decoder."""

from __future__ import annotations

import pytest

from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.frame_wait import CAPACITY, LEAD, FrameWait
from mixdown.codecs.lip_sync import FRACTION, LONGEST_WAIT, CaptureClock, Timing, Waits, waits


@pytest.mark.parametrize(
    ("sound", "picture", "wanted"),
    [
        (0.050, 0.055, Waits()),
        (0.050, 0.067, Waits(sound=0.017)),
        (0.072, 0.050, Waits()),
        (0.085, 0.050, Waits(picture=0.020)),
        (0.050, 0.150, Waits(sound=0.1)),
        (0.200, 0.050, Waits(picture=0.135)),
        (0.020, 0.900, Waits(sound=LONGEST_WAIT)),
    ],
)
def test_the_sooner_one_waits(sound, picture, wanted):
    """Both by reports and, with the same way for both, by arrival."""
    for captured in ((-100.0, -7.0), (None, None)):
        heard = Timing(5 + sound, 5.0, captured[0] and 5.0)
        found = waits(heard, Timing(9 + picture, 9.0, captured[1] and 9.0), Waits())
        assert found.sound == pytest.approx(wanted.sound) and found.picture == pytest.approx(wanted.picture)


def test_reports_tell_what_arrival_cannot():
    """The picture's way is 80 ms longer, though each came as fast as it ever does."""
    sound, picture = Timing(5.045, 5.0, 4.98), Timing(9.03, 9.0, 8.88)
    assert waits(sound, picture, Waits()).sound == pytest.approx(0.085)
    unknown = Timing(9.03, 9.0, None)
    assert waits(sound, unknown, Waits()) == Waits()
    assert waits(Timing(5.09, 5.0, 4.98), unknown, Waits()).picture == pytest.approx(0.045)


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_clock_set_between_two_reports_is_not_believed(step):
    """The sender's wall clock is set after the report of his sound and before that of his picture."""
    sound, picture = Timing(5.045, 5.0, 4.98), Timing(9.03, 9.0, 8.88 + step)
    assert waits(sound, picture, Waits()) == Waits()


def test_small_changes_are_left_alone():
    present = Waits(sound=0.05)
    assert waits(Timing(0.0, 0.0, None), Timing(0.055, 0.0, None), present) is present


def test_a_picture_s_wait_that_is_longer_than_need_be_is_given_back_bit_by_bit():
    present, seen = Waits(picture=0.014), []
    for _ in range(6):
        present = waits(Timing(0.072, 0.0, None), Timing(0.050, 0.0, None), present)
        seen.append(present.picture)
    assert seen == pytest.approx([0.012, 0.010, 0.008, 0.007, 0.007, 0.007])


def test_a_report_maps_rtp_time_to_the_sender_s_clock():
    clock = CaptureClock(48_000)
    assert clock.captured is None
    clock.report(100 << 32 | 1 << 31, 48_000 * 60)
    assert clock.captured == pytest.approx(40.5)


def test_reports_that_waver_are_taken_together():
    clock = CaptureClock(48_000)
    for n, off in enumerate((0.0, 0.020, 0.004, 0.016)):
        clock.report(int((100 + n + off) * FRACTION), 48_000 * n)
    assert clock.captured == pytest.approx(100.010)


def test_a_report_that_is_far_off_moves_nothing():
    """A program that hung between reading its clock and sending."""
    clock = CaptureClock(48_000)
    for n, off in enumerate((0.0, 0.45, 0.0, 0.0, -0.4, 0.0)):
        clock.report(int((100 + n + off) * FRACTION), 48_000 * n)
        assert n < 2 or clock.captured == pytest.approx(100)


def test_a_sender_s_clock_that_was_set_is_believed_at_once():
    clock = CaptureClock(48_000)
    for n in range(5):
        clock.report((100 + n) * FRACTION, 48_000 * n)
    clock.report((3700 + 5) * FRACTION, 48_000 * 5)
    assert clock.captured == pytest.approx(3700)


def frame(n: int) -> EncodedFrame:
    return EncodedFrame("s", 0, CodecId.VP8, n, n, n * 3000, b"")


def test_without_a_wait_frames_go_through_at_once():
    line = FrameWait()
    assert [line.push(frame(n), n / 30)[0].sequence for n in range(5)] == list(range(5))


def test_frames_wait_in_order_until_a_tick_before_their_time():
    line = FrameWait()
    line.push(frame(0), 5.0)
    line.wait = 0.1
    assert line.push(frame(1), 5 + 1 / 30) == [] and len(line) == 1
    line.ticked(5 + 1 / 30 + 0.1 - LEAD - 0.002)
    assert line.due() == []
    line.ticked(5 + 1 / 30 + 0.1 - LEAD + 0.002)
    assert [f.sequence for f in line.due()] == [1]


def test_what_the_next_tick_is_to_show_does_not_wait_for_it():
    line = FrameWait()
    line.push(frame(0), 5.0)
    line.wait = 0.005
    line.ticked(5 + 1 / 30 - 0.010)
    assert [f.sequence for f in line.push(frame(1), 5 + 1 / 30)] == [1]
    line.ticked(5 + 2 / 30 - LEAD + 0.003)
    assert line.push(frame(2), 5 + 2 / 30) == []  # due 2 ms after the next tick: it is for the one behind that
    line.ticked(5 + 2 / 30 + 0.003)
    assert [f.sequence for f in line.due()] == [2]


def test_when_a_picture_may_be_shown_at_the_soonest():
    line = FrameWait()
    line.push(frame(0), 5.0)
    assert line.due_at(frame(1)) < 0, "nothing waits: as soon as it is decoded"
    line.wait = 0.05
    assert line.due_at(frame(1)) == pytest.approx(5 + 1 / 30 + 0.05)


def test_no_more_than_ten_frames_wait_and_none_is_lost():
    line = FrameWait()
    line.push(frame(0), 0.0)
    line.wait = 10.0
    out = [f.sequence for n in range(1, 31) for f in line.push(frame(n), n / 30)]
    assert len(line) == CAPACITY and out == list(range(1, 21))
    assert line.clear() == CAPACITY and len(line) == 0
