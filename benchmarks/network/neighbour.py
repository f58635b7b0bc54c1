"""One of four on a bad line, or asking for key frames all the time: what the others notice, beside the clean call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.network.party import RTT, SUBJECT, Party, party
from benchmarks.network.row import Figure, Measure, Row, at_most

PLI_EVERY = 0.01


@dataclass(frozen=True, slots=True)
class Noticed:
    """By the watcher, of the others' tiles: freezes, key frames of the composite a minute; psnr: dB."""

    freezes: float
    key_frames: float
    psnr: float


async def notice(call: Party, seconds: float) -> Noticed:
    before = await call.key_frames()
    runs = await call.watch(seconds)
    keys = await call.key_frames() - before
    freezes = max(runs[participant].a_minute for participant in call.others)
    return Noticed(freezes, keys * 60 / seconds, call.watcher.psnr(call.others))


async def lossy_line(call: Party) -> None:
    for direction in ("up", "down"):
        await call.net.set(SUBJECT, direction, delay=RTT / 2, loss=0.1)


async def pli_flood(call: Party) -> None:
    """100 a second, from one of those who send recordings."""
    client = call.replayed[0]
    receiver = next(t.receiver for t in client.pc.getTransceivers() if t.kind == "video")
    ssrc = next(iter(receiver._RTCRtpReceiver__active_ssrc))

    async def flood() -> None:
        while True:
            await receiver._send_rtcp_pli(ssrc)
            await asyncio.sleep(PLI_EVERY)

    client.attend(flood())


def neighbour(name: str, make_bad: Callable[[Party], Awaitable[None]], clean_share: float = 1.0) -> Measure:
    """clean_share: of the row's seconds, how long the call is watched before."""

    async def measure(seed: int, seconds: float) -> list[Figure]:
        async with party(seed) as call:
            clean = await notice(call, seconds * clean_share)
            await make_bad(call)
            bad = await notice(call, seconds)
            trouble = f"{await call.trouble()} {call.steps()}"
        return [
            at_most(f"others' freezes a minute, {name}", bad.freezes, clean.freezes, "", clean.freezes, trouble),
            at_most(f"others' pictures worse by, {name}", clean.psnr - bad.psnr, 0.5, "dB", None, f"{bad.psnr:.2f} dB"),
            at_most(
                f"key frames a minute, {name}", bad.key_frames, clean.key_frames + 1, "", round(clean.key_frames, 1)
            ),
        ]

    return measure


ROWS = (
    Row(
        "one-lossy",
        neighbour("one on 10 % loss", lossy_line, clean_share=1 / 2),
        "one of four loses 10 % both ways",
        seconds=20,
    ),
    Row(
        "one-pli",
        neighbour("one sends 100 PLI/s", pli_flood, clean_share=1 / 3),
        "one of four asks for 100 key frames a second",
        seconds=60,  # key frames are counted by the minute
    ),
)
