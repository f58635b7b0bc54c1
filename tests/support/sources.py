"""What each test client sends: four flat colours of its own, a frame counter, and a tone of its own.

The counter stands in the middle band of the picture, where no name, border or cut is: 12 cells, white for a one.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

Rgb = tuple[int, int, int]

QUADRANTS = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
"Centres of the four colours, as fractions of the picture."
COUNTER_BITS = 12
COUNTER_BAND = (0.46, 0.54)
"Top and bottom of the counter, as fractions of the height."

TONES = (430, 910, 1490, 2210, 670, 1270, 1850, 2570, 530, 1090, 1610, 2390, 790, 2030, 2870, 3010, 3190, 3370)
"Hz; none is a harmonic of another within 20 Hz, and the first few are far apart."


@dataclass(frozen=True, slots=True)
class Source:
    """colours: of the quadrants, in the order of QUADRANTS; tone: Hz."""

    name: str
    colours: tuple[Rgb, Rgb, Rgb, Rgb]
    tone: int
    width: int = 640
    height: int = 360
    fps: int = 30
    amplitude: float = 0.2
    """Of the tone, full scale is 1; four at once stay under a limiter's threshold."""
    fake_microphone: bool = False
    """The browser's own fake microphone gives the tone."""
    moving: bool = False
    """Noisy texture that moves, instead of flat colours, and a tone that comes and goes like syllables: as much to
    encode as a camera gives. The counter is there all the same."""

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "colours": [list(colour) for colour in self.colours],
            "tone": self.tone,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "amplitude": self.amplitude,
            "band": list(COUNTER_BAND),
            "bits": COUNTER_BITS,
            "fake_microphone": self.fake_microphone,
            "moving": self.moving,
        }


def source(n: int, name: str | None = None) -> Source:
    """The n-th of a family in which no two clients share a colour in the same quadrant, or a tone."""
    colours = [_colour(n, quadrant) for quadrant in range(4)]
    return Source(name or f"Client {n}", (colours[0], colours[1], colours[2], colours[3]), TONES[n % len(TONES)])


def _colour(n: int, quadrant: int) -> Rgb:
    """Hues by the golden ratio within a quadrant, so that neighbours in n are far apart; quadrants a quarter apart."""
    hue = (n * 0.618034 + quadrant * 0.25) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.72, 0.82)
    return round(red * 255), round(green * 255), round(blue * 255)
