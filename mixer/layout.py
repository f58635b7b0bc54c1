"""PLACEHOLDER, owned by the mixer-video helper: keeps the LayoutSpec name that messages.py imports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LayoutSpec:
    """A layout by value: a built-in name (`grid`, `speaker`, `single-speaker`, `3x2`, ...) or, with slots, a custom one."""

    name: str
