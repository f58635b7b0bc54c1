"""Losses by receiver reports: over stretches that mean something, whatever a peer says."""

from __future__ import annotations

from mixdown.mcu.edge.reported_loss import ReportedLoss


def test_reports_that_come_with_each_loss_do_not_make_it_more() -> None:
    """One of fifty is lost, and each loss brings a report: of four packets, and of forty-six."""
    losses, found = ReportedLoss(), []
    for packet in range(0, 3000, 50):
        for highest in (packet + 4, packet + 50):
            loss = losses.take(packet // 50, highest, highest / 150)
            found += [loss] if loss is not None else []
    assert len(found) > 15
    assert all(0.005 < loss < 0.035 for loss in found)


def test_a_stretch_without_packets_has_no_loss_and_ends() -> None:
    losses = ReportedLoss()
    assert losses.take(10, 100, 0.0) is None
    assert losses.take(10, 105, 1.0) is None, "five packets say nothing yet"
    assert losses.take(12, 105, 3.5) == 2 / 5
    assert losses.take(12, 105, 7.0) == 0.0


def test_numbers_that_make_no_sense_begin_anew() -> None:
    losses = ReportedLoss()
    losses.take(0, 1000, 0.0)
    assert losses.take(0, 10, 2.0) is None, "a stream that began anew"
    assert losses.take(100, 60, 4.0) == 1.0, "never more than all"
    assert losses.take(-5, 160, 6.0) == 0.0, "packets that came twice"
    assert losses.take(0, 0xFFFFFFFF, 8.0) is None
