"""What is drawn around and instead of pictures: name labels, initials cards, borders. Each is made once and kept."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mixdown.mixer import fonts, text
from mixdown.mixer.media import Plane, Size
from mixdown.mixer.picture import Yuv, yuv_of_hex
from mixdown.mixer.sprites import Sprite, frame_corner, sprite

SPEAKING = yuv_of_hex("#2ee07f")
CARD = yuv_of_hex("#222933")
_CARD_RGB = (0x22, 0x29, 0x33)
_INK = (255, 255, 255)
_LABEL_BOX = (10, 14, 20, 165)
HAND = "\u270b\ufe0f"
PALETTE = (
    *("#3f7de8", "#0f9d8a", "#7b61d9", "#c2517f", "#c8732b", "#3d8f4f"),
    *("#5569c9", "#a6549f", "#2d8fb3", "#b5574a", "#7a8a2f", "#a17b22"),
)
_SMOOTH = 4
"Shapes are drawn this much larger and scaled down, for smooth edges."


@dataclass(frozen=True, slots=True, eq=False)
class Disc:
    """The middle of an initials card, opaque. y: uint8 (side, side); chroma: uint8 (2, side / 2, side / 2)."""

    y: Plane
    chroma: Plane


@dataclass(frozen=True, slots=True)
class Style:
    """Measures that follow the canvas, even pixels."""

    radius: int
    border: int
    outside: Yuv

    @classmethod
    def of(cls, canvas: Size, background: str) -> Style:
        """1280x720: corners of 12, borders of 4 pixels. Raises ValueError if background is not `#rrggbb`."""
        shorter = min(canvas.width, canvas.height)
        return cls(max(4, 2 * round(shorter / 120)), max(2, 2 * round(shorter / 360)), yuv_of_hex(background))


@lru_cache(maxsize=64)
def corner(radius: int, border: int, outside: Yuv, line: Yuv) -> Sprite:
    """See `frame_corner`."""
    return frame_corner(radius, border, outside, line)


def label(name: str, tile: Size, *, hand: bool = False) -> Sprite | None:
    """The name in a dark box for the lower left corner of a tile, or None if it has no place or nothing to say."""
    wanted = f"{HAND} {name}" if hand else name
    return _label(wanted[: 4 * text.MAX_CHARACTERS], _label_size(tile), tile.width - 2 * margin(tile))


def margin(tile: Size) -> int:
    """Between the label and the tile's edges, even pixels."""
    return min(12, max(4, 2 * round(min(tile.width, tile.height) / 44)))


def _label_size(tile: Size) -> int:
    """Font pixels: 14 in a tile 174 high, 24 at most; 0 in tiles that are too low for a label."""
    return min(24, max(10, round(0.03 * tile.height + 9))) if tile.height >= 48 else 0


@lru_cache(maxsize=256)
def _label(name: str, size: int, limit: int) -> Sprite | None:
    pad = round(size * 0.55)
    shown = text.shortened(text.clean(name), size, limit - 2 * pad) if size else ""
    if not shown:
        return None
    line = text.draw(shown, size, _INK)
    box = Size(_even_up(line.width + 2 * pad), _even_up(line.height + size // 3))
    image = _rounded(box, box.height // 3, _LABEL_BOX)
    image.alpha_composite(line, (pad, (box.height - line.height) // 2))
    return sprite(np.asarray(image))


def _rounded(size: Size, radius: int, colour: tuple[int, int, int, int]) -> Image.Image:
    """A box with round corners on transparent ground of the same colour, so that its edges do not darken."""
    mask = Image.new("L", (size.width * _SMOOTH, size.height * _SMOOTH))
    edge = (mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(((0, 0), edge), radius * _SMOOTH, fill=colour[3])
    image = Image.new("RGBA", (size.width, size.height), colour)
    image.putalpha(mask.resize(image.size, Image.Resampling.BOX))
    return image


def disc(participant: str, name: str, tile: Size) -> Disc:
    """Initials in a disc for the middle of a card. Its colour is the participant's, the same in every run."""
    side = max(2, 2 * round(min(tile.width, tile.height) * 0.42 / 2))
    return _disc(PALETTE[zlib.crc32(participant.encode()) % len(PALETTE)], text.initials(name), side)


@lru_cache(maxsize=128)
def _disc(colour: str, letters: str, side: int) -> Disc:
    big = Image.new("RGB", (side * _SMOOTH, side * _SMOOTH), _CARD_RGB)
    pen = ImageDraw.Draw(big)
    pen.ellipse((0, 0, big.width - 1, big.height - 1), fill=colour)
    if not letters:
        _somebody(pen, big.width)
    image = big.resize((side, side), Image.Resampling.BOX).convert("RGBA")
    if letters and side >= 16:
        _centre(image, letters, side)
    drawn = sprite(np.asarray(image))
    return Disc((drawn.add >> 8).astype(np.uint8), (drawn.chroma_add >> 8).astype(np.uint8))


def _centre(image: Image.Image, letters: str, side: int) -> None:
    """By the ink, not by the line: letters without descenders would sit too high."""
    line = text.draw(letters, round(side * (0.40 if len(letters) > 1 else 0.46)), _INK)
    if ink := line.getchannel("A").getbbox():
        line = line.crop(ink)
        line.thumbnail((round(side * 0.8), round(side * 0.7)))
        image.alpha_composite(line, ((side - line.width) // 2, (side - line.height) // 2))


def _somebody(pen: ImageDraw.ImageDraw, side: int) -> None:
    """Head and shoulders, for who has no name."""
    pen.circle((side / 2, side * 0.40), side * 0.16, fill=_INK)
    pen.pieslice((side * 0.22, side * 0.60, side * 0.78, side * 1.16), 180, 360, fill=_INK)


def _even_up(value: int) -> int:
    return value + (value & 1)


def fonts_available() -> dict[str, str | bool | int]:
    """For `mixdown doctor`, and to have the fonts read before the first tick needs them."""
    chain = fonts.faces()
    return {
        "text": Path(chain[0].path).name if chain[0].path else "built in",
        "faces": len(chain) - 1,
        "unreadable": len(fonts.skipped),
        "shaping": text.shaping(),
        "chinese": any("中" in face.coverage for face in chain),
        "arabic": any("ع" in face.coverage for face in chain),
        "emoji": any(face.emoji for face in chain),
    }
