"""The system's fonts and which of them has which characters.

Names come in any script and no one font has them all, so a name is cut into runs by coverage, read from each font's
`cmap` table. The files are opened when the first name is drawn, and only their tables are read here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    *("/Library/Fonts", "/System/Library/Fonts", "C:/Windows/Fonts"),
)
FAMILIES = (
    *("Inter-Medium", "NotoSans-Medium", "NotoSans-Regular", "DejaVuSans", "LiberationSans-Regular"),
    *("Arial", "segoeui"),
)
SCRIPTS = ("NotoSansCJK-Medium", "NotoSansCJK-Regular", "DroidSansFallbackFull", "DroidSansFallback", "wqy-microhei")
EMOJI = ("NotoColorEmoji", "Apple Color Emoji", "seguiemj")
_MAX_CMAP = 4 << 20
BITMAP_SIZE = 109
"The only size in which bitmap emoji fonts can be opened, pixels."


@dataclass(frozen=True, slots=True)
class Coverage:
    """The characters of a font as sorted, disjoint ranges; first, last: uint32 (n,)."""

    first: npt.NDArray[np.uint32]
    last: npt.NDArray[np.uint32]

    def __contains__(self, character: str) -> bool:
        point = ord(character)
        i = int(np.searchsorted(self.first, point, side="right")) - 1
        return i >= 0 and point <= int(self.last[i])


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A font file. path None: Pillow's own, of which no more than ASCII is relied on."""

    path: str | None
    coverage: Coverage
    emoji: bool = False


def read_coverage(file: BinaryIO) -> Coverage:
    """Reads the `cmap` of a TrueType or OpenType font, of a collection its first. Raises ValueError without one."""
    try:
        return _ranges(_cmap(file))
    except struct.error as error:
        raise ValueError("font tables are cut short") from error


def _cmap(file: BinaryIO) -> bytes:
    offset = 0
    if file.read(4) == b"ttcf":
        file.seek(12)
        (offset,) = struct.unpack(">I", file.read(4))
    file.seek(offset + 4)
    (tables,) = struct.unpack(">H", file.read(2))
    file.seek(offset + 12)
    for _ in range(tables):
        tag, _, start, length = struct.unpack(">4sIII", file.read(16))
        if tag == b"cmap":
            file.seek(start)
            return file.read(min(length, _MAX_CMAP))
    raise ValueError("font without a cmap")


def _ranges(cmap: bytes) -> Coverage:
    """From the subtable of format 12 (all of Unicode) if there is one, else of format 4 (the first plane)."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    found: dict[int, int] = {}
    for i in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * i)
        if platform == 0 or (platform == 3 and encoding in (1, 10)):
            (form,) = struct.unpack_from(">H", cmap, offset)
            found[form] = offset
    if 12 in found:
        (groups,) = struct.unpack_from(">I", cmap, found[12] + 12)
        table = np.frombuffer(cmap, ">u4", min(groups, len(cmap) // 12) * 3, found[12] + 16).reshape(-1, 3)
        return Coverage(table[:, 0].astype(np.uint32), table[:, 1].astype(np.uint32))
    if 4 in found:
        (twice,) = struct.unpack_from(">H", cmap, found[4] + 6)
        last = np.frombuffer(cmap, ">u2", twice // 2, found[4] + 14)
        first = np.frombuffer(cmap, ">u2", twice // 2, found[4] + 16 + twice)
        real = first != 0xFFFF
        return Coverage(first[real].astype(np.uint32), last[real].astype(np.uint32))
    raise ValueError("font without a Unicode cmap")


@lru_cache(maxsize=1)
def faces() -> tuple[Face, ...]:
    """The fallback chain: a good family first, then all Noto Sans scripts, CJK, emoji; Pillow's own last."""
    files = {path.stem: path for path in _files()}
    noto = sorted(n for n in files if n.startswith("NotoSans") and n.endswith("-Regular") and "Mono" not in n)
    wanted = [*dict.fromkeys([*(n for n in (*FAMILIES, *SCRIPTS) if n in files), *noto])]
    chain = [*_open(files, wanted, emoji=False), *_open(files, [n for n in EMOJI if n in files][:1], emoji=True)]
    ascii_only = Coverage(np.array([32], np.uint32), np.array([126], np.uint32))
    return (*chain, Face(None, ascii_only))


def _open(files: dict[str, Path], names: list[str], *, emoji: bool) -> Iterator[Face]:
    for name in names:
        try:
            with files[name].open("rb") as file:
                yield Face(str(files[name]), read_coverage(file), emoji)
        except (OSError, ValueError):
            skipped.append(name)


skipped: list[str] = []
"Fonts that were found and could not be read; `mixdown doctor` shows them."


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        for where, _, names in os.walk(Path(folder).expanduser()):
            yield from (Path(where, name) for name in names if name.lower().endswith((".ttf", ".otf", ".ttc")))


@lru_cache(maxsize=4096)
def face_for(character: str, *, pictograph: bool = False) -> Face:
    """The first face that has it; emoji fonts go first for pictographs. The chain's first if none has it."""
    chain = faces()
    if pictograph or ord(character) >= 0x1F000:
        chain = tuple(sorted(chain, key=lambda face: not face.emoji))
    return next((face for face in chain if character in face.coverage), chain[0])


@lru_cache(maxsize=256)
def font(face: Face, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The face opened at a size in pixels. Bitmap emoji exist in one size only: scale what they draw."""
    if face.path is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(face.path, BITMAP_SIZE if face.emoji else size)
