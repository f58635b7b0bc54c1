"""Those in the room whose frames are known, and who watches: a process of its own.

    python -m benchmarks.latency.party URL ROOM [--silent 0] [--rates 30.003,29.97]

Two live senders (a camera and a microphone each, encoded as they are made), the first of whom talks, and a watcher, who
sends clips. Commands on standard input, one line of JSON each for an answer: `places`: the room is as it will be, note
where the tiles are; `mark`: begin anew; `ages`: what there was since. --silent: participants who never send anything;
--rates: pictures a second, of both live cameras.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from typing import Any

import httpx2
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from benchmarks.latency.live import CAMERAS, SIZE, LiveCamera, LiveMicrophone, Nothing, chirp
from benchmarks.latency.watch import Place, Watch, chirp_ages, payload_types, picture_ages
from benchmarks.mixing.content import FPS, sound_clip, video_clip
from benchmarks.mixing.crowd import Clip, deafen

LIVE = len(CAMERAS)
CONNECT_SECONDS = 20


class Person:
    """A participant. watches: the Watch that takes what it is sent; the kernel drops it for everybody else."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.id = ""
        self.watch: Watch | None = None

    async def join(
        self, http: httpx2.AsyncClient, room: str, name: str, tracks: list[MediaStreamTrack], *, watches: bool = False
    ) -> None:
        for track in tracks:
            transceiver = self.pc.addTransceiver(track)
            if track.kind == "video":
                wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.name in ("VP8", "rtx")]
                transceiver.setCodecPreferences(wanted)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        body = {"name": name, "sdp": self.pc.localDescription.sdp, "type": "offer"}
        answer = await http.post(f"/v1/rooms/{room}/participants", json=body)
        answer.raise_for_status()
        self.id, sdp = answer.json()["id"], answer.json()["sdp"]
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        async with asyncio.timeout(CONNECT_SECONDS):
            while self.pc.connectionState != "connected":
                await asyncio.sleep(0.01)
        transport: Any = self.pc.getTransceivers()[0].receiver.transport
        if watches:
            self.watch = Watch(payload_types(sdp))
            transport._handle_rtp_data = self.watch.take
            return
        for component in transport.transport._connection._nominated.values():
            deafen(component.protocol.transport.get_extra_info("socket"))


class Party:
    """Everybody of this process."""

    def __init__(self, http: httpx2.AsyncClient, room: str) -> None:
        self._http, self._room = http, room
        self.cameras: dict[str, LiveCamera] = {}
        self.microphones: list[LiveMicrophone] = []
        self.people: list[Person] = []

    async def gather(self, silent: int, rates: Sequence[float]) -> None:
        for n, rate in enumerate(rates):
            camera, microphone = LiveCamera(n + 1, 0.011 * n, rate), LiveMicrophone(n, 0.26 * n, talks=n == 0)
            person = await self._join(f"Live {n}", [microphone, camera])
            self.cameras[person.id] = camera
            self.microphones.append(microphone)
        clips = [Clip("audio", sound_clip(False), 960, 48_000, 0.0)]
        clips.append(Clip("video", video_clip("libvpx", SIZE, 600), 90_000 // FPS, 90_000, 0.02))
        await self._join("Watcher", list(clips), watches=True)
        for n in range(silent):
            await self._join(f"Silent {n}", [Nothing("audio"), Nothing("video")])

    async def _join(self, name: str, tracks: list[MediaStreamTrack], *, watches: bool = False) -> Person:
        person = Person()
        self.people.append(person)
        await person.join(self._http, self._room, name, tracks, watches=watches)
        return person

    @property
    def watch(self) -> Watch:
        return next(person.watch for person in self.people if person.watch is not None)

    async def places(self) -> int:
        """Notes where the live senders' tiles are; how many tiles there are in all."""
        answer = await self._http.get(f"/v1/rooms/{self._room}/views/main/tiles")
        answer.raise_for_status()
        tiles = answer.json()["tiles"]
        self.watch.places = {
            tile["participant"]: Place(*(round(tile[side]) for side in ("x", "y", "width", "height")))
            for tile in tiles
            if tile["participant"] in self.cameras
        }
        return len(tiles)

    def mark(self) -> None:
        watch = self.watch
        watch.seen, watch.heard = [], []
        watch.others = watch.broken = 0
        for camera in self.cameras.values():
            camera.encode_seconds.clear()
        for microphone in self.microphones:
            microphone.chirps.clear()

    def ages(self) -> dict[str, Any]:
        """Milliseconds since `mark`: of pictures, all, of who talks and of who listens; of chirps; and what of the
        pictures' is the clients' own codecs."""
        watch = self.watch
        seen, heard = list(watch.seen), list(watch.heard)
        talker, listener = picture_ages(seen, {name: camera.made for name, camera in self.cameras.items()}).values()
        chirps = [age for each in self.microphones for age in chirp_ages(heard, each.chirps, chirp(each.n))]
        encodes = [spent for camera in self.cameras.values() for spent in camera.encode_seconds]
        return {
            "video_ms": _rounded(talker + listener),
            "talker_ms": _rounded(talker),
            "listener_ms": _rounded(listener),
            "audio_ms": _rounded(chirps),
            "chirps": sum(len(each.chirps) for each in self.microphones),
            "sender_encode_ms": 1000 * statistics.median(encodes),
            "receiver_decode_ms": 1000 * statistics.median(one.decode for one in seen),
            "composites": len(seen),
            "other_sizes": watch.others,
            "broken": watch.broken,
        }


def _rounded(ages: list[float]) -> list[float]:
    return [round(1000 * age, 2) for age in ages]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("room")
    parser.add_argument("--silent", type=int, default=0)
    parser.add_argument("--rates", default=",".join(map(str, CAMERAS)))
    options = parser.parse_args()
    async with httpx2.AsyncClient(base_url=options.url, timeout=30) as http:
        party = Party(http, options.room)
        await party.gather(options.silent, [float(rate) for rate in options.rates.split(",")])
        print(json.dumps({"ready": len(party.people)}), flush=True)
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if word == "places":
                print(json.dumps({"tiles": await party.places()}), flush=True)
            elif word == "mark":
                party.mark()
                print("{}", flush=True)
            elif word == "ages":
                print(json.dumps(await asyncio.to_thread(party.ages)), flush=True)
        await asyncio.gather(*(person.pc.close() for person in party.people))


if __name__ == "__main__":
    asyncio.run(main())
