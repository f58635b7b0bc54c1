"""What the mono codecs of the telephone share: rates, priming, and a plain concealment."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mixdown.codecs.resample import Decimator, Interpolator
from mixdown.mixer.media import SAMPLE_RATE, Samples

FADE_PER_BLOCK = 0.5
MAX_BYTES = 960
"120 ms at 64 kbit/s: longer packets are refused."


class TelephoneEncoder:
    """48 kHz stereo to mono int16 at `rate`; a codec says what becomes of it."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._decimator = Decimator(SAMPLE_RATE // rate)

    def narrow(self, samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """float32 (n, 2) to int16 (n * rate / 48000,), clipped."""
        mono = self._decimator.process(samples)
        return np.asarray(np.clip(np.rint(mono * 32767), -32768, 32767), np.int16)

    def encode(self, samples: Samples) -> bytes:
        raise NotImplementedError

    def prime(self, blocks: Iterable[Samples]) -> None:
        """Start anew as if these blocks had been sent."""
        self._decimator = Decimator(SAMPLE_RATE // self._rate)
        for block in blocks:
            self.encode(block)

    def close(self) -> None:
        """Nothing to free."""


class TelephoneDecoder:
    """Mono int16 at `rate` to 48 kHz stereo. What is lost is the last packet to and fro, fading."""

    def __init__(self, rate: int) -> None:
        self._interpolator = Interpolator(SAMPLE_RATE // rate)
        self._last: Samples = np.zeros(rate // 50, np.float32)

    def widen(self, pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Samples:
        """int16 (n,) to float32 (n * 48000 / rate, 2)."""
        self._last = pcm.astype(np.float32) / np.float32(32768)
        return self._interpolator.process(self._last)

    def conceal(self, n: int) -> Samples:
        """n samples or a few more."""
        parts: list[Samples] = []
        while sum(map(len, parts)) < n:
            fade = np.linspace(1, FADE_PER_BLOCK, len(self._last), dtype=np.float32)
            self._last = self._last[::-1] * fade
            parts.append(self._interpolator.process(self._last))
        return np.concatenate(parts)[:n]

    def decode_fec(self, following: bytes, n: int) -> Samples:
        """There is no FEC in these codecs."""
        return self.conceal(n)

    def close(self) -> None:
        """Nothing to free."""
