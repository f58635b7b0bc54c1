"""The emulator's statistics, on simulated time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from support.network.conditions import CLEAN, Conditions, Match, parse_conditions
from support.network.link import Link
from support.network.packets import destination, matches, source

COUNT = 100_000


def fates(seed: int, count: int = COUNT, **conditions: Any) -> list[tuple[float, ...]]:
    """Of packets of 1000 bytes, 1 ms apart."""
    link = Link(seed, Conditions(**conditions))
    return [link.offer(1000, True, n / 1000) for n in range(count)]


def lost_runs(found: list[tuple[float, ...]]) -> list[int]:
    return [len(list(run)) for lost, run in itertools.groupby(found, lambda fate: not fate) if lost]


def test_a_clean_link_delivers_at_once_and_in_order() -> None:
    assert fates(1, 100) == [(n / 1000,) for n in range(100)]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_loss_is_the_share_that_was_asked_for(share: float) -> None:
    lost = sum(not fate for fate in fates(3, loss=share))
    assert lost / COUNT == pytest.approx(share, rel=0.1)


@pytest.mark.parametrize("burst", [1.0, 3.0, 8.0])
def test_bursts_are_as_long_as_asked_for_and_cost_the_same_share(burst: float) -> None:
    runs = lost_runs(fates(3, loss=0.05, burst=burst))
    assert sum(runs) / len(runs) == pytest.approx(burst, rel=0.1)
    assert sum(runs) / COUNT == pytest.approx(0.05, rel=0.15)


def test_single_losses_come_in_runs_of_one_almost_always() -> None:
    runs = lost_runs(fates(5, loss=0.02))
    assert sum(run == 1 for run in runs) / len(runs) > 0.95


def test_one_seed_one_fate_and_another_seed_another() -> None:
    assert fates(7, loss=0.05, jitter=0.01) == fates(7, loss=0.05, jitter=0.01)
    assert fates(7, loss=0.05) != fates(8, loss=0.05)


def test_a_fate_does_not_depend_on_when_packets_come_or_how_large_they_are() -> None:
    slow, fast = Link(9, Conditions(loss=0.1)), Link(9, Conditions(loss=0.1))
    assert [bool(slow.offer(1200, True, n)) for n in range(1000)] == [
        bool(fast.offer(80, True, n / 1e4)) for n in range(1000)
    ]


def test_other_conditions_and_unmatched_packets_do_not_move_the_dice() -> None:
    plain, rich = Link(9, Conditions(loss=0.1)), Link(9, Conditions(loss=0.1, duplicate=0.2, reorder=0.2, jitter=0.05))
    for n in range(1000):
        if n % 3 == 0:
            assert rich.offer(60, False, n)
        assert bool(plain.offer(1000, True, n)) == bool(rich.offer(1000, True, n))


def test_reseeded_it_begins_again() -> None:
    link = Link(4, Conditions(loss=0.1))
    first = [bool(link.offer(1000, True, n)) for n in range(500)]
    link.reseed()
    assert [bool(link.offer(1000, True, n)) for n in range(500)] == first


def test_jitter_delays_within_its_bounds_and_keeps_the_order() -> None:
    due = [fate[0] for fate in fates(2, delay=0.025, jitter=0.01)]
    late = [at - n / 1000 for n, at in enumerate(due)]
    assert min(late) >= 0.025
    assert max(late) <= 0.035
    assert due == sorted(due)


def test_reordered_packets_are_overtaken() -> None:
    due = [fate[0] for fate in fates(2, delay=0.01, reorder=0.1, reorder_by=0.005)]
    early = sum(later < at for at, later in itertools.pairwise(due))
    assert early / COUNT == pytest.approx(0.1 * 0.9, rel=0.15)


def test_doubled_packets_come_twice() -> None:
    found = fates(2, duplicate=0.05)
    assert sum(len(fate) == 2 for fate in found) / COUNT == pytest.approx(0.05, rel=0.15)


def test_a_rate_limit_passes_that_rate_queues_up_to_its_bound_and_drops_the_tail() -> None:
    """8 Mb/s into 2 Mb/s."""
    found = fates(1, rate=2e6, queue=0.1)
    passed = [(n, fate[0]) for n, fate in enumerate(found) if fate]
    assert len(passed) * 8000 / (COUNT / 1000) == pytest.approx(2e6, rel=0.02)
    assert max(at - n / 1000 for n, at in passed) <= 0.1 + 8000 / 2e6 + 1e-9
    assert all(found[n] for n in range(30))


def test_a_queue_that_had_time_is_empty_again() -> None:
    link = Link(1, Conditions(rate=1e6))
    for _ in range(10):
        link.offer(1000, True, 0.0)
    assert link.offer(1000, True, 10.0) == (10.008,)


def test_nothing_passes_a_blackout_whatever_it_is() -> None:
    link = Link(1, Conditions(blackout=True))
    assert link.offer(1000, True, 0.0) == link.offer(60, False, 0.0) == ()
    assert link.counters.blacked_out == 2


def test_everything_is_counted() -> None:
    link = Link(6, Conditions(loss=0.1, duplicate=0.1, reorder=0.1, rate=4e6, queue=0.05))
    arrived = [link.offer(1000, True, n / 1000) for n in range(2000)]
    counters = link.counters
    assert counters.packets == counters.matched == 2000
    assert counters.bytes == 2_000_000
    assert counters.lost + counters.dropped == sum(not fate for fate in arrived)
    assert counters.doubled == sum(len(fate) == 2 for fate in arrived)


def test_conditions_survive_json_and_refuse_nonsense() -> None:
    some = Conditions(loss=0.1, burst=3.0, match=Match.MEDIA)
    assert parse_conditions(some.as_json()) == some
    assert parse_conditions({}) == CLEAN
    for wrong in ({"loss": 2}, {"delay": -1}, {"burst": 0.5}, {"match": "tcp"}):
        with pytest.raises(ValueError):
            parse_conditions(wrong)
    with pytest.raises(TypeError):
        parse_conditions({"los": 0.1})


def ipv4(protocol: int, payload: bytes) -> bytes:
    header = bytes([0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
    return header + (bytes(8) if protocol == 17 else bytes(20)) + payload


@pytest.mark.parametrize(
    ("packet", "matched"),
    [
        (ipv4(17, b"\x80rtp"), {Match.ALL, Match.UDP, Match.MEDIA}),
        (ipv4(17, b"\x00stun"), {Match.ALL, Match.UDP}),
        (ipv4(17, b"\x16dtls"), {Match.ALL, Match.UDP}),
        (ipv4(17, b""), {Match.ALL, Match.UDP}),
        (ipv4(6, b"\x80tcp"), {Match.ALL}),
    ],
)
def test_what_a_packet_is(packet: bytes, matched: set[Match]) -> None:
    assert {match for match in Match if matches(packet, match)} == matched


def test_addresses() -> None:
    assert (source(ipv4(17, b"")), destination(ipv4(17, b""))) == (b"\x0a\0\0\x01", b"\x0a\0\0\x02")
    assert destination(b"\x60" + bytes(39)) == destination(b"") == b""
