"""The steps of a view's quality."""

from __future__ import annotations

from mixdown.codecs.encoded import Tier, TierName
from mixdown.mcu.link.messages import Canvas

REFERENCE = 1280 * 720 * 30
"Pixels a second of the canvas that the rates below are for."
LOW_FPS = 15
SMALLEST = 16
"Pixels; no encoder is asked for less."

RATES = {TierName.FULL: (1500, 250, 4000), TierName.MEDIUM: (700, 150, 2000), TierName.LOW: (200, 100, 600)}
"kb/s of video at the reference canvas, least, most. In between they follow the pixels a second."
DIVISORS = {TierName.FULL: 1, TierName.MEDIUM: 2, TierName.LOW: 4}


def tier_of(canvas: Canvas, name: TierName) -> Tier:
    """The named step of a canvas; even sizes. name: not AUDIO (KeyError)."""
    divisor = DIVISORS[name]
    rate, least, most = RATES[name]
    scale = canvas.width * canvas.height * canvas.fps / REFERENCE
    return Tier(
        name=name,
        width=_even(canvas.width // divisor),
        height=_even(canvas.height // divisor),
        fps=min(canvas.fps, LOW_FPS) if name is TierName.LOW else canvas.fps,
        kbps=round(min(most, max(least, rate * scale))),
    )


def rates_of(canvas: Canvas) -> tuple[int, ...]:
    """kb/s of video at each step of a canvas, best first."""
    return tuple(tier_of(canvas, name).kbps for name in DIVISORS)


def frame_number(tick: int, canvas_fps: int, tier_fps: int) -> int:
    """Which frame of a tier a canvas's tick belongs to; a tick with the number of the one before is left out."""
    return tick * tier_fps // canvas_fps


def _even(length: int) -> int:
    return max(SMALLEST, length // 2 * 2)
