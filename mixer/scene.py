"""What a view shows: the sources it may show and its options (Scene), and what came of them (Tile).

Plain values: the engine builds a Scene when something changed, slots.py seats it, compositor.py draws the tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mixdown.mixer.layout import DEFAULT_ASPECT, Fit, LayoutSpec
from mixdown.mixer.media import Rect, Size

SCREEN = "screen"
"The `kind` of sources that go first where a layout has a large place, and are never cropped."


@dataclass(frozen=True, slots=True)
class SceneSource:
    """A source that wants a tile. kind: `camera`, `screen` or `feed`; joined: its rank by time of coming.

    picture: False shows its initials card, whatever frames there are. aspect: width by height of its pictures.
    """

    id: str
    participant: str
    kind: str
    name: str
    picture: bool = True
    speaking: bool = False
    aspect: Fraction = DEFAULT_ASPECT
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """All that decides the tiles of one view.

    order: source ids by cell, None leaves a cell empty; ids that are not there are passed over.
    pinned: source ids, first in the large or first cells. active_speaker: a participant's id.
    fit: `crop` or `letterbox`; background: `#rrggbb`; hand_raised: participants' ids.
    """

    canvas: Size
    layout: LayoutSpec
    sources: tuple[SceneSource, ...] = ()
    order: tuple[str | None, ...] = ()
    pinned: tuple[str, ...] = ()
    active_speaker: str | None = None
    fit: str = Fit.CROP
    show_names: bool = True
    background: str = "#101418"
    hand_raised: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tile:
    """One source in its cell; rect in canvas pixels, all even. Equal tiles look equal, given the same frame."""

    source: str
    participant: str
    kind: str
    name: str
    rect: Rect
    z: int = 0
    fit: str = Fit.CROP
    picture: bool = True
    speaking: bool = False
    show_name: bool = True
    hand_raised: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """A view's tiles from the bottom up (by z, then by cell), and the ids of sources that found no cell."""

    tiles: tuple[Tile, ...]
    hidden: tuple[str, ...]
