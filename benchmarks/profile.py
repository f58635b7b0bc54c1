"""Where the server's CPU goes in a room of N, by kind of code, and what would be left of it if Python cost nothing.

    python -m benchmarks.profile [--senders 9] [--seconds 10] [--full] [--json FILE]

The room is the mixing benchmark's. `perf` looks at the server 1999 times per second of its CPU, at whichever of its
threads works: the library that the instruction belongs to is the kind; inside the kernel it is the system call. The
unit is the codecs' own work in the very same samples, so the machine's pace is in both sides of a ratio. No targets.
It needs Debian's linux-perf, and the right to look into the kernel.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure
from benchmarks.mixing.loads import Load
from benchmarks.mixing.room import WARM_UP, crowd
from benchmarks.mixing.table import FLOOR
from benchmarks.plot import Bars, Panel
from benchmarks.record import ROOT
from benchmarks.sheet import Sheet, sheet

sys.path.insert(0, str(ROOT / "tests"))

from support.server import running_server

LIBRARIES: Mapping[str, str] = {
    "codecs": r"lib(vpx|avcodec|avutil|swresample|opus|x264)[-.]",
    "scaling": r"cv2\.|libswscale[-.]",
    "encryption": r"_binding\.abi3|_rust\.abi3|lib(srtp2?|crypto|ssl)[-.]",
    "arithmetic": r".*umath|.*openblas|libm[-.]",
    "C library": r"libc[-.]|libpthread[-.]|ld-linux",
    "system calls": r"\[vdso\]",
    "Python": r"libpython|python|libffi[-.]|.*\.cpython-|.*\.abi3\.",
}
"""How the names of a kind's libraries begin, the first that fits: Python has all extension modules that no other kind
has. Encryption is pylibsrtp and cryptography; [vdso] are the clocks that the kernel lends to programs."""
KINDS = ("codecs", "scaling", "encryption", "arithmetic", "C library", "system calls", "locks", "Python", "rest")
NATIVE = KINDS[:6]
"What would be left without Python, and without the threads that wake each other for its lock."
LOCKS = re.compile(r"futex|lll_lock|^sem_|pthread_(mutex|cond|rwlock)")
"In the names of the kernel's functions, and of those of the C library that call it: threads wait and wake each other."
FRAME = re.compile(r"\s*([0-9a-f]+) (.*?) \((.*)\)$")
KERNEL = 1 << 63
"Addresses from here on are the kernel's."
EVENT = ("-e", "cpu-clock", "-F", "1999", "-g")
"A timer of the kernel, which virtual machines have too; its rate falls into step with no tick of 10 or 20 ms."
PLOTTED: Mapping[str, Sequence[str]] = {
    "codecs": ("codecs",),
    "scaling": ("scaling",),
    "other libraries": ("encryption", "arithmetic", "C library"),
    **{kind: (kind,) for kind in KINDS[5:]},
}


class Frame(NamedTuple):
    """library: the file's name."""

    kernel: bool
    symbol: str
    library: str


def count(text: str) -> Counter[str]:
    """Samples by kind in what `perf script` says: a thread's number, its stack from the inside out, an empty line."""
    return Counter(kind_of(stack) for block in text.split("\n\n") if (stack := frames(block)))


def frames(block: str) -> list[Frame]:
    """Of one sample, the innermost first."""
    found = [match.groups() for line in block.splitlines() if (match := FRAME.match(line))]
    return [Frame(int(place, 16) >= KERNEL, symbol, path.rpartition("/")[2]) for place, symbol, path in found]


def kind_of(stack: Sequence[Frame]) -> str:
    if not stack[0].kernel:
        return kind_of_library(stack[0].library)
    for frame in stack:
        if LOCKS.search(frame.symbol):
            return "locks"
        # The first that is not the kernel's made the call: it tells which one when the kernel is on its way out of it.
        if not frame.kernel:
            break
    return "system calls"


def kind_of_library(name: str) -> str:
    return next((kind for kind, names in LIBRARIES.items() if re.match(names, name)), "rest")


def unable() -> str:
    """Why it cannot be measured on this machine; empty if it can."""
    if shutil.which("perf") is None:
        return "there is no perf; as root: apt-get install linux-perf"
    with tempfile.TemporaryDirectory(prefix="mixdown-bench-") as folder:
        words = ["perf", "record", "-q", "-e", "cpu-clock:k", "-o", f"{folder}/tried", "--", "true"]
        tried = subprocess.run(words, capture_output=True, check=False)
    return "" if tried.returncode == 0 else "perf may not look into the kernel; run it as root"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--senders", help="sizes of rooms, by commas")
    parser.add_argument("--seconds", type=float, help="of each look")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    if why := unable():
        raise SystemExit(f"Not measured: {why}.")
    return {"rows": [asyncio.run(_row(int(n), options.seconds)) for n in options.senders.split(",")]}


async def _row(senders: int, seconds: float) -> dict[str, Any]:
    """cores: the server process's CPU seconds per second, user and system; samples: by kind."""
    with tempfile.TemporaryDirectory(prefix="mixdown-bench-") as folder:
        path = Path(folder) / "samples"
        async with running_server() as server, crowd(server.url, "bench", Load(senders)):
            await asyncio.sleep(WARM_UP)
            begun, spent = time.monotonic(), server.cpu_seconds()
            words = ("-p", str(server.process.pid), "-o", str(path), "--", "sleep", str(seconds))
            await _perf("record", "-q", *EVENT, *words)
            cores = (server.cpu_seconds() - spent) / (time.monotonic() - begun)
        samples = count(await _perf("script", "-i", str(path), "-F", "tid,ip,sym,dso", "--no-inline", "--no-demangle"))
    if not samples:
        raise RuntimeError("perf took no samples")
    return {"senders": senders, "cores": cores, "samples": {kind: samples[kind] for kind in KINDS}}


async def _perf(*words: str) -> str:
    """What it printed. RuntimeError with what it complained of if it failed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("perf", *words, stdout=pipe, stderr=pipe)
    said, complained = (text.decode(errors="replace") for text in await process.communicate())
    if process.returncode:
        raise RuntimeError(f"perf {words[0]} failed: {complained[-1000:]}")
    return said


def figures(record: Record) -> list[Figure]:
    return []


def sheets(record: Record) -> list[Sheet]:
    heads = ["kind", "cores", "%", "in codecs"]
    return [sheet(_title(row), heads, _lines(row)) for row in record["rows"]]


def _title(row: Mapping[str, Any]) -> str:
    return f"profile: {row['senders']} senders, {sum(row['samples'].values())} samples"


def _lines(row: Mapping[str, Any]) -> list[list[object]]:
    """All kinds, their sum, and the sum of those that are neither Python nor its locks."""
    samples, total = row["samples"], sum(row["samples"].values())
    shown = {kind: samples[kind] for kind in KINDS}
    shown |= {"all": total, "without Python and its locks": sum(samples[kind] for kind in NATIVE)}
    return [
        [name, row["cores"] * taken / total, 100 * taken / total, _in_codecs(row, taken)]
        for name, taken in shown.items()
    ]


def _in_codecs(row: Mapping[str, Any], taken: int) -> float | None:
    """None if the codecs did nothing."""
    codecs = row["samples"]["codecs"]
    return taken / codecs if codecs else None


def panels(record: Record) -> list[Panel]:
    rows = record["rows"]
    series = {
        name: [_in_codecs(row, sum(row["samples"][kind] for kind in kinds)) for row in rows]
        for name, kinds in PLOTTED.items()
    }
    rooms = [f"{row['senders']} senders" for row in rows]
    limits = {f"target of the mixing benchmark, {FLOOR}": FLOOR}
    return [Bars("Where the server's CPU goes", "in the codecs' own work", rooms, series, stacked=True, limits=limits)]


BENCHMARK = Benchmark(
    name="profile",
    about=__doc__,
    short={"senders": "9", "seconds": 10.0},
    full={"senders": "9,16", "seconds": 20.0},
    options=options,
    measure=measure,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
