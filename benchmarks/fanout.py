"""What another viewer costs: CPU per packet of Mixdown's sender against stock aiortc's, in one run.

Both send the same encoded frames (1.5 Mb/s, 30 a second) to N real peers, which live in a child process: ICE, DTLS,
SRTP and loopback UDP included. What is measured is the CPU time of the sending event loop, less what the same
connections cost while nothing is sent.

    python -m benchmarks.fanout [--peers 32] [--seconds 8] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import sys
import time
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from benchmarks.record import load, machine, save
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.mcu import clock
from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.edge.types import EdgeConfig, JoinRequest
from mixdown.mcu.link.messages import Route, ToMixer

FPS = 30
FRAME_BYTES = 1_500_000 // 8 // FPS
STREAM = "room/main/VP8/full"
TARGET = 0.4


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
    await edge.close()
    await signalling.ask("reset")
    return made


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
    pipe, child_pipe = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=sinks, args=(child_pipe,), daemon=True)
    child.start()
    signalling = Signalling(pipe)
    results: list[dict[str, float]] = []
    for _ in range(rounds):
        ours, theirs = await mixdown(signalling, peers, seconds), await stock(signalling, peers, seconds)
        per_packet = [1e6 * m["cpu"] / m["packets"] for m in (ours, theirs)]
        results.append(
            {"mixdown_us": per_packet[0], "aiortc_us": per_packet[1], "ratio": per_packet[0] / per_packet[1]}
        )
    pipe.send(("end", None))
    child.join(5)
    ordered = sorted(results, key=lambda r: r["ratio"])
    return {"peers": peers, "seconds": seconds, "rounds": results, "median": ordered[len(ordered) // 2]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the record here too")
    options = parser.parse_args()
    before = load()
    began = time.monotonic()
    result = asyncio.run(measure(options.peers, options.seconds, options.rounds))
    record = {"benchmark": "fanout", "machine": machine(), "load_before": before, **result}
    median = result["median"]
    print(f"CPU per packet at {options.peers} peers, median of {options.rounds} ({time.monotonic() - began:.0f} s)")
    print(f"  stock aiortc   {median['aiortc_us']:6.1f} us")
    print(f"  mixdown        {median['mixdown_us']:6.1f} us")
    print(f"  ratio          {median['ratio']:6.2f}    target <= {TARGET}")
    save("fanout", record)
    if options.json:
        options.json.write_text(json.dumps(record, indent=1))
    return 0 if median["ratio"] <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
