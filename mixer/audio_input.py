"""A source's decoded sound on its way into the mix: packets of any length in, blocks of 20 ms out.

Two clocks meet here. A source that sends a little too fast or too slow is played a little faster or slower, by up to
1 %, so that nothing is ever dropped or repeated. Every block takes a whole number of input samples. Where the delay is
off by more, because the network changed, a piece that repeats itself is left out or played twice (see time_scale.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from mixdown.mixer import time_scale
from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, Samples

MAX_STRETCH = 9
"Input samples that a block may take more or less than 960: 0.94 %, a sixth of a semitone."
CAPACITY = 12_000
"250 ms: two packets of 120 ms. Over it the oldest samples are dropped and counted."


class AudioRing:
    """float32 (n, 2) at 48 kHz. Not thread-safe."""

    def __init__(self) -> None:
        self._parts: deque[Samples] = deque()
        self.length = 0
        "Samples waiting."
        self._before: Samples = np.zeros((1, CHANNELS), np.float32)
        "What went out last; only its last sample counts."
        self.dropped = 0
        "Samples dropped because nobody pulled."

    def __len__(self) -> int:
        """Samples waiting."""
        return self.length

    def push(self, samples: Samples) -> None:
        """Append float32 (n, 2), which is not written to again."""
        self._parts.append(samples)
        self.length += len(samples)
        if self.length > CAPACITY:
            self.dropped += self.length - CAPACITY
            self._take(self.length - CAPACITY)

    def pull(self, take: int = BLOCK_SAMPLES) -> Samples | None:
        """One block of (960, 2) made of `take` input samples, 951 .. 969; None if there are fewer."""
        if abs(take - BLOCK_SAMPLES) > MAX_STRETCH:
            raise ValueError(f"a block of {BLOCK_SAMPLES} samples cannot be made of {take}")
        if self.length < take:
            return None
        before = self._before
        block = self._take(take)
        self._before = block
        if take == BLOCK_SAMPLES:
            return block
        return _stretched(before[-1:], block, self._ahead(block))

    def shorten(self, likeness: float, longest: int = time_scale.MAX_LAG) -> Samples | None:
        """A block that uses up 120 to `longest` samples more than it lasts. None: too little is waiting, or it does not
        repeat itself; likeness, longest: as in time_scale."""
        return self._scaled(BLOCK_SAMPLES + longest, partial(time_scale.shorten, likeness=likeness, longest=longest))

    def lengthen(self, likeness: float, longest: int = time_scale.MAX_LAG) -> Samples | None:
        """A block that uses up 120 to `longest` samples less than it lasts; or None."""
        return self._scaled(BLOCK_SAMPLES, partial(time_scale.lengthen, likeness=likeness, longest=longest))

    def _scaled(self, needed: int, scale: Callable[[Samples], time_scale.Scaled | None]) -> Samples | None:
        if self.length < needed:
            return None
        waiting = self._take(needed)
        scaled = scale(waiting)
        left = waiting if scaled is None else waiting[scaled.used :]
        self._parts.appendleft(left)
        self.length += len(left)
        if scaled is None:
            return None
        self._before = scaled.block
        return scaled.block

    def clear(self) -> None:
        """Forget what is waiting."""
        self._parts.clear()
        self.length = 0
        self._before = np.zeros((1, CHANNELS), np.float32)

    def _take(self, count: int) -> Samples:
        self.length -= count
        if self._parts and len(self._parts[0]) == count:
            return self._parts.popleft()
        parts: list[Samples] = []
        while count:
            part = self._parts.popleft()
            if len(part) > count:
                self._parts.appendleft(part[count:])
                part = part[:count]
            count -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _ahead(self, block: Samples) -> Samples:
        """The two samples after the block: real ones if they are there already, else on in a straight line."""
        ahead = np.concatenate([part[:2] for part in self._parts][:2] or [block[:0]])[:2]
        slope = block[-1:] - block[-2:-1]
        line = np.concatenate((block[-1:] + slope, block[-1:] + slope))
        return np.concatenate((ahead, line[len(ahead) :]))


def _stretched(before: Samples, block: Samples, ahead: Samples) -> Samples:
    """Cubic (Catmull-Rom) interpolation of `block` to (960, 2); its neighbours are one sample before, two after."""
    index, weights = _places(len(block))
    # Both channels of a sample in one complex number: a fifth of the time that taking rows of two needs.
    line = np.concatenate((before, block, ahead)).view(np.complex64)[:, 0]
    cubic = weights[0] * line.take(index)
    for offset in (1, 2, 3):
        cubic += weights[offset] * line[offset:].take(index)
    return np.asarray(cubic.view(np.float32).reshape(BLOCK_SAMPLES, CHANNELS))


@lru_cache(2 * MAX_STRETCH)
def _places(count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Where in `count` samples the 960 of a block lie, (960,), and the weights of the four around each, (4, 960)."""
    at = np.arange(BLOCK_SAMPLES) * (count / BLOCK_SAMPLES)
    index = at.astype(np.intp)
    x = at - index
    weights = (-x + 2 * x**2 - x**3, 2 - 5 * x**2 + 3 * x**3, x + 4 * x**2 - 3 * x**3, x**3 - x**2)
    return index, (0.5 * np.stack(weights)).astype(np.float32)
