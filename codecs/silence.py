"""A source that says of itself that it is silent (RFC 6464) need not be decoded: nobody would hear it.

In a room of 64 with three talking, decoding the others' silence is more work than all the rest of the sound.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from mixdown.codecs.encoded import EncodedFrame
from mixdown.mixer.media import CHANNELS, Samples

SILENT = 78
"-dBov: 12 dB, the most that a moderator may add, under the level at which a source is let go from the mix (-66 dBov)."
ASLEEP_AFTER = 50
"Packets in a row that say so, usually 20 ms each: a second, twice what a source is still held in the mix."
CHECK_EVERY = 50
"Packets of which one is decoded all the same, to see whether it is true."
KEPT = 3
"Packets, the latest, that a decoder is given before the first that is heard again: it goes by what came before."
LOUDEST = 10.0 ** (-54 / 20)
"Peak of what is still silence: noise of -66 dBov has peaks 12 dB over that."
NOTHING: Samples = np.zeros((5760, CHANNELS), np.float32)
"As long as the longest packet, 120 ms. Not to be written to."
NOTHING.setflags(write=False)


class SaidSilence:
    """Not thread-safe. A sender whose sound does not agree with what it says is not believed any more."""

    def __init__(self) -> None:
        self._said = 0
        "Packets in a row."
        self._believed = True
        self._kept: deque[bytes] = deque(maxlen=KEPT)

    def skips(self, frame: EncodedFrame) -> bool:
        """Whether this packet, the next to be played, is not to be decoded. A copy of a lost one carries no level."""
        if not self._believed:
            return False
        asleep = self._said >= ASLEEP_AFTER
        if frame.level is None:
            if not (asleep and frame.redundant):
                self._said = 0
                return False
        elif frame.level < SILENT:
            self._said = 0
            return False
        self._said += 1
        if not asleep or self._said % CHECK_EVERY == 0:
            return False
        self._kept.append(frame.data)
        return True

    def set_aside(self, frame: EncodedFrame) -> bool:
        """Whether a packet that is not silent, but heard by nobody, is not to be decoded either: only where the source
        says how loud it is, so that it can be heard again."""
        if frame.level is None and not frame.redundant:
            return False
        self._kept.append(frame.data)
        return True

    def wake(self) -> list[bytes]:
        """What the decoder is to be given before the packet that is decoded now; its sound is thrown away."""
        if not self._kept:
            return []
        kept = list(self._kept)
        self._kept.clear()
        return kept

    def heard(self, samples: Samples) -> None:
        """What a packet that was not skipped sounds like."""
        if self._said >= ASLEEP_AFTER and self._believed:
            peak = float(np.abs(samples).max(initial=0.0))
            self._believed = peak <= LOUDEST
