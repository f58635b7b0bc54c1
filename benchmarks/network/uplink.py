"""A sender whose packets get lost on the way up: how its tile runs, at somebody else's."""

from __future__ import annotations

from support.network.page import outbound

from benchmarks.network.party import RTT, SUBJECT, milliseconds, party
from benchmarks.network.row import Figure, Measure, Row, at_most


def uplink(loss: float, freezes: int) -> Measure:
    async def measure(seed: int, seconds: float) -> list[Figure]:
        async with party(seed) as call:
            clean = (await call.watch(5))[call.subject_id]
            await call.net.set(SUBJECT, "up", delay=RTT / 2, loss=loss)
            run = (await call.watch(seconds))[call.subject_id]
            video = (await outbound(call.subject))["video"]
            lost = (await call.net.stats())["links"][SUBJECT]["up"]["lost"]
            trouble = await call.trouble()
        name = f"{loss:.0%} uplink loss"
        note = (
            f"{run.fps:.1f} fps of {clean.fps:.1f}, {lost} lost, {video['nackCount']} NACK, {video['pliCount']} PLI, "
            f"{video['retransmittedPacketsSent']} repaired {trouble}"
        )
        return [
            at_most(f"freezes a minute, {name}", run.a_minute, freezes, "", round(clean.a_minute, 1), note),
            at_most(f"longest interval, {name}", milliseconds(run.longest), 600, "ms", milliseconds(clean.longest)),
        ]

    return measure


ROWS = tuple(
    Row(f"uplink-{loss * 100:.0f}", uplink(loss, freezes), f"uplink loss {loss:.0%}, RTT 50 ms", seconds=40)
    for loss, freezes in ((0.02, 1), (0.05, 3))
)
