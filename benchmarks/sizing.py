"""How large a machine must be, from the record of `mixing`: straight lines through what was measured.

Pure. cores(n) of a room whose n participants all send and receive = a + b n, and each viewer who sends nothing adds c;
the same with memory. Bandwidth follows from what one client was sent and from what it sends.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.mixing.table import cores, rows_of
from benchmarks.sheet import Sheet, sheet

Record = Mapping[str, Any]
ROOMS, AUDIENCES = (2, 4, 9, 16, 25, 49), (10, 50, 200, 500, 1000)
PRESENTERS = 4
"Who send before an audience, as in the benchmark."
HEADERS = 20 + 8 + 12 + 10
"Bytes a packet: IPv4, UDP, RTP, the tag of SRTP. Extensions of the RTP header come on top."
PAYLOAD = 1200
OPUS_KBPS, SOUND_PACKETS = 32, 50
"What a participant's microphone sends."


@dataclass(frozen=True, slots=True)
class Line:
    """y = base + each x. off: by how much the line misses the worst of its points; most: the largest x measured."""

    base: float
    each: float
    off: float
    most: int

    def at(self, x: float) -> float:
        return self.base + self.each * x


def fit(points: Sequence[tuple[float, float]]) -> Line:
    """The straight line nearest to the points. ValueError of fewer than two."""
    if len(points) < 2:
        raise ValueError("a line needs two points")
    slope, base = statistics.linear_regression(*zip(*points, strict=True))
    off = max(abs(base + slope * x - y) for x, y in points)
    return Line(base, slope, off, int(max(x for x, _ in points)))


@dataclass(frozen=True, slots=True)
class Model:
    """cores, memory (MB): of a room by participants, of an audience by viewers. down, up: kb/s on the wire, to and from
    one participant."""

    room_cores: Line
    room_memory: Line
    viewer_cores: Line
    viewer_memory: Line
    down: float
    up: float


def model(record: Record) -> Model | None:
    """None if the record has too few rooms or audiences."""
    rooms, listeners = rows_of(record, "rooms"), rows_of(record, "listeners")
    if len(rooms) < 2 or len(listeners) < 2:
        return None

    def through(rows: Sequence[Record], by: str, memory: bool) -> Line:
        return fit([(row["load"][by], row["round"]["memory_mb"] if memory else cores(row)) for row in rows])

    return Model(
        through(rooms, "senders", False),
        through(rooms, "senders", True),
        through(listeners, "viewers", False),
        through(listeners, "viewers", True),
        statistics.median(row["round"]["wire_kbps"] for row in rooms),
        sent_by_one(rooms[0]["load"]["kbps"]),
    )


def sent_by_one(kbps: float, fps: int = 30) -> float:
    """kb/s on the wire of a participant who sends a picture of so many kb/s, and sound."""
    packets = fps * math.ceil(kbps * 1000 / 8 / fps / PAYLOAD) + SOUND_PACKETS
    return kbps + OPUS_KBPS + packets * HEADERS * 8 / 1000


def sheets(found: Model) -> list[Sheet]:
    return [_lines(found), _rooms(found), _audiences(found)]


def _lines(found: Model) -> Sheet:
    named = {
        "cores, room of n": found.room_cores,
        "MB, room of n": found.room_memory,
        f"cores, {PRESENTERS} senders and n viewers": found.viewer_cores,
        f"MB, {PRESENTERS} senders and n viewers": found.viewer_memory,
    }
    rows = [
        [name, f"{_figure(line.base)} + {_figure(line.each)} n", _figure(line.off), line.most]
        for name, line in named.items()
    ]
    return sheet("the lines", ["what", "line", "off at most by", "measured to n ="], rows)


def _rooms(found: Model) -> Sheet:
    rows = [
        [
            _marked(n, found.room_cores),
            f"{found.room_cores.at(n):.2f}",
            f"{found.room_memory.at(n):.0f}",
            f"{n * found.up / 1000:.1f}",
            f"{n * found.down / 1000:.1f}",
        ]
        for n in ROOMS
    ]
    return sheet("a room of n, all send and receive", ["n", "cores", "MB", "Mb/s in", "Mb/s out"], rows)


def _audiences(found: Model) -> Sheet:
    rows = [
        [
            _marked(n, found.viewer_cores),
            f"{found.viewer_cores.at(n):.2f}",
            f"{found.viewer_memory.at(n):.0f}",
            f"{PRESENTERS * found.up / 1000:.1f}",
            f"{(PRESENTERS + n) * found.down / 1000:.1f}",
        ]
        for n in AUDIENCES
    ]
    title = f"{PRESENTERS} who send, and an audience of n"
    return sheet(title, ["n", "cores", "MB", "Mb/s in", "Mb/s out"], rows)


def _marked(n: int, line: Line) -> str:
    return f"{n} (beyond what was measured)" if n > line.most else str(n)


def _figure(value: float) -> str:
    """Three digits that count."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
