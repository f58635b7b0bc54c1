"""N participants with sound alone, in a process of their own.

    python -m benchmarks.audio.crowd mixdown|janus URL ROOM --people 64

Commands on standard input, one answer of one line of JSON each: `talk K`: the first K talk from now on; `hear`: what
the ears were sent lately; `end`. Janus' rooms have their own settings: --settings, JSON, goes into each join there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import uvloop
from aiortc import RTCCertificate

from benchmarks.audio.caller import Caller
from benchmarks.audio.signalling import Janus, Mixdown, Signalling
from benchmarks.audio.voices import TONES, Voice, silent, talking, tones_heard

AT_ONCE = 4
"Joins under way."
VOICES = len(TONES) + 8


class Speaking(threading.Thread):
    """Sends everybody's packets at their times: each has a phase of his own. failed: why it has ended by itself."""

    def __init__(self, callers: Sequence[Caller]) -> None:
        super().__init__(daemon=True)
        self._callers = callers
        self._ended = threading.Event()
        self.failed: OSError | None = None

    def run(self) -> None:
        try:
            self._speak()
        except OSError as error:
            self.failed = error

    def _speak(self) -> None:
        begun, count = time.monotonic(), len(self._callers)
        tick = 0
        while not self._ended.is_set():
            for n, caller in enumerate(self._callers):
                wait = begun + (tick + n / count) * 0.02 - time.monotonic()
                if wait > 0.001:
                    time.sleep(wait)
                caller.send(tick)
            tick += 1

    def end(self) -> None:
        self._ended.set()
        self.join(1.0)


def ears(people: int) -> set[int]:
    """Who listens: three who talk first, and the last one, who talks last."""
    return {0, 1, 2, people - 1}


def judge(callers: dict[int, Caller]) -> list[dict[str, Any]]:
    """What each ear was sent lately: dB of each of the first talkers' tones, packets so far."""
    return [
        {"ear": n, "packets": caller.count, "tones": tones_heard(list(caller.heard)) if caller.heard else []}
        for n, caller in sorted(callers.items())
    ]


async def gather(signalling: Signalling, people: int) -> list[Caller]:
    """Everybody, joined and connected."""
    certificate = RTCCertificate.generateCertificate()
    places = asyncio.Semaphore(AT_ONCE)
    callers = [Caller(certificate, listens=n in ears(people), stereo=signalling.stereo) for n in range(people)]

    async def join(n: int, caller: Caller) -> None:
        async with places:
            await caller.answer(await signalling.join(f"P{n}", await caller.offer()))

    async with asyncio.TaskGroup() as group:
        for n, caller in enumerate(callers):
            group.create_task(join(n, caller))
    return callers


def talk(callers: Sequence[Caller], voices: Sequence[Voice], quiet: Voice, count: int) -> None:
    """The first `count` talk, the others have their microphones open."""
    for n, caller in enumerate(callers):
        talks = voices[n if n < len(TONES) else len(TONES) + n % (VOICES - len(TONES))]
        caller.voice = talks if n < count else quiet


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", choices=("mixdown", "janus"))
    parser.add_argument("url")
    parser.add_argument("room")
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--settings", type=json.loads, default={})
    options = parser.parse_args()
    voices, quiet = [talking(n) for n in range(VOICES)], silent()
    kind = Mixdown if options.server == "mixdown" else Janus
    async with kind(options.url, options.room, options.settings) as signalling:
        callers = await gather(signalling, options.people)
        listening = {n: callers[n] for n in ears(options.people)}
        talk(callers, voices, quiet, 0)
        speaking = Speaking(callers)
        speaking.start()
        print(json.dumps({"ready": len(callers)}), flush=True)
        while (words := (await asyncio.to_thread(sys.stdin.readline)).split()) and words[0] != "end":
            if words[0] == "talk":
                talk(callers, voices, quiet, int(words[1]))
            if speaking.failed is not None:
                raise speaking.failed  # nothing would be measured but a server to which nobody speaks
            print(json.dumps(judge(listening) if words[0] == "hear" else {}), flush=True)
        speaking.end()
        await asyncio.gather(*(caller.close() for caller in callers))


if __name__ == "__main__":
    uvloop.run(main())
