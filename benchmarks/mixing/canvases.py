"""The canvases that a server encoded, found again from what it sent: which picture of the clip each tile showed.

The senders' clips are known, and their pictures differ from one to the next, so that each tile of a decoded composite
is that picture of the clip that it is nearest to. Composing those anew gives the canvas that the server had, before its
encoder; it has no borders around who speaks. Quality is measured inside the tiles, over names and borders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.mixing.loads import CODECS, Load
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.video import make_video_decoder
from mixdown.mixer.compositor import Compositor
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import I420Frame, Rect, Size
from mixdown.mixer.scene import Tile

SMALL = Size(32, 16)
"What tiles are compared at."

Plane = NDArray[np.uint8]


def decoded(codec: CodecId, frames: Sequence[bytes]) -> list[I420Frame]:
    decoder = make_video_decoder(codec)
    return [picture for data in frames for picture in decoder.decode(data)]


def tiles_of(load: Load) -> list[Tile]:
    """As the room's grid has them."""
    cells = arrange(parse_layout_name("grid"), Size(load.tier.width, load.tier.height), load.senders)
    return [Tile(f"s{n}", f"p{n}", "camera", f"P{n}", cell.rect, z=cell.z) for n, cell in enumerate(cells)]


def inside(rect: Rect) -> tuple[slice, slice]:
    """Rows and columns of a tile without its border and its name."""
    edge = max(6, rect.height // 24)
    return slice(rect.y + edge, rect.y + rect.height * 7 // 10), slice(rect.x + edge, rect.x + rect.width - edge)


class Canvases:
    """Composes the canvas of a decoded composite."""

    def __init__(self, load: Load, clip: Sequence[bytes]) -> None:
        """clip: what the load's senders sent."""
        self.pictures = decoded(CODECS[load.codec], clip)
        self.tiles = tiles_of(load)
        self._compositor = Compositor(Size(load.tier.width, load.tier.height))
        self._looks = self._all_looks()

    def _all_looks(self) -> NDArray[np.float32]:
        """(tiles, pictures, pixels): each picture of the clip as each tile would show it."""
        canvases = (self._compositor.compose(self.tiles, dict.fromkeys(self._names, one)) for one in self.pictures)
        looks = [[_small(canvas.y, tile.rect) for tile in self.tiles] for canvas in canvases]
        return np.swapaxes(np.asarray(looks, np.float32), 0, 1)

    @property
    def _names(self) -> list[str]:
        return [tile.source for tile in self.tiles]

    def shown(self, composite: I420Frame) -> tuple[int, ...]:
        """For each tile the number of the clip's picture."""
        seen = np.asarray([_small(composite.y, tile.rect) for tile in self.tiles])
        return tuple(int(n) for n in np.square(self._looks - seen[:, None]).mean(axis=2).argmin(axis=1))

    def canvas(self, shown: Sequence[int]) -> I420Frame:
        """Good until some more were asked for: the compositor's buffers come round again."""
        frames = {name: self.pictures[n] for name, n in zip(self._names, shown, strict=True)}
        return self._compositor.compose(self.tiles, frames)

    def error(self, composite: I420Frame, canvas: I420Frame) -> float:
        """Mean squared difference of luma, inside the tiles."""
        total = pixels = 0
        for tile in self.tiles:
            rows, columns = inside(tile.rect)
            part = composite.y[rows, columns].astype(np.int32) - canvas.y[rows, columns]
            total, pixels = total + int(np.square(part).sum()), pixels + part.size
        return total / pixels


def psnr(errors: Sequence[float]) -> float:
    """dB, of mean squared errors of values to 255."""
    return 10 * math.log10(255**2 / (sum(errors) / len(errors)))


def _small(luma: Plane, rect: Rect) -> NDArray[np.float32]:
    small = cv2.resize(luma[inside(rect)], (SMALL.width, SMALL.height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32).ravel()
