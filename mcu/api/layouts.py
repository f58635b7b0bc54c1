"""`/v1/layouts`: built-in and custom layouts, and what they come to as a picture."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from mixdown.mcu.api.auth import Who
from mixdown.mcu.api.schemas import LayoutBody, LayoutModel, LayoutName, SlotModel
from mixdown.mcu.api.services import Known
from mixdown.mcu.errors import BadRequest
from mixdown.mcu.rooms.policy import Right, require
from mixdown.mixer.layout import ALIASES, LayoutSpec, SlotSpec, arrange, slot_fraction
from mixdown.mixer.media import Size

router = APIRouter(prefix="/v1/layouts", tags=["layouts"])
Layout = Annotated[LayoutName, Path(alias="name")]


@router.get("", response_model=list[LayoutModel])
async def list_layouts(known: Known) -> Any:
    return [_model(spec) for spec in known.layouts.all()]


@router.get("/{name}", response_model=LayoutModel)
async def get_layout(name: Layout, known: Known) -> Any:
    return _model(known.layouts.find(name))


@router.put("/{name}", response_model=LayoutModel)
async def put_layout(name: Layout, body: LayoutBody, known: Known, who: Who) -> Any:
    """Makes or replaces a custom layout. Rooms that show it keep what they have until they are laid out anew."""
    require(who, Right.ADMINISTER)
    try:
        spec = LayoutSpec(name, tuple(_slot(slot) for slot in body.slots))
    except ValueError as error:
        raise BadRequest(f"{error}.") from None
    known.layouts.put(spec)
    return _model(spec)


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def delete_layout(name: Layout, known: Known, who: Who) -> None:
    require(who, Right.ADMINISTER)
    known.layouts.delete(name)


@router.get(
    "/{name}/preview.svg",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
async def preview(
    name: Layout,
    known: Known,
    sources: Annotated[int, Query(ge=0, le=256)] = 5,
    width: Annotated[int, Query(ge=160, le=1920)] = 640,
    height: Annotated[int, Query(ge=160, le=1920)] = 360,
) -> Response:
    """The tiles that so many sources get on a canvas of that size."""
    canvas = Size(width & ~1, height & ~1)
    return Response(svg(known.layouts.find(name), sources, canvas), media_type="image/svg+xml")


def svg(spec: LayoutSpec, sources: int, canvas: Size) -> str:
    """Tiles numbered in the order of the seats, lower ones first."""
    numbered = sorted(enumerate(arrange(spec, canvas, sources), 1), key=lambda item: item[1].z)
    tiles = "".join(_tile(number, cell.rect.x, cell.rect.y, cell.rect.size) for number, cell in numbered)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{canvas.height}" '
        f'viewBox="0 0 {canvas.width} {canvas.height}" font-family="system-ui, sans-serif" text-anchor="middle">'
        f'<rect width="100%" height="100%" fill="#101418"/>{tiles}</svg>'
    )


def _tile(number: int, x: int, y: int, size: Size) -> str:
    font = max(8, min(size.width, size.height) // 4)
    return (
        f'<rect x="{x}" y="{y}" width="{size.width}" height="{size.height}" rx="4" fill="#2a3540" stroke="#101418"/>'
        f'<text x="{x + size.width // 2}" y="{y + size.height // 2 + font // 3}" font-size="{font}" '
        f'fill="#c9d4de">{number}</text>'
    )


def _slot(slot: SlotModel) -> SlotSpec:
    area = slot.area
    left, top, width, height = (slot_fraction(text) for text in (area.left, area.top, area.width, area.height))
    return SlotSpec(slot.id, left, top, width, height, slot.role, slot.fit, slot.z)


def _model(spec: LayoutSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "built_in": not spec.slots,
        "aliases": [alias for alias, name in ALIASES.items() if name == spec.name],
        "slots": [
            {
                "id": slot.id,
                "area": {
                    "left": str(slot.left),
                    "top": str(slot.top),
                    "width": str(slot.width),
                    "height": str(slot.height),
                },
                "role": slot.role,
                "fit": slot.fit,
                "z": slot.z,
            }
            for slot in spec.slots
        ],
    }
