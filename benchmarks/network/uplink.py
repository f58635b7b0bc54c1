"""A sender whose packets get lost on the way up: how its tile runs, at somebody else's."""

from __future__ import annotations

from support.freezes import Run
from support.network.page import outbound

from benchmarks.network.party import RTT, SUBJECT, Party, milliseconds, party
from benchmarks.network.row import Figure, Row, at_most

LOSSES = ((0.02, 1, 1.0), (0.05, 3, 0.5))
"(share lost, freezes that a minute may have, of the row's seconds): in which one freeze is within that."


async def uplink(seed: int, seconds: float) -> list[Figure]:
    found = []
    async with party(seed) as call:
        clean = (await call.watch(5))[call.subject_id]
        for loss, freezes, share in LOSSES:
            await call.net.set(SUBJECT, "up", delay=RTT / 2, loss=loss)
            found += await lossy(call, clean, f"{loss:.0%} uplink loss", freezes, seconds * share)
    return found


async def lossy(call: Party, clean: Run, name: str, freezes: int, seconds: float) -> list[Figure]:
    before = await counted(call)
    run = (await call.watch(seconds))[call.subject_id]
    lost, nacks, plis, repaired = (now - then for now, then in zip(await counted(call), before, strict=True))
    note = (
        f"{run.fps:.1f} fps of {clean.fps:.1f}, {lost} lost, {nacks} NACK, {plis} PLI, {repaired} repaired "
        f"{await call.trouble()}"
    )
    return [
        at_most(f"freezes a minute, {name}", run.a_minute, freezes, "", round(clean.a_minute, 1), note),
        at_most(f"longest interval, {name}", milliseconds(run.longest), 600, "ms", milliseconds(clean.longest)),
    ]


async def counted(call: Party) -> tuple[int, int, int, int]:
    """Packets lost on the way up, NACK, PLI, repairs so far."""
    video = (await outbound(call.subject))["video"]
    lost = (await call.net.stats())["links"][SUBJECT]["up"]["lost"]
    return lost, video["nackCount"], video["pliCount"], video["retransmittedPacketsSent"]


ROWS = (Row("uplink", uplink, "uplink loss 2 and 5 %, RTT 50 ms", seconds=60),)
