"""N participants and M listeners of a room, in a process of their own: real WebRTC, but cheap.

    python -m benchmarks.mixing.crowd URL ROOM --senders 9 --talking 3 [--viewers 0] [--codec VP8] [--receive VP8]
                                                [--size 640x360] [--kbps 600]

Senders send clips that were encoded before. A "deaf" client takes part in ICE, DTLS and RTCP, but the kernel drops its
incoming RTP (a socket filter), so that many of them cost next to nothing. The first two of each kind are not deaf:
they report what came, and the very first one keeps its picture's packets. Commands on standard input: `mark` (answers
one line of JSON), `keep FILE` (writes those packets), `end`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx2
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from benchmarks.mixing.content import FPS, sound_clip, video_clip
from benchmarks.mixing.recording import pack
from mixdown.codecs.audio import make_audio_decoder
from mixdown.codecs.encoded import CodecId
from mixdown.mcu.edge.source_filter import attach
from mixdown.mixer.levels import level_dbov, rfc6464
from mixdown.mixer.media import Size

LISTENING = 2
"Clients of each kind whose packets are looked at."
WIRE = 20 + 8 + 10
"Bytes of a packet beside its RTP: IPv4, UDP, the tag of SRTP."
ENCODERS = {"VP8": "libvpx", "H264": "libx264"}


class Clip(MediaStreamTrack):
    """Encoded packets at their rate, for ever. step: RTP ticks between two; rate: RTP ticks a second; levels: of sound,
    each packet's, 0 .. 127 (RFC 6464)."""

    def __init__(
        self, kind: str, packets: Sequence[bytes], step: int, rate: int, phase: float, levels: Sequence[int] = ()
    ) -> None:
        self.kind = kind
        super().__init__()
        self._packets, self._step, self._rate, self._levels = packets, step, rate, levels
        self._n = 0
        self._start = time.monotonic() + phase

    async def recv(self) -> av.Packet:
        await asyncio.sleep(max(0.0, self._start + self._n * self._step / self._rate - time.monotonic()))
        packet = av.Packet(self._packets[self._n % len(self._packets)])
        packet.pts, packet.time_base = self._n * self._step, Fraction(1, self._rate)
        self._n += 1
        return packet

    @property
    def level(self) -> int:
        """Of the packet sent last."""
        return self._levels[(self._n - 1) % len(self._levels)]


def levels_of(packets: Sequence[bytes]) -> list[int]:
    """What a browser would say of these packets of Opus: 0 .. 127, -dBov."""
    decoder = make_audio_decoder(CodecId.OPUS)
    return [rfc6464(level_dbov(decoder.decode(packet))) for packet in packets]


def say_levels(sender: Any, clip: Clip) -> None:
    """aiortc tells the level of sound that it encoded itself, as browsers do, but not of packets that it is given."""
    inner = sender._next_encoded_frame

    async def with_level(codec: object) -> Any:
        frame = await inner(codec)
        if frame is not None:
            frame.audio_level = -clip.level
        return frame

    sender._next_encoded_frame = with_level


class Ear:
    """What a client that listens got: whole pictures, their gaps, packets of sound."""

    def __init__(self, packets: list[bytes] | None = None) -> None:
        """packets: where those of the picture are kept; ends with the process, some 0.2 MB a second."""
        self.sound_types: frozenset[int] = frozenset()
        self.picture_type = -1
        self.packets = packets
        self.pictures = self.sounds = self.bytes = 0
        "bytes: on the wire."
        self.longest = 0.0
        self._last: float | None = None

    def mark(self) -> dict[str, float]:
        """The counts so far; the longest gap (seconds) begins anew."""
        longest, self.longest = self.longest, 0.0
        return {"pictures": self.pictures, "sounds": self.sounds, "bytes": self.bytes, "longest_gap": longest}

    async def take(self, data: bytes, arrival_time_ms: int) -> None:
        """In place of aiortc's receivers: one decrypted RTP packet."""
        self.bytes += len(data) + WIRE
        now = time.monotonic()
        if data[1] & 0x7F in self.sound_types:
            self.sounds += 1
            return
        if data[1] & 0x7F != self.picture_type:
            return  # repairs, padding
        if self.packets is not None:
            self.packets.append(data)
        if data[1] & 0x80:
            self.pictures += 1
            if self._last is not None:
                self.longest = max(self.longest, now - self._last)
            self._last = now


def deafen(sock: socket.socket) -> None:
    """The kernel keeps STUN, DTLS and RTCP (RFC 7983; RTCP's types 192 to 223, RFC 5761) and drops the rest.

    Classic BPF on a UDP socket sees the UDP header first: the payload begins at 8."""
    code = [
        (0x30, 0, 0, 8),  # first byte
        (0x35, 0, 3, 128),  # RTP or RTCP?
        (0x30, 0, 0, 9),  # second byte
        (0x35, 0, 2, 192),
        (0x35, 1, 0, 224),
        (0x06, 0, 0, 0xFFFF),  # keep
        (0x06, 0, 0, 0),  # drop
    ]
    if not attach(sock, code):
        raise OSError("this kernel takes no filter on a socket")


class Client:
    """One participant, or one viewer who sends nothing."""

    def __init__(self, ear: Ear | None) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._ear = ear

    async def join(
        self, http: httpx2.AsyncClient, room: str, name: str, clips: Sequence[Clip], codec: str, receive: str
    ) -> None:
        """codec, receive: of the picture that is sent and of the one that comes: two lines if they differ."""
        for kind in ("audio", "video"):
            clip = next((clip for clip in clips if clip.kind == kind), None)
            if kind == "audio":
                line = self.pc.addTransceiver(clip or kind, direction="sendrecv" if clip else "recvonly")
                if clip:
                    say_levels(line.sender, clip)
            elif clip and codec == receive:
                self._video(clip, "sendrecv", codec)
            else:
                if clip:
                    self._video(clip, "sendonly", codec)
                self._video(kind, "recvonly", receive)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        body = {"name": name, "sdp": self.pc.localDescription.sdp, "type": "offer"}
        if not clips:
            body["role"] = "viewer"
        answer = await http.post(f"/v1/rooms/{room}/participants", json=body)
        answer.raise_for_status()
        sdp = answer.json()["sdp"]
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        transport: Any = self.pc.getTransceivers()[0].receiver.transport
        if self._ear is not None:
            self._ear.sound_types = frozenset(_types(sdp, "audio"))
            self._ear.picture_type = _types(sdp, "video")[0]
            transport._handle_rtp_data = self._ear.take
        async with asyncio.timeout(20):
            while self.pc.connectionState != "connected":
                await asyncio.sleep(0.01)
        if self._ear is None:
            for component in transport.transport._connection._nominated.values():
                deafen(component.protocol.transport.get_extra_info("socket"))

    def _video(self, clip: Clip | str, direction: str, codec: str) -> None:
        wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.name in (codec, "rtx")]
        self.pc.addTransceiver(clip, direction=direction).setCodecPreferences(wanted)


def _types(sdp: str, kind: str) -> list[int]:
    """Payload types of the last line of that kind: the one that receives."""
    return list(map(int, [line for line in sdp.splitlines() if line.startswith(f"m={kind}")][-1].split()[3:]))


async def gather(options: argparse.Namespace) -> tuple[list[Client], list[Ear]]:
    """Everybody, joined one after the other."""
    width, height = map(int, options.size.split("x"))
    video = video_clip(ENCODERS[options.codec], Size(width, height), options.kbps)
    voices = [sound_clip(True, seed=n) for n in range(min(options.talking, 8))]
    silence = sound_clip(False)
    levels = [levels_of(sound) for sound in (*voices, silence)]
    clients, ears = [], []
    async with httpx2.AsyncClient(base_url=options.url, timeout=30) as http:
        for n in range(options.senders + options.viewers):
            sends, index = n < options.senders, n if n < options.senders else n - options.senders
            ear = Ear([] if n == 0 else None) if index < LISTENING else None
            clips = []
            if sends:
                talks = n < options.talking
                sound, said = (voices[n % len(voices)], levels[n % len(voices)]) if talks else (silence, levels[-1])
                shift = n * 37 % len(video)  # not everybody's key frame at once, not everybody in the same tick
                clips.append(Clip("audio", sound, 960, 48_000, 0.02 * n / options.senders, said))
                picture = video[shift // 60 * 60 :] + video[: shift // 60 * 60]
                clips.append(Clip("video", picture, 90_000 // FPS, 90_000, 0.033 * (n * 7 % 11) / 11))
            client = Client(ear)
            await client.join(http, options.room, f"P{n}" if sends else f"V{n}", clips, options.codec, options.receive)
            clients.append(client)
            if ear is not None:
                ears.append(ear)
    return clients, ears


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("room")
    parser.add_argument("--senders", type=int, default=9)
    parser.add_argument("--viewers", type=int, default=0)
    parser.add_argument("--talking", type=int, default=3)
    parser.add_argument("--codec", default="VP8", choices=ENCODERS)
    parser.add_argument("--receive", default="VP8", choices=ENCODERS)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--kbps", type=int, default=600)
    options = parser.parse_args()
    clients, ears = await gather(options)
    print(json.dumps({"ready": len(clients)}), flush=True)
    while (words := (await asyncio.to_thread(sys.stdin.readline)).split()) and words[0] in ("mark", "keep"):
        if words[0] == "mark":
            print(json.dumps([ear.mark() for ear in ears]), flush=True)
        else:
            await asyncio.to_thread(Path(words[1]).write_bytes, pack(ears[0].packets or []))
            print("{}", flush=True)
    await asyncio.gather(*(client.pc.close() for client in clients))


if __name__ == "__main__":
    asyncio.run(main())
