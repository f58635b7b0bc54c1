"""Who sits where. Geometry is layout.py's; this decides which source takes which cell, and keeps it there.

Nobody moves because somebody speaks. A newcomer takes the seat of one who left, if any is free; the active speaker
trades places with whom it replaces in the large cell. Only where there are fewer cells than sources does speaking win
a seat, from the one who has been silent longest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mixdown.mixer.layout import MAX_CELLS, Cell, Fit, LayoutSpec, SlotRole, arrange
from mixdown.mixer.scene import SCREEN, Placement, Scene, SceneSource, Tile

_Choice = Callable[[Scene, list[SceneSource]], SceneSource | None]
_Cast = dict[int, SceneSource | None]
"Cell index -> who sits there; None keeps it empty."
_FIRST_CHOICE = {SlotRole.PINNED: 0, SlotRole.SCREEN: 1, SlotRole.SPEAKER: 2}


class Seats:
    """The memory of one view. Pure: the same scenes in the same order give the same placements."""

    def __init__(self) -> None:
        self._layout: LayoutSpec | None = None
        self._row: list[str] = []
        self._speaker: str | None = None
        self._spoke: dict[str, int] = {}
        self._turn = 0

    def place(self, scene: Scene) -> Placement:
        """Seats the scene's sources. Every source is in exactly one tile or in `hidden`."""
        if scene.layout != self._layout:
            self._layout, self._row = scene.layout, []
        self._note_speech(scene)
        cells, cast = self._cast(scene)
        drawn = [(cells[i], source) for i, source in sorted(cast.items()) if source is not None]
        tiles = sorted((_tile(scene, cell, source) for cell, source in drawn), key=lambda tile: tile.z)
        seated = {tile.source for tile in tiles}
        return Placement(tuple(tiles), tuple(s.id for s in scene.sources if s.id not in seated))

    def _note_speech(self, scene: Scene) -> None:
        self._turn += 1
        self._spoke = {s.id: self._turn if s.speaking else self._spoke.get(s.id, 0) for s in scene.sources}
        active = [s for s in scene.sources if s.participant == scene.active_speaker and s.kind != SCREEN]
        if active:
            self._speaker = active[0].id
            self._spoke[self._speaker] = self._turn
        elif self._speaker not in self._spoke:
            self._speaker = None

    def _cast(self, scene: Scene) -> tuple[list[Cell], _Cast]:
        """Twice arranged: which roles there are says who sits first, and whose shape is that of the large cell."""
        ordered = _ordered(scene)
        named = {s.id for s in ordered if s is not None}
        rest = sorted((s for s in scene.sources if s.id not in named), key=lambda s: (s.joined, s.id))
        count = min(MAX_CELLS, len(ordered) + len(rest))
        roles = arrange(scene.layout, scene.canvas, count)
        cast: _Cast = dict(enumerate(ordered[: len(roles)]))
        self._cast_roles(scene, roles, cast, rest)
        self._cast_row(scene, [i for i in range(len(roles)) if i not in cast], cast, rest)
        shapes = {i: s.aspect for i, s in cast.items() if s is not None}
        ours = next(iter(shapes.values()), None)
        aspects = [shapes.get(i, ours) for i in range(len(roles))] if ours is not None else []
        return arrange(scene.layout, scene.canvas, count, aspects=[a for a in aspects if a is not None]), cast

    def _cast_roles(self, scene: Scene, cells: Sequence[Cell], cast: _Cast, rest: list[SceneSource]) -> None:
        """Fills the cells that are meant for somebody; takes who is seated out of `rest`."""
        roles = {cell.role for cell in cells}
        free = [i for i, cell in enumerate(cells) if cell.role in _FIRST_CHOICE and i not in cast]
        for i in sorted(free, key=lambda i: _FIRST_CHOICE[cells[i].role]):
            for choose in self._choices(cells[i].role, roles):
                if (source := choose(scene, rest)) is not None:
                    cast[i] = source
                    rest.remove(source)
                    break

    def _choices(self, role: SlotRole, roles: set[SlotRole]) -> list[_Choice]:
        """Pinned before screens before the speaker; but who has a cell of its own kind elsewhere waits for that."""
        choices: list[_Choice] = [self._speaking]
        if role is not SlotRole.SPEAKER or SlotRole.SCREEN not in roles:
            choices.insert(0, _newest_screen)
        if role is SlotRole.PINNED or SlotRole.PINNED not in roles:
            choices.insert(0, _first_pinned)
        return choices

    def _speaking(self, _scene: Scene, rest: list[SceneSource]) -> SceneSource | None:
        """The active speaker or the last one; before anybody spoke, the first with a picture."""
        by_id = {s.id: s for s in rest}
        if self._speaker in by_id:
            return by_id[self._speaker]
        return max(rest, key=lambda s: (self._spoke[s.id], s.picture, -s.joined), default=None)

    def _cast_row(self, scene: Scene, free: list[int], cast: _Cast, rest: list[SceneSource]) -> None:
        """Fills the other cells: pinned ones first, then everybody on the seat they had."""
        by_id = {s.id: s for s in rest}
        pinned = [i for i in dict.fromkeys(scene.pinned) if i in by_id][: len(free)]
        others = [s for s in rest if s.id not in pinned]
        self._row = self._seated(others, len(free) - len(pinned))
        cast.update({cell: by_id[i] for cell, i in zip(free, [*pinned, *self._row], strict=False)})

    def _seated(self, sources: list[SceneSource], seats: int) -> list[str]:
        """The row of before, without who left; newcomers in the holes, then at its end; then the talkers' trades."""
        by_id = {s.id: s for s in sources}
        new = [s.id for s in sources if s.id not in self._row]
        if len(sources) > seats:
            new.sort(key=lambda i: -self._spoke[i])
        row = [i if i in by_id else (new.pop(0) if new else None) for i in self._row]
        kept = [i for i in row if i is not None] + new
        waiting = kept[seats:]
        kept = kept[:seats]
        for talker in (i for i in waiting if by_id[i].speaking):
            silent = [i for i in kept if not by_id[i].speaking]
            if not silent:
                break
            last = min(silent, key=lambda i: (self._spoke[i], -by_id[i].joined))
            kept[kept.index(last)] = talker
        return kept


def _ordered(scene: Scene) -> list[SceneSource | None]:
    """`order` without who is not there and without repetitions; its holes stay."""
    by_id = {s.id: s for s in scene.sources}
    seen: set[str] = set()
    ordered: list[SceneSource | None] = []
    for wanted in scene.order:
        if wanted is None:
            ordered.append(None)
        elif wanted in by_id and wanted not in seen:
            seen.add(wanted)
            ordered.append(by_id[wanted])
    return ordered


def _first_pinned(scene: Scene, rest: list[SceneSource]) -> SceneSource | None:
    by_id = {s.id: s for s in rest}
    return next((by_id[i] for i in scene.pinned if i in by_id), None)


def _newest_screen(_scene: Scene, rest: list[SceneSource]) -> SceneSource | None:
    return max((s for s in rest if s.kind == SCREEN), key=lambda s: s.joined, default=None)


def _tile(scene: Scene, cell: Cell, source: SceneSource) -> Tile:
    """Screens are shown whole unless their slot says otherwise: what is cut off is what somebody points at."""
    return Tile(
        source=source.id,
        participant=source.participant,
        kind=source.kind,
        name=source.name,
        rect=cell.rect,
        z=cell.z,
        fit=cell.fit or (Fit.LETTERBOX if source.kind == SCREEN else Fit(scene.fit)),
        picture=source.picture,
        speaking=source.speaking,
        show_name=scene.show_names,
        hand_raised=source.participant in scene.hand_raised,
    )
