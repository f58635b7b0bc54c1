"""What a received packet costs: CPU per RTP packet of Mixdown's way in against stock aiortc's, in one run.

The same participants (moving VP8 640x360 30/s at 900 kb/s, and Opus; encoded before) send to each of the two in turn;
they live in a child process, over ICE, DTLS, SRTP and loopback UDP. Ours: socket -> SRTP -> receiver -> encoded frames,
RTCP and polling included. Theirs: socket -> SRTP -> RTCRtpReceiver -> jitter buffer -> encoded frames, RTCP included;
what it hands to its decoder's thread is thrown away there. Measured is the CPU time of the thread of the event loop,
while packets come, so neither side's decoding is in it, nor the thread that aiortc would decode in.

    python -m benchmarks.receive [--peers 8] [--seconds 8] [--rounds 3] [--loop uvloop|asyncio] [--json FILE]

Both run on uvloop, which `mixdown serve` uses, or both on asyncio's own loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
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

from benchmarks.fanout import Signalling
from benchmarks.record import load, machine, save
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
        "peers": peers,
        "seconds": seconds,
        "packets_a_second": round(statistics.median(rates)),
        "mixdown_us": [round(value, 1) for value in found["mixdown"]],
        "stock_us": [round(value, 1) for value in found["stock"]],
        "ratio": round(statistics.median(ratios), 3),
        "target": TARGET,
        "load": load(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    run = uvloop.run if options.loop == "uvloop" else asyncio.run
    result = run(compare(options.peers, options.seconds, options.rounds)) | {"loop": options.loop}
    print(f"{options.peers} peers, {result['packets_a_second']} RTP packets a second, {options.loop}")
    print("us of CPU per packet, each round")
    for name in ("mixdown", "stock"):
        print(f"{name:8} {'  '.join(f'{value:6.1f}' for value in result[f'{name}_us'])}")
    verdict = "met" if result["ratio"] <= TARGET else "MISSED"
    print(f"ratio    {result['ratio']:.2f}, target <= {TARGET}: {verdict}")
    record = {"benchmark": "receive", "machine": machine(), "result": result}
    if options.json:
        options.json.write_text(json.dumps(record, indent=1))
    else:
        save("receive", record)
    return 0 if result["ratio"] <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
