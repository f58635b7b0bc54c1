"""What sound costs: the server's CPU with N people in a room, K of whom talk, beside Janus AudioBridge.

    python -m benchmarks.audio [--people 4,16,64,256] [--talking 1,3,all] [--seconds 8] [--rounds 5]
                               [--systems mixdown,janus,janus-mono] [--full] [--json FILE]

The same clients for both: WebRTC (ICE, DTLS-SRTP), all of whom send Opus all the time, microphones of silent people
included, and are sent a mix of 20 ms packets. Opus is encoded alike: 48 kHz, stereo (Janus: `spatial_audio`), with
Mixdown's bitrate and complexity, no FEC. janus-mono: Janus as it is by default, beside the 64 people alone. In turns,
in one run; CPU is user and system of the server's process alone; medians of the rounds at 64 people, else one round.

Checked in each run, by tones in the voices: nobody hears himself, everybody hears the others. With more than 8 talking,
Mixdown lets each hear the 8 loudest others, Janus all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from typing import Any

from benchmarks.audio.janus import available, version
from benchmarks.audio.rounds import SYSTEMS, measure, opus
from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure, at_least, at_most
from benchmarks.plot import Lines, Panel
from benchmarks.sheet import Sheet, sheet
from mixdown.mcu.config import Settings

THREE, ALL = 0.5, 0.8
"Of Janus' cores at JUDGED people, 3 or all talking."
JUDGED = 64
OWN_UNDER = 20.0
"dB by which one's own voice must be weaker in one's mix than in the others', for a run to count."
PACKETS = 49.0
"A second, at least, of the 50 of each mix."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", help="in the room, all sending")
    parser.add_argument("--talking", help="how many of them talk")
    parser.add_argument("--seconds", type=float, help="of each look at the CPU")
    parser.add_argument("--rounds", type=int, help=f"with {JUDGED} people; else one")
    parser.add_argument("--systems", help=f"of {', '.join(SYSTEMS)}")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    wanted = [name for name in options.systems.split(",") if name == "mixdown" or available()]
    rows: dict[tuple[int, int, str], list[dict[str, Any]]] = {}
    for turn in range(options.rounds):
        for people in (n for n in map(int, options.people.split(",")) if turn == 0 or n == JUDGED):
            systems = [name for name in wanted if people == JUDGED or name != "janus-mono"]
            for system in systems if turn % 2 == 0 else reversed(systems):
                made = await measure(system, people, counts(options.talking, people), options.seconds)
                for talking, found in made.items():
                    rows.setdefault((people, talking, system), []).append(found)
    return {
        "opus": opus(Settings()),
        "janus": await version() if available() else None,
        "rows": [
            {"people": people, "talking": talking, "system": system, "rounds": found}
            for (people, talking, system), found in rows.items()
        ],
    }


def counts(talking: str, people: int) -> list[int]:
    """As in "1,3,all": how many talk, none of them twice."""
    return sorted({min(people, people if word == "all" else int(word)) for word in talking.split(",")})


def cores(record: Record, people: int, talking: int, system: str) -> float | None:
    """The median of the rounds; None if it was not measured."""
    rounds = _rounds(record, system, people, talking)
    return statistics.median(each["cores"] for each in rounds) if rounds else None


def figures(record: Record) -> list[Figure]:
    found = []
    for name, talking, limit in (("3", 3, THREE), ("all", JUDGED, ALL)):
        ours, theirs = (cores(record, JUDGED, talking, system) for system in ("mixdown", "janus"))
        if ours is not None and theirs:
            note = f"{ours:.3f} cores against {theirs:.3f}"
            found.append(at_most(f"CPU of Janus', {JUDGED} people, {name} talking", ours / theirs, limit, note=note))
    under = [each["own_under_others"] for each in _rounds(record, "mixdown")]
    heard = [value for value in under if value is not None]
    if heard:
        found.append(
            at_least("own voice under what others hear of it, worst of all rooms", min(heard), OWN_UNDER, "dB")
        )
    return found + _comparable(record)


def _comparable(record: Record) -> list[Figure]:
    """Whether both did the work where they are compared. In larger rooms Janus may want more than the machine has."""
    found = []
    for system in ("mixdown", "janus"):
        rounds = _rounds(record, system, JUDGED)
        if rounds:
            packets = min(each["packets"] for each in rounds)
            found.append(at_least(f"packets of a mix a second, {JUDGED} people, {system}, worst", packets, PACKETS))
    return found


def _rounds(record: Record, system: str, people: int | None = None, talking: int | None = None) -> list[dict[str, Any]]:
    """Of all rooms, or of those with so many in them, so many of whom talk."""
    return [
        each
        for row in record["rows"]
        if row["system"] == system and people in (None, row["people"]) and talking in (None, row["talking"])
        for each in row["rounds"]
    ]


def sheets(record: Record) -> list[Sheet]:
    heads = ("people", "talking", *(f"{system}, cores" for system in SYSTEMS), "of Janus'", "of mono", "encodes")
    rows = []
    for people, talking in sorted({(row["people"], row["talking"]) for row in record["rows"]}):
        values = [cores(record, people, talking, system) for system in SYSTEMS]
        ratios = [values[0] / other if values[0] and other else None for other in values[1:]]
        rows.append((people, talking, *values, *ratios, *_ours(record, people, talking)))
    heads = (*heads, "late ticks, %", "own voice, dB", "packets/s", "Janus'")
    opus = record["opus"]
    about = f"{opus['bitrate'] // 1000} kb/s, complexity {opus['complexity']}, Janus {record['janus']}"
    return [sheet(f"audio: server CPU, medians; {about}", heads, rows)]


def _ours(record: Record, people: int, talking: int) -> tuple[object, ...]:
    """Encodes, late ticks in per cent and the own voice's level of our rounds; packets a second of both, the worst."""
    rounds = _rounds(record, "mixdown", people, talking)
    under = [each["own_under_others"] for each in rounds if each["own_under_others"] is not None]
    worst = [
        f"{min(each['packets'] for each in made):.1f}" if made else None
        for made in (rounds, _rounds(record, "janus", people, talking))
    ]
    if not rounds:
        return (None, None, None, *worst)
    late = statistics.median(100 * each["late"] for each in rounds)
    return max(each["encodes"] for each in rounds), f"{late:.2f}", f"{-min(under):.0f}" if under else None, *worst


def panels(record: Record) -> list[Panel]:
    found: list[Panel] = []
    for name in ("1", "3", "all"):
        series: dict[str, list[tuple[float, float]]] = {}
        for row in record["rows"]:
            if row["talking"] == (row["people"] if name == "all" else int(name)):
                middle = statistics.median(each["cores"] for each in row["rounds"])
                series.setdefault(row["system"], []).append((row["people"], middle))
        if series:
            found.append(Lines(f"Sound, {name} talking", "people", "cores", series, log=True))
    return found


BENCHMARK = Benchmark(
    name="audio",
    about=__doc__ or "",
    short={"people": "64", "talking": "3,all", "seconds": 5.0, "rounds": 1, "systems": "mixdown,janus"},
    full={
        "people": "4,16,64,256",
        "talking": "1,3,all",
        "seconds": 6.0,
        "rounds": 5,
        "systems": "mixdown,janus,janus-mono",
    },
    options=options,
    measure=run,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
