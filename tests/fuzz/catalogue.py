"""Which targets there are, and the inputs that are kept for each."""

from __future__ import annotations

import importlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEEDS, CRASHES = HERE / "seeds", HERE / "crashes"
CPU_LIMIT = 2.0
"""Seconds of CPU that one input may cost, instrumented or not. What is promised is milliseconds; the bound is what
tells a quadratic loop from a slow machine."""
MAX_BYTES = 70_000
_INTERESTING = (0, 1, 2, 0x0F, 0x10, 0x7F, 0x80, 0xBE, 0xC8, 0xCE, 0xDE, 0xFE, 0xFF)


@dataclass(frozen=True, slots=True)
class Target:
    """instrument: prefixes of the modules whose branches guide the fuzzer. largest: bytes of an input."""

    name: str
    instrument: tuple[str, ...]
    largest: int

    def load(self) -> Callable[[bytes], None]:
        return importlib.import_module(f"fuzz.targets.{self.name}").run  # type: ignore[no-any-return]

    def kept(self) -> list[Path]:
        """Seeds, then inputs that once were crashes."""
        return [
            path for folder in (SEEDS, CRASHES) for path in sorted((folder / self.name).glob("*")) if path.is_file()
        ]


_EDGE = ("mixdown.codecs", "mixdown.mcu.edge", "aiortc.rtp")
TARGETS = (
    Target("rtp", ("mixdown.mcu.edge.rtp",), 1500),
    Target("peer", _EDGE, 8192),
    Target("payloads", ("mixdown.codecs",), 8192),
    Target("red", ("mixdown.codecs.payload.red", "mixdown.codecs.redundancy"), 2048),
    Target("feedback", ("mixdown.mcu.edge.transport_cc", "mixdown.mcu.edge.rtp"), 1500),
    Target("assembler", ("mixdown.codecs",), 8192),
    Target("jitter", ("mixdown.codecs",), 4096),
    Target("sdp", ("mixdown.mcu.edge.offer", "mixdown.mcu.edge.answer", "aiortc.sdp"), MAX_BYTES),
    Target("candidates", ("mixdown.mcu.edge.offer", "aiortc.sdp"), 1024),
    Target("datagrams", ("mixdown.mcu.edge.aioice_private", "aioice"), 4096),
    Target("kernel_filter", ("mixdown.mcu.edge.source_filter",), 2048),
    Target("link", ("mixdown.mcu.link",), 2048),
    Target("engine", ("mixdown.mcu.engine", "mixdown.codecs"), 4096),
)


def measured(run: Callable[[bytes], None], data: bytes) -> float:
    """Runs one input; returns the seconds of CPU. AssertionError if it was too slow."""
    began = time.thread_time()
    run(data)
    spent = time.thread_time() - began
    assert spent <= CPU_LIMIT, f"{spent:.2f} s of CPU for {len(data)} bytes"
    return spent


def mutated(seeds: list[bytes], chance: random.Random, largest: int) -> bytes:
    """A seed with some bytes changed, cut out, doubled, put in or taken from another seed; now and then mere noise."""
    if not seeds or chance.random() < 0.05:
        return chance.randbytes(chance.randrange(1, 200))
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        _mutate(data, seeds, chance)
    return bytes(data[:largest])


def _mutate(data: bytearray, seeds: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    length = chance.choice((1, 1, 2, 4, 16, 64))
    match chance.randrange(7):
        case 0:
            data[at : at + 1] = bytes((chance.choice(_INTERESTING),))
        case 1 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length] * chance.choice((1, 2, 8))
        case 4:
            data[at:at] = chance.randbytes(length)
        case 5:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + length]
        case _:
            data[at : at + 2] = chance.choice((0, 1, len(data), 0xFFFF)).to_bytes(4, "big")[-2:]
