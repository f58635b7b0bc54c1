"""Who is to hear the encode with FEC."""

from __future__ import annotations

from mixdown.mcu.engine.loss_watch import CALM_REPORTS, LossWatch


def test_who_loses_packets_is_protected_until_he_has_lost_none_for_a_while():
    watch = LossWatch()
    watch.report("a", 0.019)
    assert not watch.protected
    watch.report("a", 0.03)
    assert watch.protected == {"a"}
    for _ in range(3):
        for _ in range(CALM_REPORTS - 1):
            watch.report("a", 0.0)
        watch.report("a", 0.015)
    assert watch.protected == {"a"}
    for _ in range(CALM_REPORTS):
        watch.report("a", 0.01)
    assert not watch.protected


def test_who_leaves_is_forgotten():
    watch = LossWatch()
    watch.report("a", 0.5)
    watch.report("b", 0.5)
    watch.forget("a")
    watch.forget("nobody")
    assert watch.protected == {"b"}
