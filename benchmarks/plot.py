"""Plots as SVG: bars, stacked bars, lines; light or dark as the reader's system is.

Written by hand and not with a library: matplotlib's SVG cannot follow the reader's colour scheme, is ten times as
large, and brings packages to every setup; here are two kinds of picture, made of rectangles and lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 560, 330
"Of a panel."
LEFT, RIGHT, TOP, BOTTOM = 56, 18, 72, 46
"From a panel's edges to its axes."
LIGHT = ("#0b8f7c", "#8a94a0", "#d0782a", "#5b6ee1", "#c2417c", "#8c6bb1", "#a08b12", "#4a9fd8")
DARK = ("#2fd0b5", "#8d99a6", "#f0a35e", "#93a1ff", "#f07fb0", "#bf9fe0", "#d9c24a", "#7cc4f2")
STYLE = """text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--ink)}
.title{font-weight:600;font-size:14px}.dim{fill:var(--dim);font-size:11px}.small{font-size:9.5px;fill:var(--dim)}
.back{fill:var(--back)}.grid{stroke:var(--grid)}.axis{stroke:var(--dim)}
.limit{stroke:var(--limit);stroke-dasharray:5 4;stroke-width:1.4}.limit-name{fill:var(--limit);font-size:11px}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round}"""


@dataclass(frozen=True, slots=True)
class Bars:
    """Groups of bars, one for each series; stacked: one bar a group, of parts. None: no bar. limits: lines, by name."""

    title: str
    y: str
    groups: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    stacked: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def top(self) -> float:
        if self.stacked:
            heights = [sum(values[n] or 0.0 for values in self.series.values()) for n in range(len(self.groups))]
        else:
            heights = [value for values in self.series.values() for value in values if value is not None]
        return max([*heights, *self.limits.values()], default=1.0)


@dataclass(frozen=True, slots=True)
class Lines:
    """Points (x, y) joined by lines. log: x by its logarithm; its values, all over 0, are then the ticks."""

    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    log: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def top(self) -> float:
        heights = [y for points in self.series.values() for _, y in points]
        return max([*heights, *self.limits.values()], default=1.0)


Panel = Bars | Lines


def svg(panels: Sequence[Panel]) -> str:
    """All panels in one picture, two beside each other."""
    columns = min(2, len(panels))
    width, height = columns * WIDTH, math.ceil(len(panels) / columns) * HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    ]
    parts += [f"<style>{_colours()}{STYLE}</style>", f'<rect class="back" width="{width}" height="{height}" rx="8"/>']
    for n, panel in enumerate(panels):
        parts.append(f'<g transform="translate({n % columns * WIDTH} {n // columns * HEIGHT})">')
        parts += _panel(panel)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _colours() -> str:
    def scheme(back: str, ink: str, dim: str, grid: str, limit: str, series: Sequence[str]) -> str:
        names = "".join(f"--s{n}:{colour};" for n, colour in enumerate(series))
        return f":root{{--back:{back};--ink:{ink};--dim:{dim};--grid:{grid};--limit:{limit};{names}}}"

    light = scheme("#ffffff", "#1c2430", "#5f6b7a", "#e4e8ed", "#c62f2f", LIGHT)
    dark = scheme("#12171e", "#e8edf3", "#9aa6b4", "#2a323d", "#ff7a70", DARK)
    return f"{light}\n@media(prefers-color-scheme:dark){{{dark}}}\n"


def ticks(top: float) -> list[float]:
    """From 0 to at least `top` in four to eight round steps."""
    if top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / 4))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if top / (power * n) <= 6.5)
    return [round(n * step, 12) for n in range(math.ceil(top / step - 1e-9) + 1)]


def _panel(panel: Panel) -> Iterator[str]:
    scale = ticks(panel.top)
    yield f'<text class="title" x="{LEFT - 38}" y="24">{escape(panel.title)}</text>'
    yield from _legend(list(panel.series))
    yield f'<text class="dim" x="{LEFT - 38}" y="{TOP - 12}">{escape(panel.y)}</text>'
    for value in scale:
        y = _y(value, scale)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="dim" x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>'
    yield from _bars(panel, scale) if isinstance(panel, Bars) else _lines(panel, scale)
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
    for name, value in panel.limits.items():
        y = _y(value, scale)
        yield f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="limit-name" x="{LEFT + 4}" y="{y - 4}">{escape(name)}</text>'


def _y(value: float, scale: Sequence[float]) -> float:
    return round(HEIGHT - BOTTOM - value / scale[-1] * (HEIGHT - TOP - BOTTOM), 1)


def _legend(names: Sequence[str]) -> Iterator[str]:
    x = float(LEFT - 38)
    for n, name in enumerate(names):
        yield f'<rect x="{x:.0f}" y="35" width="10" height="10" rx="2" fill="var(--s{n % len(LIGHT)})"/>'
        yield f'<text class="dim" x="{x + 14:.0f}" y="44">{escape(name)}</text>'
        x += 28 + 5.9 * len(name)


def _bars(panel: Bars, scale: Sequence[float]) -> Iterator[str]:
    room = (WIDTH - LEFT - RIGHT) / max(1, len(panel.groups))
    count = 1 if panel.stacked else max(1, len(panel.series))
    wide = min(40.0, room * 0.8 / count)
    for group, name in enumerate(panel.groups):
        middle = LEFT + room * (group + 0.5)
        yield f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{escape(name)}</text>'
        below = 0.0
        for n, values in enumerate(panel.series.values()):
            if (value := values[group]) is None:
                continue
            x = middle - wide * count / 2 + (0 if panel.stacked else wide * n)
            yield _bar(x, wide, below, value, n, scale)
            if panel.stacked:
                below += value
            elif wide >= 17:
                label = f'x="{x + wide / 2:.1f}" y="{_y(value, scale) - 3}"'
                yield f'<text class="small" {label} text-anchor="middle">{value:.3g}</text>'
        if panel.stacked:
            label = f'x="{middle:.1f}" y="{_y(below, scale) - 4}"'
            yield f'<text class="small" {label} text-anchor="middle">{below:.3g}</text>'


def _bar(x: float, wide: float, below: float, value: float, n: int, scale: Sequence[float]) -> str:
    top, bottom = _y(below + value, scale), _y(below, scale)
    place = f'x="{x + 0.5:.1f}" y="{top}" width="{wide - 1:.1f}" height="{max(0.0, bottom - top):.1f}"'
    return f'<rect {place} fill="var(--s{n % len(LIGHT)})"/>'


def _lines(panel: Lines, scale: Sequence[float]) -> Iterator[str]:
    values = sorted({x for points in panel.series.values() for x, _ in points})
    marks = values if panel.log else ticks(values[-1] if values else 1.0)
    low, high = (math.log(values[0]), math.log(values[-1])) if panel.log and values else (0.0, marks[-1])

    def place(x: float) -> float:
        share = ((math.log(x) if panel.log else x) - low) / ((high - low) or 1.0)
        return round(LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16), 1)

    for mark in marks:
        yield f'<text class="dim" x="{place(mark)}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{mark:g}</text>'
    yield f'<text class="dim" x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{escape(panel.x)}</text>'
    for n, points in enumerate(panel.series.values()):
        at = [(place(x), _y(y, scale)) for x, y in sorted(points)]
        colour = f"var(--s{n % len(LIGHT)})"
        yield f'<polyline class="line" stroke="{colour}" points="{" ".join(f"{x},{y}" for x, y in at)}"/>'
        yield from (f'<circle cx="{x}" cy="{y}" r="3.4" fill="{colour}"/>' for x, y in at)
