"""Names as pictures: cleaning, initials, runs by font and direction, shaping, the ellipsis."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, features

from mixdown.mixer.fonts import BITMAP_SIZE, Face, face_for, font

MAX_CHARACTERS = 128
"More of a name is never looked at."
_MAX_MARKS = 3
"Combining marks kept on one letter; heaps of them are a prank."
ELLIPSIS = "…"
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_RIGHT_TO_LEFT = frozenset(("R", "AL"))


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one font and direction; level: 0 left to right, 1 right to left, 2 left to right inside such (UAX 9)."""

    text: str
    face: Face
    level: int


def clean(name: str) -> str:
    """One line that can be drawn: NFC, no controls or direction overrides, single spaces, at most 128 characters."""
    kept: list[str] = []
    marks = 0
    for c in unicodedata.normalize("NFC", name[: 4 * MAX_CHARACTERS]):
        category = unicodedata.category(c)
        marks = marks + 1 if category in ("Mn", "Me") and c != _EMOJI_STYLE else 0
        if c.isspace():
            kept.append(" ")
        elif marks <= _MAX_MARKS and (category not in ("Cc", "Cf", "Cs", "Co", "Cn") or c in "\u200c\u200d"):
            kept.append(c)
    text = " ".join("".join(kept).split())
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1].rstrip() + ELLIPSIS


def clusters(text: str) -> list[str]:
    """What must not be cut apart: a letter with its marks, an emoji with its joiners, style and skin tone, a flag."""
    parts: list[str] = []
    for c in text:
        if parts and (_extends(c) or parts[-1][-1] == _JOINER or _flag_is_half(parts[-1], c)):
            parts[-1] += c
        else:
            parts.append(c)
    return parts


def _extends(c: str) -> bool:
    return (
        c in (_JOINER, "\u200c") or "\U0001f3fb" <= c <= "\U0001f3ff" or unicodedata.category(c) in ("Mn", "Me", "Mc")
    )


def _flag_is_half(part: str, c: str) -> bool:
    return all("\U0001f1e6" <= half <= "\U0001f1ff" for half in (part, c)) if len(part) == 1 else False


def initials(name: str) -> str:
    """One or two letters for a card: of the first and last word where letters have case, else the first sign."""
    words = [word.lstrip("([{\"'“‘.-_@#") for word in clean(name).split()]
    firsts = [clusters(word)[0] for word in words if word]
    if not firsts:
        return ""
    cased = [c.upper() for c in firsts if c[0].upper() != c[0].lower()]
    if not cased or firsts[0][0].upper() == firsts[0][0].lower():
        return firsts[0]
    return cased[0] if len(cased) == 1 else cased[0] + cased[-1]


def runs(text: str) -> list[Run]:
    """Cut by font and direction, in the order in which they are drawn from left to right."""
    pieces = clusters(text)
    base = next((level for level in map(_strong, pieces) if level is not None), 0)
    cut: list[Run] = []
    for piece, level in zip(pieces, _levels(pieces, base), strict=True):
        spaced = cut and piece == " " and cut[-1].level == level and not cut[-1].face.emoji
        face = cut[-1].face if spaced else _face(piece)
        if cut and cut[-1].face is face and cut[-1].level == level:
            cut[-1] = Run(cut[-1].text + piece, face, level)
        else:
            cut.append(Run(piece, face, level))
    return _reordered(cut)


def _face(piece: str) -> Face:
    return face_for(piece[0], pictograph=_EMOJI_STYLE in piece)


def _strong(piece: str) -> int | None:
    """1 for a right-to-left letter, 0 for a left-to-right one, None for what has no direction of its own."""
    kind = unicodedata.bidirectional(piece[0])
    return 1 if kind in _RIGHT_TO_LEFT else 0 if kind in ("L", "EN", "AN") else None


def _levels(pieces: list[str], base: int) -> Iterator[int]:
    """Neutral signs take the direction that both their neighbours have, else the name's (UAX 9, N1 and N2)."""
    strong = [_strong(piece) for piece in pieces]
    before: int | None = base
    for i, own in enumerate(strong):
        after = next((s for s in strong[i + 1 :] if s is not None), base) if own is None else own
        side = own if own is not None else before if before == after else base
        before = side if own is not None else before
        yield 1 if side == 1 else 2 * base


def _reordered(cut: list[Run]) -> list[Run]:
    """UAX 9, L2: from the highest level down, every stretch of at least that level is turned round."""
    for level in range(max((run.level for run in cut), default=0), 0, -1):
        i = 0
        while i < len(cut):
            end = i
            while end < len(cut) and cut[end].level >= level:
                end += 1
            cut[i:end] = cut[i:end][::-1]
            i = end + 1
    return cut


@lru_cache(maxsize=1)
def shaping() -> bool:
    """Whether Pillow can join Arabic letters and order Indic vowels (libraqm)."""
    return bool(features.check("raqm"))


def _options(run: Run) -> dict[str, str]:
    return {"direction": "rtl" if run.level == 1 else "ltr"} if shaping() and run.face.path else {}


def _advance(run: Run, size: int) -> float:
    width: float = _font(run, size).getlength(run.text, **_options(run))  # type: ignore[arg-type]
    return width * size / BITMAP_SIZE * _EMOJI_ZOOM if run.face.emoji else width


_EMOJI_ZOOM = 0.95
"Bitmap emoji are a little higher than the letters they stand among."


def _font(run: Run, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return font(run.face, size)


def width(text: str, size: int) -> int:
    """Pixels that the text takes at that font size."""
    return int(sum(_advance(run, size) for run in runs(text)) + 0.999)


def shortened(text: str, size: int, limit: int) -> str:
    """The text, or as much of it as fits into `limit` pixels with an ellipsis; empty if not even that fits."""
    if width(text, size) <= limit:
        return text
    parts = clusters(text)
    low, high = 0, len(parts)
    while low < high:
        middle = (low + high + 1) // 2
        if width("".join(parts[:middle]).rstrip() + ELLIPSIS, size) <= limit:
            low = middle
        else:
            high = middle - 1
    return "".join(parts[:low]).rstrip() + ELLIPSIS if low else ""


def draw(text: str, size: int, colour: tuple[int, int, int]) -> Image.Image:
    """The text on nothing, RGBA; its height is the line's (1.4 of the size), so that lines of all scripts align."""
    image = Image.new("RGBA", (max(1, width(text, size)), round(size * 1.4)))
    baseline, x = round(size * 1.06), 0.0
    for run in runs(text):
        if run.face.emoji:
            _draw_emoji(image, run, round(x), baseline, size)
        else:
            layer = Image.new("RGBA", image.size)
            options = _options(run)
            anchor = {"anchor": "ls"} if run.face.path else {}
            at = (x, baseline) if run.face.path else (x, 0)
            ImageDraw.Draw(layer).text(at, run.text, (*colour, 255), _font(run, size), **anchor, **options)  # type: ignore[arg-type]
            image.alpha_composite(layer)
        x += _advance(run, size)
    return image


def _draw_emoji(image: Image.Image, run: Run, x: int, baseline: int, size: int) -> None:
    zoom = size / BITMAP_SIZE * _EMOJI_ZOOM
    source = _font(run, size)
    natural = Image.new("RGBA", (max(1, round(source.getlength(run.text))), round(BITMAP_SIZE * 1.4)))
    ImageDraw.Draw(natural).text(
        (0, round(BITMAP_SIZE * 1.06)), run.text, font=source, anchor="ls", embedded_color=True
    )
    small = natural.resize((max(1, round(natural.width * zoom)), max(1, round(natural.height * zoom))))
    image.alpha_composite(small, (max(0, min(x, image.width - 1)), max(0, baseline - round(BITMAP_SIZE * 1.06 * zoom))))
