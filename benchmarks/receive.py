"""What a received packet costs: CPU per RTP packet of Mixdown's way in against stock aiortc's, in one run.

The same participants (moving VP8 640x360 30/s at 900 kb/s, and Opus; encoded before) send to each of the two in turn;
they live in a child process, over ICE, DTLS, SRTP and loopback UDP. Ours: socket -> SRTP -> receiver -> encoded frames,
RTCP and polling included. Theirs: socket -> SRTP -> RTCRtpReceiver -> jitter buffer -> encoded frames, RTCP included;
what it hands to its decoder's thread is thrown away there. Measured is the CPU time of the thread of the event loop,
while packets come, so neither side's decoding is in it, nor the thread that aiortc would decode in.

    python -m benchmarks.receive [--peers 8] [--seconds 8] [--rounds 3] [--loop uvloop|asyncio] [--full] [--json FILE]

Both run on uvloop, which `mixdown serve` uses, or both on asyncio's own loop.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.aiortc_client import no_decoding
from support.replay_client import ReplayClient
from support.sources import source

from benchmarks.command import Benchmark, Record, main
from benchmarks.fanout import Signalling
from benchmarks.figure import Figure, at_most
from benchmarks.plot import Bars, Panel
from benchmarks.sheet import Sheet, sheet
from mixdown.mcu import clock
from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.edge.types import EdgeConfig, JoinRequest
from mixdown.mcu.link.messages import SourceFrame, ToMixer

TARGET = 0.7
SETTLE = 1.5
"Seconds before measuring: handshakes and first reports are past."


def senders(pipe: Connection) -> None:
    """The child: participants who send when they are connected."""
    asyncio.run(_senders(pipe))


async def _senders(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    clients: list[ReplayClient] = []
    while True:
        command, argument = await loop.run_in_executor(None, pipe.recv)
        if command == "offer":
            clients.append(ReplayClient(replace(source(len(clients) % 4), moving=True)))
            pipe.send(await clients[-1].offer())
        elif command == "answer":
            await clients[-1].answer(argument)
            pipe.send("taken")
        elif command == "reset":
            await asyncio.gather(*(client.close() for client in clients))
            clients.clear()
            pipe.send("closed")
        else:
            return


class Sink:
    """The mixer's place: takes encoded frames and counts them."""

    def __init__(self) -> None:
        self.frames = 0

    def send(self, message: ToMixer) -> None:
        self.frames += isinstance(message, SourceFrame)


async def measure(seconds: float, packets: Callable[[], int]) -> dict[str, float]:
    await asyncio.sleep(SETTLE)
    began, before = clock.thread_cpu(), packets()
    await asyncio.sleep(seconds)
    return {"cpu": clock.thread_cpu() - began, "packets": packets() - before}


async def mixdown(signalling: Signalling, peers: int, seconds: float) -> dict[str, float]:
    sink = Sink()
    edge = Edge(sink, EdgeConfig(), lambda state: None)
    for index in range(peers):
        answer = await edge.join(JoinRequest("room", f"p{index}", await signalling.ask("offer")))
        await signalling.ask("answer", answer.sdp)
    while not all(peer.connected for peer in edge._peers.values()):
        await asyncio.sleep(0.01)

    def packets() -> int:
        receivers = [r for peer in edge._peers.values() for r in peer.lines.receivers.values()]
        return sum(r.reception.received for r in receivers if r.reception is not None)

    made = await measure(seconds, packets) | {"frames": sink.frames}
    await edge.close()
    await signalling.ask("reset")
    return made


async def stock(signalling: Signalling, peers: int, seconds: float) -> dict[str, float]:
    connections: list[RTCPeerConnection] = []
    for _ in range(peers):
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(await signalling.ask("offer"), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        await signalling.ask("answer", connection.localDescription.sdp)
    while not all(connection.connectionState == "connected" for connection in connections):
        await asyncio.sleep(0.01)

    def packets() -> int:
        streams = [s for c in connections for r in c.getReceivers() for s in r._RTCRtpReceiver__remote_streams.values()]
        return sum(stream.packets_received for stream in streams)

    made = await measure(seconds, packets)
    await asyncio.gather(*(connection.close() for connection in connections))
    await signalling.ask("reset")
    return made


async def compare(peers: int, seconds: float, rounds: int) -> dict[str, Any]:
    """us of CPU per packet of both, each round in turn; the ratio is the median of the rounds' ratios."""
    ours, child = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=senders, args=(child,), daemon=True)
    process.start()
    signalling = Signalling(ours)
    found: dict[str, list[float]] = {"mixdown": [], "stock": []}
    rates = []
    with ExitStack() as stack:
        stack.enter_context(no_decoding())
        for _ in range(rounds):
            for name, run in (("mixdown", mixdown), ("stock", stock)):
                made = await run(signalling, peers, seconds)
                found[name].append(1e6 * made["cpu"] / made["packets"])
                rates.append(made["packets"] / seconds)
    ours.send(("end", None))
    process.join(5)
    ratios = [a / b for a, b in zip(found["mixdown"], found["stock"], strict=True)]
    return {
        "packets_a_second": round(statistics.median(rates)),
        "mixdown_us": [round(value, 2) for value in found["mixdown"]],
        "stock_us": [round(value, 2) for value in found["stock"]],
        "ratio": round(statistics.median(ratios), 3),
    }


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", type=int)
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"))


def measured(options: argparse.Namespace) -> dict[str, Any]:
    run = uvloop.run if options.loop == "uvloop" else asyncio.run
    return {"result": run(compare(options.peers, options.seconds, options.rounds))}


def figures(record: Record) -> list[Figure]:
    result = record["result"]
    ours, stock = (statistics.median(result[name]) for name in ("mixdown_us", "stock_us"))
    note = f"{ours:.1f} us against {stock:.1f}, {result['packets_a_second']} packets a second"
    return [at_most("CPU per received packet, of stock aiortc's", result["ratio"], TARGET, note=note)]


def sheets(record: Record) -> list[Sheet]:
    result = record["result"]
    peers, loop = record["options"]["peers"], record["options"]["loop"]
    rows = zip(itertools.count(1), result["mixdown_us"], result["stock_us"], strict=False)
    lines = [[n, ours, stock, ours / stock] for n, ours, stock in rows]
    title = f"receive: us of CPU per RTP packet, {peers} peers, {loop}"
    return [sheet(title, ["round", "Mixdown", "stock aiortc", "ratio"], lines)]


def panels(record: Record) -> list[Panel]:
    result = record["result"]
    series: dict[str, list[float | None]] = {"Mixdown": result["mixdown_us"], "stock aiortc": result["stock_us"]}
    names = [f"round {n + 1}" for n in range(len(result["mixdown_us"]))]
    return [Bars("A received packet", "us of CPU", names, series)]


BENCHMARK = Benchmark(
    name="receive",
    about=__doc__,
    short={"peers": 8, "seconds": 3.0, "rounds": 2, "loop": "uvloop"},
    full={"peers": 8, "seconds": 8.0, "rounds": 5, "loop": "uvloop"},
    options=options,
    measure=measured,
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
