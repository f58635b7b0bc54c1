"""One direction of one cable. Pure: `now` is an argument; times are seconds.

A packet's fate is drawn from seed and index alone: every packet that the conditions match takes the same number of
draws, whatever the conditions are, so that two runs with one seed lose the same packets.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from support.network.conditions import CLEAN, Conditions

DOUBLE_AFTER = 0.001


@dataclass(slots=True)
class LinkCounters:
    """matched: those that the dice were thrown for. dropped: what the queue had no room for."""

    packets: int = 0
    bytes: int = 0
    matched: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    dropped: int = 0
    blacked_out: int = 0


class Link:
    def __init__(self, seed: int, conditions: Conditions = CLEAN) -> None:
        self.conditions = conditions
        self.counters = LinkCounters()
        self._seed = seed
        self._dice = random.Random(seed)
        self._others = random.Random(seed + 1)
        self._bad = False
        self._free = 0.0
        self._last = 0.0

    def reseed(self) -> None:
        """Index 0 again: for a measurement that begins now."""
        self._dice = random.Random(self._seed)
        self._bad = False

    def offer(self, size: int, matched: bool, now: float) -> tuple[float, ...]:
        """When a packet of `size` bytes arrives: never, once, or twice. matched: by conditions.match."""
        counters, conditions = self.counters, self.conditions
        counters.packets += 1
        counters.bytes += size
        doubled = reordered = lost = False
        if matched:
            counters.matched += 1
            dice = self._dice.random
            lost, doubled, reordered = self._lost(dice()), dice() < conditions.duplicate, dice() < conditions.reorder
            late = dice() * conditions.jitter
        else:
            late = self._others.random() * conditions.jitter
        if conditions.blackout:
            counters.blacked_out += 1
            return ()
        if lost:
            counters.lost += 1
            return ()
        left = self._queued(size, now)
        if left is None:
            counters.dropped += 1
            return ()
        return self._arrivals(left + conditions.delay + late, doubled, reordered)

    def _lost(self, draw: float) -> bool:
        """By itself, or by a Gilbert channel: in the bad state every packet is lost."""
        loss, burst = self.conditions.loss, self.conditions.burst
        if burst is None or loss >= 1:
            return draw < loss
        to_good = 1 / burst
        to_bad = loss * to_good / (1 - loss)
        self._bad = draw >= to_good if self._bad else draw < to_bad
        return self._bad

    def _queued(self, size: int, now: float) -> float | None:
        """When its last bit is on the cable; None if the queue is full."""
        rate = self.conditions.rate
        if not rate:
            return now
        start = max(now, self._free)
        if start - now > self.conditions.queue:
            return None
        self._free = start + size * 8 / rate
        return self._free

    def _arrivals(self, due: float, doubled: bool, reordered: bool) -> tuple[float, ...]:
        if reordered:
            self.counters.reordered += 1
            due += self.conditions.reorder_by
        else:
            self._last = due = max(due, self._last)
        if doubled:
            self.counters.doubled += 1
            return due, due + DOUBLE_AFTER
        return (due,)
