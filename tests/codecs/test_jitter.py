"""The jitter buffer on a simulated network: who gets what, when, and how late."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import dropwhile, pairwise

import pytest

from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.jitter import EMPTY, MAX_PACKETS, JitterBuffer, Lost


def frame(n: int, *, epoch: int = 0, time: int | None = None) -> EncodedFrame:
    """Packet n of a source that sends 20 ms in each."""
    return EncodedFrame("s", epoch, CodecId.OPUS, n, n, n * 960 if time is None else time, n.to_bytes(4, "big"))


def buffer() -> JitterBuffer:
    return JitterBuffer(48_000, lambda packet: 960)


def simulate(arrivals: list[tuple[float, EncodedFrame]], ticks: int, jitter: JitterBuffer | None = None) -> list[str]:
    """One pull every 20 ms from 0 on; what came: the packet's number, 'lost', 'fec' or '.'."""
    jitter = buffer() if jitter is None else jitter
    waiting = sorted(arrivals, key=lambda a: a[0])
    out = []
    for tick in range(ticks):
        now = tick * 0.02
        while waiting and waiting[0][0] <= now:
            at, packet = waiting.pop(0)
            jitter.push(packet, at)
        item = jitter.pull(now)
        if isinstance(item, Lost):
            out.append("fec" if item.following else "lost")
        else:
            out.append("." if item is EMPTY else str(item.sequence))
    return out


def first_run(out: list[str]) -> list[str]:
    """What comes after the first dots."""
    return list(dropwhile(lambda item: item == ".", out))


def numbers(out: list[str]) -> list[int]:
    return [int(item) for item in out if item.isdigit()]


def test_a_steady_stream_is_played_two_ticks_late_and_without_a_gap():
    out = simulate([(0.001 + n * 0.02, frame(n)) for n in range(50)], 50)
    assert out[:2] == [".", "."] and out[2:] == [str(n) for n in range(48)]


def test_reordered_packets_are_put_in_order():
    arrivals = [(0.001 + n * 0.02 + (0.022 if n % 4 == 1 else 0), frame(n)) for n in range(50)]
    assert simulate(arrivals, 50)[2:] == [str(n) for n in range(48)]


def test_a_lost_packet_is_told_when_its_time_comes_with_the_next_one_for_fec():
    jitter = buffer()
    out = simulate([(0.001 + n * 0.02, frame(n)) for n in range(30) if n not in (10, 15, 16)], 30, jitter)
    assert out[12] == "fec" and out[17:19] == [".", "fec"]
    assert numbers(out) == [n for n in range(28) if n not in (10, 15, 16)]
    assert jitter.counters.lost == 3


def test_silence_of_the_sender_is_no_loss():
    """DTX: the sequence goes on, the time jumps (RFC 7587, 3.1.3). What comes after it is played in time again."""
    packets = [(n, n) for n in range(20)] + [(20 + n, 40 + n) for n in range(20)]
    arrivals = [(0.001 + at * 0.02, frame(n, time=at * 960)) for n, at in packets]
    out = simulate(arrivals, 63)
    assert out[2:22] == [str(n) for n in range(20)]
    assert set(out[22:41]) == {"."}
    assert 41 <= out.index("20") <= 43 and "lost" not in out and "fec" not in out
    assert numbers(out) == list(range(40))[: len(numbers(out))]


def test_duplicates_and_latecomers_are_counted_and_not_played():
    jitter = buffer()
    arrivals = [(0.001 + n * 0.02, frame(n)) for n in range(30)]
    arrivals += [(0.105, frame(5)), (0.205, frame(10)), (0.9, frame(12))]
    out = simulate([a for a in arrivals if a != (0.241, frame(12))], 30, jitter)
    assert Counter(numbers(out)).most_common(1)[0][1] == 1
    assert jitter.counters.duplicate == 2
    jitter.push(frame(3), 0.6)
    assert jitter.counters.late == 1


@pytest.mark.parametrize("spread", [0.0, 0.03, 0.08, 0.15])
def test_the_target_follows_the_jitter(spread):
    jitter, dice = buffer(), random.Random(7)
    arrivals = [(1 + n * 0.02 + dice.uniform(0, spread), frame(n)) for n in range(1500)]
    out = simulate(arrivals, 1500, jitter)
    assert max(0.02, 0.9 * spread) <= jitter.target <= max(0.02, 1.5 * spread + 0.02)
    missed = sum(1 for item in out[700:] if not item.isdigit())
    assert missed <= 0.05 * 800


def test_nothing_is_played_twice_or_backwards_under_loss_jitter_and_reordering():
    for seed in range(20):
        jitter, dice = buffer(), random.Random(seed)
        arrivals = []
        for n in range(500):
            for _ in range(1 + (dice.random() < 0.05)):
                if dice.random() > 0.1:
                    arrivals.append((n * 0.02 + dice.expovariate(1 / 0.02), frame(n)))
        out = simulate(arrivals, 520, jitter)
        played = numbers(out)
        assert all(a < b for a, b in pairwise(played)), seed
        counted = jitter.counters
        assert counted.received == len(played) + counted.late + counted.duplicate + counted.dropped + len(jitter)
        assert len(played) > 380


def test_a_new_epoch_starts_anew_and_the_old_one_is_ignored():
    jitter = buffer()
    arrivals = [(0.001 + n * 0.02, frame(n)) for n in range(20)]
    arrivals += [(0.401 + n * 0.02, frame(n, epoch=1, time=777 + n * 960)) for n in range(20)]
    arrivals += [(0.5, frame(21))]
    out = simulate(arrivals, 43, jitter)
    assert first_run(out[21:])[:20] == [str(n) for n in range(20)]
    assert jitter.counters.anchors == 1 and jitter.counters.stale == 1


@pytest.mark.parametrize("jump", [10_000_000, -5_000_000])
def test_a_jump_in_time_starts_anew(jump):
    jitter = buffer()
    arrivals = [(0.001 + n * 0.02, frame(n, time=10_000_000 + n * 960)) for n in range(20)]
    arrivals += [(0.001 + n * 0.02, frame(n, time=10_000_000 + jump + n * 960)) for n in range(20, 60)]
    out = simulate(arrivals, 60, jitter)
    assert jitter.counters.anchors == 1
    assert first_run(out[21:])[:37] == [str(n) for n in range(20, 57)]


def test_a_full_buffer_passes_over_what_it_drops_and_plays_on():
    """45 packets come at once, more than the buffer holds; then one each tick, so that it stays full."""
    jitter = buffer()
    arrivals = [(0.001 + n * 0.02 if n < 10 else 0.2, frame(n)) for n in range(55)]
    arrivals += [(0.201 + (n - 55) * 0.02, frame(n)) for n in range(55, 155)]
    out = simulate(arrivals, 100, jitter)
    assert jitter.counters.dropped > 5
    assert jitter.counters.lost == 0 and "lost" not in out and "fec" not in out
    assert all(item.isdigit() for item in out[2:]), "something is played in each tick"


def test_after_a_stall_sound_is_not_late_for_good():
    """500 ms without a packet, then all at once: what is too old is dropped, the rest is played in time."""
    arrivals = [(max(0.001 + n * 0.02, 0.9 if 20 <= n < 45 else 0), frame(n)) for n in range(100)]
    jitter = buffer()
    simulate(arrivals, 100, jitter)
    assert jitter.counters.dropped > 5
    assert jitter.slack(99 * 0.02) < 0.12


def test_a_source_that_paused_without_its_clock_starts_anew():
    jitter = buffer()
    arrivals = [(0.001 + n * 0.02 + (0.5 if n >= 20 else 0), frame(n)) for n in range(60)]
    out = simulate(arrivals, 80, jitter)
    assert jitter.counters.anchors == 1 and jitter.counters.dropped == 0
    assert out.index("20") <= 48 and first_run(out[30:])[:30] == [str(n) for n in range(20, 50)]


def test_the_buffer_is_bounded():
    jitter = buffer()
    for n in range(1000):
        jitter.push(frame(n, time=n), 0.0)
        jitter.push(frame(n + 1000, time=n), 0.0)
    assert len(jitter) <= MAX_PACKETS
    for n in range(3000, 3100):
        jitter.push(frame(n), 0.0)
    assert len(jitter) <= 42


# ---- copies of lost packets, out of later ones (RFC 2198) ------------------------------------------------------------


def copy(n: int) -> EncodedFrame:
    return replace(frame(n), redundant=True)


def copied(lost: set[int], count: int) -> list[tuple[float, EncodedFrame]]:
    """Each packet brings a copy of the one before it, if that was lost."""
    came = [n for n in range(count) if n not in lost]
    arrivals = [(0.001 + n * 0.02, frame(n)) for n in came]
    return arrivals + [(0.001 + n * 0.02, copy(n - 1)) for n in came if n - 1 in lost]


def test_a_copy_is_played_in_its_place_and_the_lost_one_before_it_repaired_from_its_fec():
    jitter = buffer()
    jitter.repair = 0.04
    out = simulate(copied({10, 15, 16, 20, 21, 22}, 40), 40, jitter)
    assert first_run(out)[:30] == [
        *(str(n) for n in range(15)), "fec", "16", "17", "18", "19", ".", "fec", "22", *(str(n) for n in range(23, 30)),
    ]  # fmt: skip
    assert jitter.counters.redundant == 3 and jitter.counters.lost == 3


def test_copies_say_nothing_of_the_networks_jitter():
    """A clean network that loses every third packet: each is here at last, 20 ms late, and no more is waited for."""
    jitter, reference = buffer(), buffer()
    lost = set(range(2, 600, 3))
    simulate(copied(lost, 600), 600, jitter)
    simulate([(0.001 + n * 0.02, frame(n)) for n in range(600) if n not in lost], 600, reference)
    assert jitter.target == reference.target and jitter.counters.redundant == 199


def test_a_copy_and_its_packet_are_one():
    jitter = buffer()
    arrivals = [(0.001 + n * 0.02, frame(n)) for n in range(30) if n != 10]
    out = simulate([*arrivals, (0.221, copy(10)), (0.222, frame(10)), (0.421, copy(12))], 30, jitter)
    assert Counter(numbers(out)).most_common(1)[0][1] == 1 and numbers(out) == list(range(28))
    assert jitter.counters.duplicate == 1 and jitter.counters.late == 1


def test_nothing_is_played_twice_or_backwards_with_copies_that_overtake_and_are_overtaken():
    for seed in range(20):
        jitter, dice = buffer(), random.Random(seed)
        jitter.repair = dice.choice((0.0, 0.02, 0.04))
        arrivals = []
        for n in range(1, 500):
            if dice.random() > 0.2:
                at = n * 0.02 + dice.expovariate(1 / 0.01)
                arrivals += [(at, frame(n)), (at, copy(n - 1))]
        out = simulate(arrivals, 520, jitter)
        assert all(a < b for a, b in pairwise(numbers(out))), seed
        assert len(numbers(out)) > 450
