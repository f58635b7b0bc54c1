"""The mixing benchmark's tables, targets and plot, from its record. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.figure import Figure, at_least, at_most
from benchmarks.mixing.loads import JUDGED
from benchmarks.plot import Bars, Lines, Panel
from benchmarks.sheet import Sheet, sheet

FLOOR, FIRST_STEP, OF_GSTREAMER, LATE = 1.25, 1.5, 0.85, 0.01
VIEWER = 0.4
"% of a core that one further viewer may cost."
FULL_RATE = 29.5
"Pictures a second that count as 30 held: what a client counts in ten seconds may be one less."
RIVALS = {"gstreamer": "GStreamer", "ffmpeg": "ffmpeg", "aiortc": "plain aiortc"}
PARTS = ("receive", "decode", "compose", "encode", "audio", "send", "rest")

Record = Mapping[str, Any]
Row = Mapping[str, Any]


def rows_of(record: Record, group: str) -> list[Row]:
    return [row for row in record["rows"] if row["group"] == group]


def cores(row: Row) -> float:
    """The median of the rounds'."""
    return float(statistics.median(one["cores"] for one in row["rounds"]))


def ratio(row: Row) -> float:
    """To the floor, the median of the rounds'."""
    return float(statistics.median(one["ratio"] for one in row["rounds"]))


def pauses(row: Row) -> float:
    """The same bare work in real time beside the room, of the floor; the median of the rounds'."""
    return float(statistics.median(one["real_time_floor"] / one["floor"] for one in row["rounds"]))


def rival(row: Row, name: str) -> float | None:
    """Its cores, the median of its rounds; None if it did not run."""
    found = row["rivals"].get(name)
    return statistics.median(one["cores"] for one in found) if found else None


def rival_fps(row: Row, name: str) -> float | None:
    found = row["rivals"].get(name)
    return statistics.median(one["fps"] for one in found) if found else None


def figures(record: Record) -> list[Figure]:
    found = [one for row in rows_of(record, "rooms") if row["load"]["senders"] in JUDGED for one in _judged(row)]
    per_viewer = slope(rows_of(record, "listeners"))
    if per_viewer is not None:
        most = max(row["load"]["viewers"] for row in rows_of(record, "listeners"))
        found.append(at_most("each further viewer", per_viewer * 100, VIEWER, "% of a core", note=f"to {most} viewers"))
    return found


def _judged(row: Row) -> list[Figure]:
    name, made = f"{row['load']['senders']} senders", row["round"]
    ratios = ", ".join(f"{one['ratio']:.2f}" for one in row["rounds"])
    note = f"first step {FIRST_STEP}; rounds {ratios}; control: the bare codecs in real time"
    found = [at_most(f"{name}: CPU, of the codec floor", ratio(row), FLOOR, control=pauses(row), note=note)]
    other = rival(row, "gstreamer")
    if other:
        note = f"{cores(row):.3f} cores against {other:.3f}"
        found.append(at_most(f"{name}: CPU, of GStreamer's", cores(row) / other, OF_GSTREAMER, note=note))
    found.append(at_least(f"{name}: pictures a second, worst client", made["fps"], FULL_RATE))
    found.append(at_most(f"{name}: ticks late or left out", made["late"] * 100, LATE * 100, "%"))
    return found


def slope(rows: Sequence[Row]) -> float | None:
    """Cores for each further viewer: the straight line nearest to the rounds. None of fewer than two."""
    points = [(float(row["load"]["viewers"]), cores(row)) for row in rows]
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else None


def sheets(record: Record) -> list[Sheet]:
    rows = record["rows"]
    found = [_comparison(rows), _health(rows), _split(rows), _over(rows)]
    return [*found, _others(rows)] if any(row["rivals"] for row in rows) else found


def name_of(row: Row) -> str:
    """As in "9, 720p in": who is in the room."""
    load = row["load"]
    words = [str(load["senders"])]
    words += [f"+ {load['viewers']}"] if load["viewers"] else []
    words += [f"{load['receive']} out"] if load["receive"] != "VP8" else []
    words += [f"{load['size'].split('x')[1]}p in"] if load["size"] != "640x360" else []
    return words[0] + (" " + ", ".join(words[1:]) if words[1:] else "")


def _comparison(rows: Sequence[Row]) -> Sheet:
    heads = ["senders", "Mixdown", "floor", "ratio", "in real time", "ratio", "video floor", "ratio"]
    heads += [head for name in RIVALS.values() for head in (name, "of it")]

    def line(row: Row) -> list[object]:
        made, own = row["round"], cores(row)
        floor = statistics.median(one["floor"] for one in row["rounds"])
        cells: list[object] = [name_of(row), own, floor, ratio(row), pauses(row) * floor, ratio(row) / pauses(row)]
        cells += [made["video_floor"], made["video_ratio"]]
        for name in RIVALS:
            other, rate = rival(row, name), rival_fps(row, name)
            slow = f" at {rate:.0f}/s" if rate is not None and rate < FULL_RATE - 1 else ""
            cells += [f"{other:.3f}{slow}", own / other] if other else [None, None]
        return cells

    return sheet("mixing: CPU in cores, medians of the rounds", heads, map(line, rows))


def _health(rows: Sequence[Row]) -> Sheet:
    heads = ["senders", "pictures/s", "longest gap ms", "late %", "dropped/s", "kb/s", "PSNR dB", "bare", "MB"]
    heads += ["delay p50 ms", "p95"]

    def line(row: Row) -> list[object]:
        made, price = row["round"], row["round"]["prices_ms"]
        delay = made["latency_ms"]["video"]
        late = f"{made['late'] * 100:.2f}"
        cells = [name_of(row), f"{made['fps']:.1f}", f"{made['longest_gap'] * 1000:.0f}", late, made["dropped"]]
        cells += [f"{made['kbps']:.0f}", price["server_psnr"], price["psnr"], f"{made['memory_mb']:.0f}"]
        return [*cells, delay["p50"], delay["p95"]]

    return sheet(
        "what came out: worst of the clients that look, quality against the server's canvases", heads, map(line, rows)
    )


def _others(rows: Sequence[Row]) -> Sheet:
    """What the others sent to one receiver."""
    names = [(row, name) for row in rows for name in RIVALS if row["rivals"].get(name)]
    lines = [
        [name_of(row), RIVALS[name], f"{rival_fps(row, name):.1f}", f"{row['rivals'][name][0]['kbps']:.0f}"]
        for row, name in names
    ]
    return sheet("what came out of the others", ["senders", "of", "pictures/s", "kb/s"], lines)


def _split(rows: Sequence[Row]) -> Sheet:
    def line(row: Row) -> list[object]:
        made = row["round"]
        return [name_of(row), *(made["parts"][part] for part in PARTS), sum(made["parts"].values()), made["cores"]]

    return sheet("where it goes: cores, by `stats`", ["senders", *PARTS, "sum", "process"], map(line, rows))


def _over(rows: Sequence[Row]) -> Sheet:
    """Summed, the ratio. codecs' pauses: the bare work in real time; hand-offs: what decode and encode are over it."""
    heads = ["senders", "floor", "codecs' pauses", "hand-offs", "compose", "audio", "receive", "send", "rest", "ratio"]

    def line(row: Row) -> list[object]:
        made, parts = row["round"], row["round"]["parts"]
        sound = made["real_time_floor"] - made["real_time_video"]
        over = {
            "pauses": made["real_time_floor"] - made["floor"],
            "hand-offs": parts["decode"] + parts["encode"] - made["real_time_video"],
            "compose": parts["compose"],
            "audio": parts["audio"] - sound,
            "receive": parts["receive"],
            "send": parts["send"],
        }
        over["rest"] = made["cores"] - made["floor"] - sum(over.values())
        shares = [f"{value / made['floor']:.2f}" for value in over.values()]
        return [name_of(row), "1.00", *shares, made["ratio"]]

    return sheet("what is over the floor, in floors", heads, map(line, rows))


def panels(record: Record) -> list[Panel]:
    rooms, others = rows_of(record, "rooms"), rows_of(record, "h264") + rows_of(record, "hd")
    found: list[Panel] = []
    if rooms:
        found += [_bars("CPU by senders, VP8", rooms), _stack("Where it goes, VP8", rooms)]
    if others:
        found.append(_bars("CPU by senders, other loads", others))
    if listeners := rows_of(record, "listeners"):
        points = [(float(row["load"]["viewers"]), cores(row)) for row in listeners]
        found.append(Lines("CPU by viewers, four senders", "viewers", "cores", {"Mixdown": points}))
    return found


def _bars(title: str, rows: Sequence[Row]) -> Bars:
    series: dict[str, list[float | None]] = {
        "Mixdown": [cores(row) for row in rows],
        "codec floor": [statistics.median(one["floor"] for one in row["rounds"]) for row in rows],
        "in real time": [statistics.median(one["real_time_floor"] for one in row["rounds"]) for row in rows],
    }
    series |= {
        RIVALS[name]: [rival(row, name) for row in rows] for name in RIVALS if any(rival(row, name) for row in rows)
    }
    return Bars(title, "cores", [name_of(row) for row in rows], series)


def _stack(title: str, rows: Sequence[Row]) -> Bars:
    series = {part: [row["round"]["parts"][part] for row in rows] for part in PARTS}
    return Bars(title, "cores", [name_of(row) for row in rows], series, stacked=True)
