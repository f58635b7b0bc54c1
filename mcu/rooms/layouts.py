"""The layouts of this server: built in, and made by its admins."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mixdown.mcu.errors import BadRequest, Forbidden, NotFound, Unavailable
from mixdown.mcu.rooms.store import Store
from mixdown.mixer.layout import ALIASES, BUILT_IN, Fit, LayoutSpec, SlotRole, SlotSpec, parse_layout_name

MAX_CUSTOM = 200


class Layouts:
    """Custom ones are kept in the store, and copied by value into the views that show them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._custom: dict[str, LayoutSpec] = {}

    def restore(self) -> None:
        self._custom = {record["name"]: from_record(record) for record in self._store.load_layouts()}

    def all(self) -> list[LayoutSpec]:
        return [*(LayoutSpec(name) for name in BUILT_IN), *self._custom.values()]

    def find(self, name: str) -> LayoutSpec:
        """By its name in a path. Raises NotFound."""
        spec = self._custom.get(name) or _built_in(name)
        if spec is None:
            raise NotFound(f"There is no layout {name!r}.")
        return spec

    def get(self, name: str) -> LayoutSpec:
        """By its name in a body. Raises BadRequest."""
        spec = self._custom.get(name) or _built_in(name)
        if spec is None:
            known = ", ".join((*BUILT_IN, *ALIASES, *self._custom))
            raise BadRequest(f"There is no layout {name!r}: known are {known} and CxR, such as 3x2.")
        return spec

    def put(self, spec: LayoutSpec) -> None:
        """Raises Forbidden for a built-in name, Unavailable if there are as many as there may be."""
        _refuse_built_in(spec.name)
        if spec.name not in self._custom and len(self._custom) >= MAX_CUSTOM:
            raise Unavailable(f"There are {MAX_CUSTOM} custom layouts already.", retry_after=60)
        self._custom[spec.name] = spec
        self._store.put_layout(spec.name, to_record(spec))

    def delete(self, name: str) -> None:
        """Raises Forbidden, NotFound."""
        _refuse_built_in(name)
        if self._custom.pop(name, None) is None:
            raise NotFound(f"There is no layout {name!r}.")
        self._store.drop_layout(name)


def _built_in(name: str) -> LayoutSpec | None:
    try:
        return parse_layout_name(name)
    except ValueError:
        return None


def _refuse_built_in(name: str) -> None:
    if _built_in(name) is not None:
        raise Forbidden(f"The layout {name!r} is built in, and read only.")


def to_record(spec: LayoutSpec) -> dict[str, Any]:
    """As JSON."""
    slots = [
        {
            "id": slot.id,
            "left": str(slot.left),
            "top": str(slot.top),
            "width": str(slot.width),
            "height": str(slot.height),
            "role": slot.role.value,
            "fit": slot.fit.value if slot.fit else None,
            "z": slot.z,
        }
        for slot in spec.slots
    ]
    return {"name": spec.name, "slots": slots}


def from_record(record: dict[str, Any]) -> LayoutSpec:
    return LayoutSpec(record["name"], tuple(_slot(slot) for slot in record["slots"]))


def _slot(record: dict[str, Any]) -> SlotSpec:
    left, top, width, height = (Fraction(record[side]) for side in ("left", "top", "width", "height"))
    fit = Fit(record["fit"]) if record["fit"] else None
    return SlotSpec(record["id"], left, top, width, height, SlotRole(record["role"]), fit, record["z"])
