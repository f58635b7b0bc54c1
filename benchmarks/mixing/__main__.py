"""What mixing costs: the server's CPU with N real senders and receivers, against its bare codec work, in one run.

    python -m benchmarks.mixing [--senders 1,4,9,16,25] [--groups rooms,h264,hd,listeners] [--seconds 10] [--rounds 5]
                                [--rivals gstreamer,ffmpeg,aiortc] [--full] [--json FILE]

N senders of 640x360 VP8 at 30/s and Opus, over WebRTC; 1280x720 at 30/s and a mix back to each. CPU seconds per second
of the server alone, everything in (DTLS-SRTP, sound, HTTP). Their rate is fixed: clips encoded before. floor: decoding
the same frames and packets and encoding the same canvases and mixes, bare, as often as the server did. Beside it, where
they are installed: GStreamer's compositor with plain RTP and no sound; ffmpeg's xstack, clips in and plain RTP out, no
sound; a plain aiortc server with sound, SRTP and an encoder a peer. Medians of the rounds at 9 and 16, else one round.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import asdict
from functools import cache
from typing import Any

from benchmarks.command import Benchmark, main
from benchmarks.mixing import ffmpeg, gstreamer, plain_aiortc
from benchmarks.mixing.content import sound_clip, video_clip
from benchmarks.mixing.crowd import ENCODERS
from benchmarks.mixing.floor import Floor, Prices
from benchmarks.mixing.loads import GROUPS, JUDGED, Load, loads
from benchmarks.mixing.recording import Recording
from benchmarks.mixing.room import Round, measure
from benchmarks.mixing.table import figures, panels, sheets
from benchmarks.record import load as machine_load
from mixdown.mcu.config import Settings

RIVALS = {"gstreamer": gstreamer, "ffmpeg": ffmpeg, "aiortc": plain_aiortc}
KEPT = ("cores", "floor", "real_time_floor", "ratio", "machine_load")
"Of each round."
VOICES = 8
"Different ones; beyond that they repeat."


@cache
def _clips(load: Load) -> tuple[list[bytes], list[list[bytes]], list[bytes]]:
    """What the crowd sends: its picture, voices, a room's noise."""
    voices = [sound_clip(True, seed=n) for n in range(min(load.voices, VOICES))]
    return video_clip(ENCODERS[load.codec], load.picture, load.kbps), voices, sound_clip(False)


def floor_of(load: Load, made: Round, heard: Recording) -> Floor:
    """Of what was just mixed, with the settings of a server that was not told any."""
    settings = Settings()
    opus = settings.opus_bitrate, settings.opus_complexity
    return Floor(load, *_clips(load), heard, made.pictures, opus)


def round_of(load: Load, seconds: float) -> dict[str, Any]:
    """The server, and the floor of what it did: in real time beside the room, without pauses right after it."""
    before = machine_load()

    def beside(made: Round, heard: Recording) -> tuple[Floor, Prices]:
        bare = floor_of(load, made, heard)
        return bare, bare.in_real_time(seconds / 2)

    made, heard, (bare, paced) = asyncio.run(measure(load, seconds, beside))
    price = bare.prices()
    video, floor = work_of(made, price)
    video_paced, real_time = work_of(made, paced)
    found = {"machine_load": before, "ratio": made.cores / floor, "floor": floor, "video_floor": video}
    found |= {"real_time_floor": real_time, "real_time_video": video_paced}
    found |= {"video_ratio": (made.cores - made.parts["audio"]) / video}
    return {**asdict(made), **found, "prices_ms": asdict(price), "paced_ms": asdict(paced), "lost": heard.lost}


def work_of(made: Round, price: Prices) -> tuple[float, float]:
    """Cores: of the pictures alone, of everything."""
    video = price.video(made.decoded, made.encoded)
    return video, video + price.sound(made.voices, made.noises, 50 * made.mixes)


def row(group: str, load: Load, seconds: float, rounds: int, rivals: list[str]) -> dict[str, Any]:
    """All rounds; the one whose ratio is the middle one is `round`. GStreamer has a target, so it runs in each."""
    made: list[dict[str, Any]] = []
    others: dict[str, list[dict[str, float]]] = {}
    for n in range(rounds):
        made.append(round_of(load, seconds))
        for name in rivals:
            if RIVALS[name].available(load) and (n == 0 or name == "gstreamer"):
                others.setdefault(name, []).append(RIVALS[name].measure(load, seconds))
        print(f"{group}: {load.senders} + {load.viewers}, round {n + 1}: {made[-1]['cores']:.3f} cores", flush=True)
    return {
        "group": group,
        "load": asdict(load),
        "round": sorted(made, key=lambda each: float(each["ratio"]))[len(made) // 2],
        "rounds": [
            {name: one[name] for name in ("cores", "floor", "real_time_floor", "ratio", "machine_load")} for one in made
        ],
        "rivals": others,
    }


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--groups", help=", ".join(f"{name}: {about}" for name, about in GROUPS.items()))
    parser.add_argument("--senders", help="sizes of rooms")
    parser.add_argument("--viewers", help="of the group listeners")
    parser.add_argument("--seconds", type=float, help="of each round")
    parser.add_argument("--rounds", type=int, help=f"with {', '.join(map(str, JUDGED))} senders; else one")
    parser.add_argument("--rivals", help=f"of {', '.join(RIVALS)}; none: an empty word")


def measured(options: argparse.Namespace) -> dict[str, Any]:
    sizes, viewers = ([int(n) for n in words.split(",")] for words in (options.senders, options.viewers))
    rivals = [name for name in options.rivals.split(",") if name]
    if unknown := [name for name in rivals if name not in RIVALS]:
        raise SystemExit(f"no such rival: {', '.join(unknown)}; there are {', '.join(RIVALS)}")
    if unknown := [name for name in options.groups.split(",") if name not in GROUPS]:
        raise SystemExit(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    rows = []
    for group in options.groups.split(","):
        for load in loads(group, sizes, viewers):
            rounds = options.rounds if group == "rooms" and load.senders in JUDGED else 1
            rows.append(row(group, load, options.seconds, rounds, [] if group == "listeners" else rivals))
    return {"rows": rows}


BENCHMARK = Benchmark(
    name="mixing",
    about=__doc__,
    short={
        "groups": "rooms,listeners",
        "senders": "9",
        "viewers": "1,50",
        "seconds": 6.0,
        "rounds": 1,
        "rivals": "gstreamer",
    },
    full={
        "groups": "rooms,h264,hd,listeners",
        "senders": "1,4,9,16,25",
        "viewers": "1,10,50,200",
        "seconds": 10.0,
        "rounds": 5,
        "rivals": ",".join(RIVALS),
    },
    options=options,
    measure=measured,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
