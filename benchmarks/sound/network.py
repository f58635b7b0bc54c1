"""The way of a packet on simulated time: when each of a steady stream's packets arrives, or that it does not."""

from __future__ import annotations

import random
from collections.abc import Sequence

PACKET = 0.02
WAY = 0.02
"Seconds that the fastest packet is under way."

Arrivals = list[tuple[float, int]]
"(when, which packet), in the order of arrival."


def clean(dice: random.Random, count: int, ppm: float = 0.0, *, hiccups: bool = True) -> Arrivals:
    """A wired call: 2 ms of jitter. ppm: the sender's clock. hiccups: now and then a packet is 5 to 15 ms late."""
    phase = dice.uniform(0, PACKET)
    arrivals = []
    for n in range(count):
        late = abs(dice.gauss(0, 0.002))
        if hiccups and dice.random() < 0.02:
            late += dice.uniform(0.005, 0.015)
        arrivals.append((phase + n * PACKET / (1 + ppm * 1e-6) + WAY + late, n))
    return in_order(arrivals)


def scattered(dice: random.Random, count: int, sigma: float, queue: bool) -> Arrivals:
    """Delays of a half normal distribution. queue: packets cannot overtake each other, else they may."""
    arrivals = [(n * PACKET + WAY + abs(dice.gauss(0, sigma)), n) for n in range(count)]
    return in_order(arrivals) if queue else sorted(arrivals)


def in_order(arrivals: Sequence[tuple[float, int]]) -> Arrivals:
    ordered: Arrivals = []
    for at, n in arrivals:
        ordered.append((max(at, ordered[-1][0]) if ordered else at, n))
    return ordered


def spiked(arrivals: Arrivals, start: float, seconds: float) -> Arrivals:
    """Nothing gets through from `start` on for so long; then all of it at once."""
    return sorted((max(at, start + seconds) if start <= at < start + seconds else at, n) for at, n in arrivals)


def bursty_loss(dice: random.Random, count: int, share: float, burst: float) -> set[int]:
    """Packets lost by a Gilbert channel: each is lost with probability `share`, in runs of `burst` on average. As they
    fall: a draw may lose more or less than its share."""
    to_good = 1 / burst
    to_bad = share * to_good / (1 - share)
    lost, bad = set(), False
    for n in range(count):
        bad = dice.random() >= to_good if bad else dice.random() < to_bad
        if bad:
            lost.add(n)
    return lost
