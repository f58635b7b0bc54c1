"""The same work done by GStreamer's compositor, for comparison: plain RTP in and out, no sound, no SRTP, no signalling.

N senders of the same clips to N UDP ports; decode, scale and compose by `compositor`, VP8 at the server's own settings,
sent to N ports. Debian: gstreamer1.0-tools, gstreamer1.0-plugins-base, -good.
"""

from __future__ import annotations

import random
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Sequence

from benchmarks.mixing.content import FPS, video_clip
from benchmarks.mixing.loads import Load
from benchmarks.mixing.outside import MAX_PAYLOAD, Outputs, cores_and_pictures
from benchmarks.mixing.room import WARM_UP
from mixdown.codecs.payload import vp8
from mixdown.mixer.layout import arrange, parse_layout_name
from mixdown.mixer.media import Size

PAYLOAD_TYPE = 96
JITTER_MS = 20


def available(load: Load) -> bool:
    """Whether it is installed and can do that: its H.264 encoder is in another package, with other settings."""
    return shutil.which("gst-launch-1.0") is not None and not load.viewers and load.codec == load.receive == "VP8"


def _free_ports(count: int) -> list[int]:
    """Numbers only: GStreamer binds them itself."""
    held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for sock in held:
        sock.bind(("127.0.0.1", 0))
    ports = [sock.getsockname()[1] for sock in held]
    for sock in held:
        sock.close()
    return ports


def pipeline(load: Load, inputs: Sequence[int], outputs: Sequence[int]) -> list[str]:
    """The arguments of gst-launch-1.0. The encoder has the server's settings, as far as they have names here."""
    tier = load.tier
    size = Size(tier.width, tier.height)
    cells = arrange(parse_layout_name("grid"), size, load.senders)
    words = ["compositor", "name=c", "background=black"]
    for n, cell in enumerate(cells):
        r = cell.rect
        places = {"xpos": r.x, "ypos": r.y, "width": r.width, "height": r.height}
        words += [f"sink_{n}::{name}={value}" for name, value in places.items()]
    words += ["!", f"video/x-raw,format=I420,width={size.width},height={size.height},framerate={tier.fps}/1", "!"]
    words += ["vp8enc", "deadline=1", "cpu-used=-10", "threads=1", f"target-bitrate={tier.kbps * 1000}"]
    words += ["end-usage=cbr", "keyframe-max-dist=100000", "static-threshold=1", "min-quantizer=2", "!"]
    clients = ",".join(f"127.0.0.1:{port}" for port in outputs)
    words += ["rtpvp8pay", f"mtu={MAX_PAYLOAD}", "!", "multiudpsink", f"clients={clients}", "sync=false"]
    caps = f"application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,payload={PAYLOAD_TYPE}"
    for n, port in enumerate(inputs):
        words += ["udpsrc", f"port={port}", f"caps={caps}", "!", "rtpjitterbuffer", f"latency={JITTER_MS}", "!"]
        words += ["rtpvp8depay", "!", "vp8dec", "threads=1", "!", f"c.sink_{n}"]
    return ["gst-launch-1.0", "-q", *words]


class Sender(threading.Thread):
    """All senders' packets, each at its own phase, until stopped."""

    def __init__(self, clip: Sequence[bytes], ports: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self._clip, self._ports = clip, ports
        self._stop_asked = threading.Event()

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        count = len(self._ports)
        ssrcs = [random.randrange(1 << 32) for _ in range(count)]
        numbers = [0] * count
        begun = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            step = 0
            while not self._stop_asked.is_set():
                tick, n = divmod(step, count)
                time.sleep(max(0.0, begun + (tick + n / count) / FPS - time.monotonic()))
                for packet in self._packets(n, tick, ssrcs[n], numbers):
                    out.sendto(packet, ("127.0.0.1", self._ports[n]))
                step += 1

    def _packets(self, n: int, tick: int, ssrc: int, numbers: list[int]) -> list[bytes]:
        shift = n * 37 // 60 * 60
        pieces = vp8.split(self._clip[(tick + shift) % len(self._clip)], MAX_PAYLOAD)
        packets = []
        for index, piece in enumerate(pieces):
            marker = 0x80 if index == len(pieces) - 1 else 0
            header = struct.pack("!BBHII", 0x80, marker | PAYLOAD_TYPE, numbers[n] & 0xFFFF, tick * 3000, ssrc)
            packets.append(header + vp8.descriptor(index == 0, tick & 0x7FFF, None, 0, False) + piece)
            numbers[n] += 1
        return packets


def measure(load: Load, seconds: float) -> dict[str, float]:
    """cores: of the gst-launch process; fps: pictures that came out. Raises RuntimeError if none did."""
    inputs = _free_ports(load.senders)
    sender = Sender(video_clip("libvpx", load.picture, load.kbps), inputs)
    with Outputs(load.senders) as outputs:
        words = pipeline(load, inputs, outputs.ports)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            time.sleep(1)
            sender.start()
            time.sleep(WARM_UP)
            return cores_and_pictures(process, outputs, seconds)
        finally:
            if sender.is_alive():
                sender.stop()
            process.terminate()
            process.communicate(timeout=10)
