"""A viewer (libwebrtc) that reads the counter in each tile of every frame of the composite."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import webrtc
from support.freezes import Run, freezes
from support.media import Pattern
from support.sources import COUNTER_BITS, Source
from support.wrtc_client import WrtcClient

Luma = npt.NDArray[np.uint8]
PSNR_EVERY = 10
"Frames; each costs a look at a whole tile."


@dataclass(slots=True)
class Tile:
    """changes: when another number was seen. psnr: dB of luma against the source's own frame of that number."""

    x: int
    y: int
    width: int
    height: int
    pattern: Pattern | None = None
    number: int = -1
    changes: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)

    def look(self, luma: Luma, now: float) -> None:
        number = self.read(luma)
        if number == self.number:
            return
        self.number = number
        self.changes.append(now)
        if self.pattern is not None and len(self.changes) % PSNR_EVERY == 0:
            self.psnr.append(self._psnr(luma, number))

    def read(self, luma: Luma) -> int:
        """The counter: the mean of the middle of each cell."""
        middle = luma[self.y + self.height // 2 - 3 : self.y + self.height // 2 + 3]
        number = 0
        for bit in range(COUNTER_BITS):
            centre = self.x + (2 * bit + 1) * self.width // (2 * COUNTER_BITS)
            number |= int(middle[:, centre - 4 : centre + 4].mean() > 125) << bit
        return number

    def _psnr(self, luma: Luma, number: int) -> float:
        """Of the inner part above the counter, where no name or border is drawn. Sources are as large as tiles."""
        assert self.pattern is not None
        source = self.pattern.source
        if (self.width, self.height) != (source.width, source.height):
            raise ValueError(f"the tile is {self.width}x{self.height}, its source {source.width}x{source.height}")
        top, bottom, left, right = 16, self.height * 2 // 5, 16, self.width - 16
        made = self.pattern.frame(number)[: source.width * source.height].reshape(source.height, source.width)
        want = made[top:bottom, left:right].astype(np.float32)
        got = luma[self.y + top : self.y + bottom, self.x + left : self.x + right].astype(np.float32)
        return float(10 * np.log10(255**2 / max(1e-3, np.square(want - got).mean())))


class Watcher(WrtcClient):
    """look_at: which tiles; after that `tiles_seen` fills, by participant."""

    def __init__(self, source: Source, *, send: bool = False) -> None:
        super().__init__(source, send=send)
        self.tiles_seen: dict[str, Tile] = {}

    def look_at(self, tiles: Mapping[str, Any], sources: Mapping[str, Source | None]) -> None:
        """tiles: as the API has them. sources: by participant, a source whose frames PSNR is taken against, or None."""
        self.tiles_seen = {
            tile["participant"]: Tile(
                *(round(tile[side]) for side in ("x", "y", "width", "height")),
                Pattern(source) if (source := sources[tile["participant"]]) is not None else None,
            )
            for tile in tiles["tiles"]
            if tile["participant"] in sources
        }

    def begin(self) -> None:
        for tile in self.tiles_seen.values():
            tile.changes.clear()
            tile.psnr.clear()

    def runs(self) -> dict[str, Run]:
        for task in self._tasks:
            if task.done():
                task.result()  # what ended it is the test's fault, not the network's
        return {participant: freezes(tile.changes) for participant, tile in self.tiles_seen.items()}

    def psnr(self, participants: Sequence[str]) -> float:
        """dB, mean over those participants' tiles."""
        return float(np.mean([value for one in participants for value in self.tiles_seen[one].psnr]))

    async def _see(self, track: webrtc.MediaStreamTrack) -> None:
        init = webrtc.MediaStreamTrackProcessorInit(track=track, max_buffer_size=4)
        async for frame in webrtc.MediaStreamTrackProcessor(init).readable:
            now = time.monotonic()
            self.times.append(now)
            with frame:
                if not self.tiles_seen:
                    continue
                data = bytearray(frame.allocation_size())
                await frame.copy_to(data)
                width, height = frame.coded_width, frame.coded_height
            luma = np.frombuffer(data, np.uint8, width * height).reshape(height, width)
            for tile in self.tiles_seen.values():
                tile.look(luma, now)
