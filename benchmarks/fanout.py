"""What another viewer costs: CPU per packet of Mixdown's sender against stock aiortc's, in one run.

Both send the same encoded frames (1.5 Mb/s, 30 a second) to N real peers, which live in a child process: ICE, DTLS,
SRTP and loopback UDP included. What is measured is the CPU time of the sending event loop, less what the same
connections cost while nothing is sent. `bare`: the same packets, made before, to the same peers through libsrtp and the
system's calls alone: what no server that encrypts for each viewer gets below.

    python -m benchmarks.fanout [--peers 8,32,64] [--seconds 8] [--rounds 5] [--full] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import struct
import sys
from fractions import Fraction
from multiprocessing.connection import Connection
from typing import Any

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from benchmarks.command import Benchmark, Record, main
from benchmarks.figure import Figure, at_most
from benchmarks.plot import Bars, Panel
from benchmarks.sheet import Sheet, sheet
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import vp8
from mixdown.mcu import clock
from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.edge.fanout import MAX_PAYLOAD
from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.edge.types import EdgeConfig, JoinRequest
from mixdown.mcu.link.messages import Route, StreamEnded, ToMixer

FPS = 30
FRAME_BYTES = 1_500_000 // 8 // FPS
STREAM = "room/main/VP8/full"
JUDGED, TARGET = 64, 0.3
"Peers, and the share of what a packet costs stock aiortc."


def sinks(pipe: Connection) -> None:
    """The child: makes offers, takes answers, receives and drops."""
    asyncio.run(_sinks(pipe))


async def _sinks(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    peers: list[RTCPeerConnection] = []
    while True:
        command, argument = await loop.run_in_executor(None, pipe.recv)
        if command == "offer":
            peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            peers.append(peer)
            peer.addTransceiver("video", direction="recvonly")
            await peer.setLocalDescription(await peer.createOffer())
            pipe.send(peer.localDescription.sdp)
        elif command == "answer":
            peer = peers[-1]
            await peer.setRemoteDescription(RTCSessionDescription(argument, "answer"))
            while peer.connectionState != "connected":
                await asyncio.sleep(0.01)
            transport = peer.getTransceivers()[0].receiver.transport
            transport._handle_rtp_data = _drop  # a sink need not assemble or decode
            pipe.send("connected")
        elif command == "reset":
            await asyncio.gather(*(peer.close() for peer in peers))
            peers.clear()
            pipe.send("closed")
        else:
            return


async def _drop(data: bytes, arrival_time_ms: int) -> None:
    return None


def frame_bytes(n: int) -> bytes:
    """Looks like VP8 to a packetiser: a key frame's bit first, then noise."""
    return bytes([0 if n == 0 else 1]) + random.Random(n).randbytes(FRAME_BYTES - 1)


class Signalling:
    """Asks the child without stopping this side's loop."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def ask(self, command: str, argument: Any = None) -> Any:
        self._pipe.send((command, argument))
        return await asyncio.get_running_loop().run_in_executor(None, self._pipe.recv)


class Nobody:
    """There is no mixer here: frames are handed to the edge directly."""

    def send(self, message: ToMixer) -> None:
        pass


class Broadcast(VideoStreamTrack):
    """Stock aiortc's way to send what is encoded already: a track that returns packets (one track a peer)."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[av.Packet] = asyncio.Queue(4)

    async def recv(self) -> av.Packet:
        return await self.queue.get()


async def ticks(seconds: float) -> Any:
    began = clock.now()
    for n in range(int(seconds * FPS)):
        await asyncio.sleep(max(0.0, began + n / FPS - clock.now()))
        yield n


async def idle(seconds: float) -> float:
    began = clock.thread_cpu()
    async for _ in ticks(seconds):
        pass
    return (clock.thread_cpu() - began) / seconds


async def mixdown(signalling: Signalling, peers: int, seconds: float) -> dict[str, float]:
    edge = Edge(Nobody(), EdgeConfig(), lambda state: None)
    for index in range(peers):
        answer = await edge.join(JoinRequest("room", f"p{index}", await signalling.ask("offer"), viewer=True))
        await signalling.ask("answer", answer.sdp)
    while not all(peer.connected for peer in edge._peers.values()):
        await asyncio.sleep(0.01)
    rest = await idle(seconds / 3)
    for index in range(peers):
        edge.handle(Route(f"p{index}", MediaKind.VIDEO, STREAM))
    began, packets = clock.thread_cpu(), edge.counters()["packets_fanned_out"]
    async for n in ticks(seconds):
        edge.handle(EncodedFrame(STREAM, 0, CodecId.VP8, n, n, n * 3000, frame_bytes(n), key=n == 0))
    made = {"cpu": clock.thread_cpu() - began - rest * seconds}
    made["packets"] = edge.counters()["packets_fanned_out"] - packets
    edge.handle(StreamEnded(STREAM))
    rest = await idle(seconds / 3)
    began = clock.thread_cpu()
    made["bare_packets"] = await bare([peer.out for peer in edge._peers.values() if peer.out is not None], seconds / 2)
    made["bare_cpu"] = clock.thread_cpu() - began - rest * seconds / 2
    await edge.close()
    await signalling.ask("reset")
    return made


async def bare(ways: list[Outgoing], seconds: float) -> int:
    """Packets of a stream of their own, encrypted and sent, a frame at a time. How many."""
    payloads = vp8.split(frame_bytes(1), MAX_PAYLOAD)
    sent = 0
    async for n in ticks(seconds):
        for way in ways:
            packets = [_packet(n * len(payloads) + k, n * 3000, payload) for k, payload in enumerate(payloads)]
            selected = way._ice.selected
            assert selected is not None and way._datagrams is not None
            way._datagrams.send(way._protector.protect(packets), selected.remote_addr, droppable=True)
            sent += len(packets)
    return sent


def _packet(sequence: int, timestamp: int, payload: bytes | memoryview) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, timestamp, 0xBA5E) + bytes(payload)


async def stock(signalling: Signalling, peers: int, seconds: float) -> dict[str, float]:
    made_peers, tracks = [], []
    for _ in range(peers):
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        await peer.setRemoteDescription(RTCSessionDescription(await signalling.ask("offer"), "offer"))
        track = Broadcast()
        peer.addTrack(track)
        await peer.setLocalDescription(await peer.createAnswer())
        await signalling.ask("answer", peer.localDescription.sdp)
        made_peers.append(peer)
        tracks.append(track)
    await asyncio.sleep(1)
    rest = await idle(seconds / 3)
    began = clock.thread_cpu()
    async for n in ticks(seconds):
        packet = av.Packet(frame_bytes(n))
        packet.pts, packet.time_base = n * 3000, Fraction(1, 90_000)
        for track in tracks:
            track.queue.put_nowait(packet)
    cpu = clock.thread_cpu() - began - rest * seconds
    packets = 0
    for peer in made_peers:
        report = await peer.getSenders()[0].getStats()
        packets += sum(s.packetsSent for s in report.values() if s.type == "outbound-rtp")
        await peer.close()
    await signalling.ask("reset")
    return {"cpu": cpu, "packets": packets}


async def measure(peers: int, seconds: float, rounds: int) -> dict[str, Any]:
    """us of CPU per packet of both, each round in turn; `median` is the round with the middle ratio."""
    pipe, child_pipe = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=sinks, args=(child_pipe,), daemon=True)
    child.start()
    signalling = Signalling(pipe)
    results: list[dict[str, float]] = []
    for _ in range(rounds):
        ours, theirs = await mixdown(signalling, peers, seconds), await stock(signalling, peers, seconds)
        per_packet = [1e6 * m["cpu"] / m["packets"] for m in (ours, theirs)]
        results.append(
            {
                "mixdown_us": per_packet[0],
                "aiortc_us": per_packet[1],
                "bare_us": 1e6 * ours["bare_cpu"] / ours["bare_packets"],
                "ratio": per_packet[0] / per_packet[1],
                "viewer_percent": 100 * ours["cpu"] / seconds / peers,
            }
        )
    pipe.send(("end", None))
    child.join(5)
    ordered = sorted(results, key=lambda r: r["ratio"])
    return {"peers": peers, "seconds": seconds, "rounds": results, "median": ordered[len(ordered) // 2]}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", help="how many at a time, by commas")
    parser.add_argument("--seconds", type=float, help="of each measurement")
    parser.add_argument("--rounds", type=int)


async def _all(options: argparse.Namespace) -> dict[str, Any]:
    return {"rows": [await measure(int(n), options.seconds, options.rounds) for n in options.peers.split(",")]}


def figures(record: Record) -> list[Figure]:
    rows = [row for row in record["rows"] if row["peers"] == JUDGED]
    return [_figure(row) for row in rows]


def _figure(row: Record) -> Figure:
    median = row["median"]
    note = f"{median['mixdown_us']:.1f} us against {median['aiortc_us']:.1f}"
    least = median["bare_us"] / median["aiortc_us"]
    note += f"; control: {median['bare_us']:.1f} us for encryption and system calls alone"
    return at_most(f"CPU per packet at {row['peers']} peers, of aiortc's", median["ratio"], TARGET, "", least, note)


def sheets(record: Record) -> list[Sheet]:
    heads = ["peers", "Mixdown", "bare", "stock aiortc", "ratio", "lowest", "highest", "Mixdown, % of a core a viewer"]
    rows = []
    for row in record["rows"]:
        ratios = [one["ratio"] for one in row["rounds"]]
        values = [row["median"][name] for name in ("mixdown_us", "bare_us", "aiortc_us", "ratio")]
        rows.append([row["peers"], *values, min(ratios), max(ratios), row["median"]["viewer_percent"]])
    return [sheet("fanout: us of CPU per packet, median of the rounds", heads, rows)]


def panels(record: Record) -> list[Panel]:
    rows = record["rows"]
    series: dict[str, list[float | None]] = {
        "Mixdown": [row["median"]["mixdown_us"] for row in rows],
        "bare": [row["median"]["bare_us"] for row in rows],
        "stock aiortc": [row["median"]["aiortc_us"] for row in rows],
    }
    each: dict[str, list[float | None]] = {"Mixdown": [row["median"]["viewer_percent"] for row in rows]}
    names = [f"{row['peers']} peers" for row in rows]
    return [
        Bars("A sent packet", "us of CPU", names, series),
        Bars("A viewer of 1.5 Mb/s, picture alone", "% of a core", names, each),
    ]


BENCHMARK = Benchmark(
    name="fanout",
    about=__doc__,
    short={"peers": "64", "seconds": 4.0, "rounds": 1},
    full={"peers": "8,32,64", "seconds": 8.0, "rounds": 5},
    options=options,
    measure=lambda options: asyncio.run(_all(options)),
    figures=figures,
    sheets=sheets,
    panels=panels,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
