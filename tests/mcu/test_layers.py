"""The layers, one way only: mixer <- codecs <- mcu; and what each may not touch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ABOVE = {"mixer": ("mixdown.codecs", "mixdown.mcu"), "codecs": ("mixdown.mcu",), "mcu": ()}
FOREIGN = {
    "mixer": {"asyncio", "threading", "socket", "time", "av", "aiortc", "fastapi", "multiprocessing", "subprocess"},
    "codecs": {"asyncio", "socket", "time", "aiortc", "fastapi", "multiprocessing", "subprocess"},
    "mcu": set[str](),
}
CLOCK = ROOT / "mcu" / "clock.py"
PRIVATE = [ROOT / "mcu" / "edge" / name for name in ("aiortc_private.py", "aioice_private.py")]


def modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


@pytest.mark.parametrize("layer", ABOVE)
def test_imports_go_downwards_only(layer: str) -> None:
    faults = []
    for path in modules(layer):
        for name, line in imports(ast.parse(path.read_text())):
            upwards = name.startswith(ABOVE[layer])
            foreign = name.split(".", 1)[0] in FOREIGN[layer]
            if upwards or foreign or name.split(".", 1)[0] in ("mcu", "mixer"):
                faults.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert modules(layer)
    assert faults == []


def test_only_the_clock_reads_clocks() -> None:
    forbidden = {("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("datetime", "now")}
    faults = []
    for path in (path for layer in ABOVE for path in modules(layer) if path != CLOCK):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            if (node.value.id, node.attr) in forbidden:
                faults.append(f"{path.relative_to(ROOT)}:{node.lineno} reads {node.value.id}.{node.attr}")
    assert faults == []


def test_only_two_modules_touch_the_private_names_of_aiortc_and_aioice() -> None:
    libraries = ("aiortc", "aioice")
    faults = []
    for path in (path for layer in ABOVE for path in modules(layer) if path not in PRIVATE):
        for name, line in imports(ast.parse(path.read_text())):
            parts = name.split(".")
            if parts[0] in libraries and any(part.startswith("_") for part in parts[1:]):
                faults.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert faults == []
