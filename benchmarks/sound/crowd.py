"""Rows of the table: 64 participants, 3 of them talking, in a real engine in real time.

The engine runs in a process of its own, set up as `mixdown serve` does it. What brings it its packets is a thread of
that process, as the edge's loop is in a server; `full_house` (house.py) has the real edge.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from enum import Enum

from benchmarks.sound.call import tone_packets
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu import clock, interpreter
from mixdown.mcu.engine.engine import Engine
from mixdown.mcu.link.messages import (
    FromMixer,
    ParticipantDocument,
    Reply,
    Request,
    RequestKind,
    RoomDocument,
    SourceFrame,
    SourceKind,
    SourceOpened,
    Subscribe,
    ViewDocument,
)
from mixdown.mixer.layout import parse_layout_name

PEOPLE = 64
TALKERS = 3
WARM_UP, SECONDS, SHORT = 4.0, 40.0, 10.0
"Seconds; 40 of them are 2000 ticks, of which a thousandth is a whole number."
LOOP = 50


class Beside(Enum):
    """What goes on meanwhile."""

    NOTHING = "nothing"
    BUSY = "as many programs that compute as there are processors"
    OFFERS = "a thread of the server that parses offers without a pause"


class _Taker:
    """What the engine delivers: streams counted, replies kept. On the engine's threads."""

    def __init__(self) -> None:
        self.packets: Counter[str] = Counter()
        self.replies: dict[int, Reply] = {}
        self.replied = threading.Event()

    def __call__(self, message: FromMixer) -> None:
        if isinstance(message, EncodedFrame):
            self.packets[message.stream] += 1
        elif isinstance(message, Reply):
            self.replies[message.id] = message
            self.replied.set()


def crowd(seed: int) -> dict[str, float]:
    """Encodes, late ticks, the engine's CPU for sound, and its delay from packet in to packet out."""
    return _apart(seed, SECONDS, Beside.NOTHING)


def pressed(seed: int) -> dict[str, float]:
    """Late ticks and the delay on a busy machine, and beside a thread that computes in Python."""
    busy, offers = (_apart(seed, SHORT, beside) for beside in (Beside.BUSY, Beside.OFFERS))
    return {
        "busy_late_percent": busy["late_percent"],
        "busy_p95_ms": busy["p95_ms"],
        "offers_late_percent": offers["late_percent"],
        "offers_p95_ms": offers["p95_ms"],
    }


def _apart(seed: int, seconds: float, beside: Beside) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    programs = [context.Process(target=_compute) for _ in range(os.cpu_count() or 1)] if beside is Beside.BUSY else []
    with context.Pool(1) as pool:
        try:
            for program in programs:
                program.start()
            return pool.apply(_alone, (seed, seconds, beside is Beside.OFFERS))
        finally:
            for program in programs:
                program.kill()
                program.join()


def _compute() -> None:
    """Ends with its parent."""
    parent = os.getppid()
    while os.getppid() == parent:
        sum(range(100_000))


def _alone(seed: int, seconds: float, offers: bool) -> dict[str, float]:
    interpreter.tune()
    interpreter.settle()
    stop = threading.Event()
    parsing = threading.Thread(target=_parse_offers, args=(stop,))
    if offers:
        parsing.start()
    try:
        return _crowd(seed, seconds)
    finally:
        stop.set()


def _parse_offers(stop: threading.Event) -> None:
    from aiortc.sdp import SessionDescription

    candidates = "".join(f"a=candidate:{n} 1 udp {n} 192.0.2.1 {n} typ host\r\n" for n in range(300))
    offer = f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{candidates}"
    while not stop.is_set():
        SessionDescription.parse(offer)


def _crowd(seed: int, seconds: float) -> dict[str, float]:
    dice = random.Random(seed)
    names = [f"p{n}" for n in range(PEOPLE)]
    taker = _Taker()
    engine = Engine(taker)
    try:
        people = tuple(ParticipantDocument(name, name) for name in names)
        engine.send(RoomDocument("room", 0, (ViewDocument("main", parse_layout_name("grid")),), people))
        for name in names:
            engine.send(SourceOpened("room", f"{name}-microphone", name, SourceKind.MICROPHONE, 0))
            engine.send(Subscribe("room", name, name, MediaKind.AUDIO, CodecId.OPUS))
        loud = [tone_packets(dice.uniform(200, 2000), LOOP, bitrate=32_000) for _ in range(TALKERS)]
        hiss = tone_packets(120.0, LOOP, amplitude=0.0002, bitrate=32_000)  # under the gate, as open microphones are
        _feed(engine, names, [*loud, *[hiss] * (PEOPLE - TALKERS)], dice, WARM_UP)
        before, packets = _stats(engine, taker, 1), Counter(taker.packets)
        began = clock.now()
        _feed(engine, names, [*loud, *[hiss] * (PEOPLE - TALKERS)], dice, seconds, first=int(WARM_UP * 50))
        after, passed = _stats(engine, taker, 2), clock.now() - began
    finally:
        engine.close()
    ticks = {key: after["ticks"]["audio"][key] - before["ticks"]["audio"][key] for key in ("count", "late", "skipped")}
    encoded = sum((taker.packets - packets).values())
    return {
        "encodes": encoded / (passed * 50),
        "late_percent": 100 * (ticks["late"] + ticks["skipped"]) / max(1, ticks["count"]),
        "cpu_cores": after["cpu_cores"]["audio"],
        "p50_ms": after["latency_ms"]["audio"]["p50"],
        "p95_ms": after["latency_ms"]["audio"]["p95"],
    }


def _feed(
    engine: Engine, names: list[str], packets: list[list[bytes]], dice: random.Random, seconds: float, first: int = 0
) -> None:
    """Everybody's packets at their times: each has a phase of his own, the same in every call with one seed."""
    phases = sorted((n * 0.02 / len(names), n) for n in range(len(names)))
    began = clock.now()
    for tick in range(int(seconds * 50)):
        for phase, n in phases:
            due = began + tick * 0.02 + phase
            if (wait := due - clock.now()) > 0.001:
                time.sleep(wait)
            number, name = first + tick, f"{names[n]}-microphone"
            data = packets[n][number % LOOP]
            engine.send(
                SourceFrame(
                    "room",
                    EncodedFrame(name, 0, CodecId.OPUS, number, number, number * 960, data, arrival=clock.now()),
                )
            )


def _stats(engine: Engine, taker: _Taker, number: int) -> dict[str, dict[str, dict[str, float]]]:
    taker.replied.clear()
    engine.send(Request(number, RequestKind.STATS, "room"))
    if not taker.replied.wait(5.0):
        raise RuntimeError("the engine does not answer")
    return taker.replies[number].value  # type: ignore[no-any-return]
