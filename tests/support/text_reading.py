"""Reads the text of text_screen.js in a picture, by what each letter would look like there. No OCR, no guessing."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
COLUMNS, ROWS = 140, 30
CELL, LINE, LEFT, TOP = 8, 18, 40, 40
"Pixels of the screen; TOP is the first base line."
ASCENT, DESCENT = 11, 4
SIZE = (1280, 720)
SHIFT = 2
"Pixels by which the picture may be off where it was reckoned to be."

Grey = npt.NDArray[np.float32]


def random_text(seed: int) -> list[str]:
    chooser = random.Random(seed)
    return ["".join(chooser.choices(ALPHABET, k=COLUMNS)) for _ in range(ROWS)]


def full_of(letter: str) -> list[str]:
    return [letter * COLUMNS] * ROWS


def grey(png: str) -> Grey:
    """png: base64."""
    data = np.frombuffer(base64.b64decode(png), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return picture.astype(np.float32)


def inside(tile: Mapping[str, int]) -> tuple[float, float, float]:
    """left, top, scale of a whole screen in its tile: as large as it fits, in the middle."""
    scale = min(tile["width"] / SIZE[0], tile["height"] / SIZE[1])
    left = tile["x"] + (tile["width"] - SIZE[0] * scale) / 2
    return left, tile["y"] + (tile["height"] - SIZE[1] * scale) / 2, scale


def placed(screen: Grey, tile: Mapping[str, int], shape: tuple[int, int]) -> Grey:
    """The screen where the composite has it."""
    left, top, scale = inside(tile)
    move = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]], np.float32)
    blurred = cv2.GaussianBlur(screen, (0, 0), 0.35 / scale) if scale < 1 else screen
    return cv2.warpAffine(blurred, move, (shape[1], shape[0]), flags=cv2.INTER_LINEAR).astype(np.float32)


def share_read(seen: Grey, text: Sequence[str], letters: Mapping[str, Grey], tile: Mapping[str, int]) -> float:
    """0..1: which part of the letters looks more like itself than like any other. letters: a screen full of each."""
    guesses = {letter: placed(screen, tile, seen.shape) for letter, screen in letters.items()}
    left, top, scale = inside(tile)
    rightly = 0
    picture = _registered(seen, guesses, text, (left, top, scale))
    for row, line in enumerate(text):
        for column, letter in enumerate(line):
            cell = _cell(row, column, left, top, scale)
            wanted = picture[cell]
            errors = {guess: float(np.square(wanted - image[cell]).sum()) for guess, image in guesses.items()}
            rightly += min(errors, key=errors.__getitem__) == letter
    return rightly / (ROWS * COLUMNS)


def _cell(row: int, column: int, left: float, top: float, scale: float) -> tuple[slice, slice]:
    x, y = left + (LEFT + column * CELL) * scale, top + (TOP + row * LINE) * scale
    return (
        slice(round(y - ASCENT * scale), round(y + DESCENT * scale)),
        slice(round(x), round(x + CELL * scale)),
    )


def _registered(
    seen: Grey, guesses: Mapping[str, Grey], text: Sequence[str], place: tuple[float, float, float]
) -> Grey:
    """The picture moved by the few pixels, and its range stretched, so that it fits the text best."""
    left, top, scale = place
    whole = np.zeros_like(seen)
    for row, line in enumerate(text):
        for column, letter in enumerate(line):
            cell = _cell(row, column, left, top, scale)
            whole[cell] = guesses[letter][cell]
    area = (
        slice(round(top + (TOP - ASCENT) * scale), round(top + (TOP + (ROWS - 1) * LINE) * scale)),
        slice(round(left + LEFT * scale), round(left + (LEFT + COLUMNS * CELL) * scale)),
    )
    moved = [np.roll(seen, (dy, dx), (0, 1)) for dy in range(-SHIFT, SHIFT + 1) for dx in range(-SHIFT, SHIFT + 1)]
    inked = whole[area] > 0
    best = max(moved, key=lambda one: float(np.corrcoef(one[area][inked], whole[area][inked])[0, 1]))
    slope, offset = np.polyfit(best[area][inked], whole[area][inked], 1)
    return (best * slope + offset).astype(np.float32)
