"""What mixing costs: the server's CPU with N real senders and receivers, against its bare codec work, in one run.

    python -m benchmarks.mixing [--senders 1,4,9,16,25] [--viewers 0] [--talking 3] [--codec VP8] [--seconds 15]
                                [--rounds 5] [--json FILE]

N senders of 640x360 VP8 at 30/s and Opus, over WebRTC; 1280x720 at 30/s and a mix back to each. CPU seconds per second
of the server alone, everything in (DTLS-SRTP, sound, HTTP). floor: decoding the same frames and packets and encoding
the same canvases and mixes, bare, as often as the server did. gst: GStreamer's compositor with plain RTP and no sound,
where it is installed. The medians of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.mixing import gstreamer
from benchmarks.mixing.content import sound_clip, video_clip
from benchmarks.mixing.crowd import ENCODERS
from benchmarks.mixing.floor import Prices, prices
from benchmarks.mixing.room import Load, Round, measure
from benchmarks.record import load as machine_load
from benchmarks.record import machine, save
from mixdown.codecs.encoded import CodecId, TierName
from mixdown.mcu.config import Settings
from mixdown.mcu.engine.tiers import tier_of
from mixdown.mcu.link.messages import Canvas
from mixdown.mixer.media import Size

TARGET, FIRST_STEP = 1.25, 1.5
OF_GSTREAMER = 0.85
CODECS = {"VP8": CodecId.VP8, "H264": CodecId.H264}


def bare(load: Load) -> Prices:
    """The codecs' prices for this load, with the settings of a server that was not told any."""
    width, height = map(int, load.size.split("x"))
    clip = video_clip(ENCODERS[load.codec], Size(width, height), load.kbps)
    tier = tier_of(Canvas(), TierName.FULL)
    settings = Settings()
    return prices(
        CODECS[load.codec],
        clip,
        sound_clip(True),
        load.senders,
        tier,
        settings.opus_bitrate,
        settings.opus_complexity,
    )


def row(load: Load, seconds: float, rounds: int) -> dict[str, Any]:
    """The medians of the rounds, and each round's own prices: the machine's speed changes under other loads."""
    found: list[tuple[Round, Prices, float, float]] = []
    for _ in range(rounds):
        before = machine_load()
        price = bare(load)
        made = asyncio.run(measure(load, seconds))
        floor = price.video(made.decoded, made.encoded) + price.sound(made.packets, 50 * made.mixes)
        found.append((made, price, floor, before))
    other = _gstreamer(load, seconds, rounds)
    middle = sorted(found, key=lambda each: each[0].cores / each[2])[len(found) // 2]
    made, price, floor, before = middle
    return {
        "load": asdict(load),
        "machine_load": before,
        "gstreamer_cores": other,
        "ratio": made.cores / floor,
        "ratios": [each[0].cores / each[2] for each in found],
        "cores": statistics.median(each[0].cores for each in found),
        "floor": floor,
        "video_floor": price.video(made.decoded, made.encoded),
        "prices_ms": asdict(price),
        "round": asdict(made),
    }


def _gstreamer(load: Load, seconds: float, rounds: int) -> float | None:
    """The median of its cores for the same pictures; None where it is not installed or the load is none it does."""
    if not gstreamer.available() or load.viewers or load.codec != "VP8":
        return None
    return statistics.median(gstreamer.measure(load, seconds)["cores"] for _ in range(rounds))


def show(rows: list[dict[str, Any]]) -> None:
    heads = ["senders", "viewers", "codec", "cores", "floor", "ratio", "gst", "fps", "gap_ms", "late_%", "MB", "kb/s"]
    heads.append("latency_p50/p95")
    table = Table(*heads, title="mixing: server CPU in cores, medians")
    split = Table("senders", *rows[0]["round"]["parts"], title="where it goes, cores")
    for each in rows:
        load, made = each["load"], each["round"]
        delay = made["latency_ms"]["video"]
        table.add_row(
            *(str(load[k]) for k in ("senders", "viewers", "codec")),
            *(f"{each[k]:.3f}" for k in ("cores", "floor", "ratio")),
            f"{each['gstreamer_cores']:.3f}" if each["gstreamer_cores"] else "-",
            f"{made['fps']:.1f}",
            f"{made['longest_gap'] * 1000:.0f}",
            f"{made['late'] * 100:.1f}",
            *(f"{made[k]:.0f}" for k in ("memory_mb", "kbps")),
            f"{delay['p50']:.0f} / {delay['p95']:.0f}",
        )
        split.add_row(str(load["senders"]), *(f"{value:.3f}" for value in made["parts"].values()))
    console = Console(width=140)
    console.print(table, split)
    console.print(
        f"target: ratio <= {TARGET} (first step {FIRST_STEP}) at 9 and 16 senders, 30/s, late ticks under 1 %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--senders", default="1,4,9,16,25")
    parser.add_argument("--viewers", default="0")
    parser.add_argument("--talking", type=int, default=3)
    parser.add_argument("--codec", default="VP8", choices=ENCODERS)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--kbps", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="the record, besides the one in benchmarks/results/")
    options = parser.parse_args()
    loads = [
        Load(int(n), options.talking, int(m), options.codec, options.size, options.kbps)
        for n in options.senders.split(",")
        for m in options.viewers.split(",")
    ]
    rows = [row(load, options.seconds, options.rounds) for load in loads]
    show(rows)
    record = {"machine": machine(), "rows": rows}
    print(save("mixing", record))
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
