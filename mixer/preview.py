"""A layout as a small drawing: numbered tiles and what each is for."""

from __future__ import annotations

from html import escape

from mixdown.mixer.draw import PALETTE
from mixdown.mixer.layout import Cell, LayoutSpec, SlotRole, arrange
from mixdown.mixer.media import Size


def preview_svg(spec: LayoutSpec, sources: int, size: Size) -> str:
    """An SVG document of `size` pixels (even sides) with the cells that `sources` sources get.

    Raises ValueError for an unknown layout or fewer than no sources.
    """
    cells = sorted(enumerate(arrange(spec, size, sources), 1), key=lambda numbered: numbered[1].z)
    title = escape(f"{spec.name}, {sources} source{'' if sources == 1 else 's'}")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width}" height="{size.height}" '
        f'viewBox="0 0 {size.width} {size.height}" role="img" font-family="system-ui, sans-serif" text-anchor="middle">'
        f'<title>{title}</title><rect width="100%" height="100%" rx="{_radius(size)}" fill="#101418"/>'
    )
    return head + "".join(_tile(number, cell, number <= sources) for number, cell in cells) + "</svg>\n"


def _radius(size: Size) -> int:
    return max(2, round(min(size.width, size.height) / 30))


def _tile(number: int, cell: Cell, taken: bool) -> str:
    """A cell that nobody sits in is only outlined."""
    rect = cell.rect
    colour = PALETTE[(number - 1) % len(PALETTE)]
    look = f'fill="{colour}"' if taken else 'fill="#1a2028" stroke="#3a4452" stroke-dasharray="4 4"'
    edge = ' stroke="#101418" stroke-width="3"' if cell.z and taken else ""
    box = f'<rect x="{rect.x}" y="{rect.y}" width="{rect.width}" height="{rect.height}" rx="{_radius(rect.size)}"'
    font = max(6, round(min(rect.width, rect.height) * 0.3))
    return f"<g>{box} {look}{edge}/>{_words(number, cell, font)}</g>"


def _words(number: int, cell: Cell, font: int) -> str:
    x, y = cell.rect.x + cell.rect.width / 2, cell.rect.y + cell.rect.height / 2
    middle = f'<text x="{x:g}" y="{y + font * 0.35:g}" font-size="{font}" font-weight="600" fill="#fff">{number}</text>'
    if cell.role is SlotRole.ANY or font < 20:
        return middle
    small = f'y="{y + font:g}" font-size="{round(font * 0.38)}" fill="#fff" fill-opacity=".8"'
    return f'{middle}<text x="{x:g}" {small}>{cell.role.value}</text>'
