"""How much of a peer is looked at: by the class itself, and with a peer whose own key signs the flood."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from types import SimpleNamespace

import pytest
from support.edge_call import Call

from mixdown.mcu.edge.admission import (
    CONTROL_BURST,
    MAX_SSRCS,
    OVERFLOW,
    PACKET_BURST,
    PACKET_RATE,
    REPLACE_PAUSE,
    Admission,
)
from mixdown.mcu.edge.rtcp import MAX_PACKETS, check_count
from mixdown.mcu.link.messages import SourceFrame


class Session:
    def __init__(self) -> None:
        self.removed: list[int] = []

    def remove_stream(self, ssrc: int) -> None:
        self.removed.append(ssrc)


class Admitted:
    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.session = Session()
        self.lines = SimpleNamespace(receivers={"camera": SimpleNamespace(ssrc=0)}, by_ssrc={})
        self.admission = Admission(self.session.remove_stream, self.lines, self.counters, 100.0)

    def take(self, ssrc: int, now: float = 100.0) -> bool:
        taken = self.admission.packet(ssrc, now)
        if taken:
            self.admission.authentic(ssrc, now)
        return taken


def test_a_flood_is_cut_to_its_budget_and_told() -> None:
    one = Admitted()
    assert sum(one.take(1) for _ in range(10 * PACKET_BURST)) == PACKET_BURST
    assert one.counters["packets_over_budget"] == 9 * PACKET_BURST
    assert one.admission.refill(100.5) and not one.admission.refill(100.5)
    assert sum(one.take(1) for _ in range(PACKET_BURST)) == PACKET_RATE // 2
    assert sum(one.admission.control(1, 100.5) for _ in range(1000)) == CONTROL_BURST


def test_a_little_too_much_is_no_flood() -> None:
    one = Admitted()
    for _ in range(PACKET_BURST + OVERFLOW):
        one.take(1)
    assert not one.admission.refill(100.1)


def test_streams_are_capped_before_they_cost_memory() -> None:
    one = Admitted()
    for ssrc in range(MAX_SSRCS):
        assert one.take(ssrc)
    assert one.take(1000) and one.session.removed == [1], "the oldest that feeds nothing goes"
    assert not any(one.take(ssrc) for ssrc in range(2000, 2300))
    assert one.counters["too_many_ssrcs"] == 300 and one.take(0)
    assert one.take(3000, 100 + REPLACE_PAUSE) and one.session.removed == [1, 2]
    assert len(one.admission._streams) == MAX_SSRCS


def test_compounds_are_capped() -> None:
    pli = struct.pack("!BBHII", 0x81, 206, 2, 1, 2)
    check_count(pli * MAX_PACKETS)
    with pytest.raises(ValueError, match="too many"):
        check_count(pli * (MAX_PACKETS + 1))


@pytest.fixture
async def call():
    made = Call()
    await made.connect()
    yield made
    await made.close()


async def test_three_hundred_streams_cost_a_peer_nothing_but_them(call: Call) -> None:
    dtls = call.client.pc.getSenders()[0].transport
    video = next(t for t in call.client.pc.getTransceivers() if t.kind == "video")
    payload_type = video._codecs[0].payloadType
    mid = video.mid.encode()
    for ssrc in range(5000, 5300):
        block = bytes([0x10]) + mid + bytes(2)
        header = struct.pack("!BBHII", 0x90, payload_type, 1, 1, ssrc) + b"\xbe\xde\x00\x01" + block
        await dtls._send_rtp(header + b"\x10" + bytes(40))
    before = len(call.mixer.of(SourceFrame))
    await call.mixer.until(lambda: len(call.mixer.of(SourceFrame)) > before + 30)
    admission = call.edge._peers["ann"].inbound.admission
    assert len(admission._streams) <= MAX_SSRCS and call.edge.counters()["too_many_ssrcs"] > 200
    async with asyncio.timeout(1.5):
        await call.edge.leave("ann")


async def test_a_flood_of_packets_mutes_its_sender_for_moments_only(call: Call) -> None:
    """From the peer's own address, so that the kernel's filter lets it through."""
    peer = call.edge._peers["ann"]
    sender = call.client.pc.getSenders()[0].transport.transport._connection
    for _ in range(40):
        for _ in range(500):
            await sender.send(b"\x80\x60" + bytes(60))
        await asyncio.sleep(0.01)
    counters = call.edge.counters()
    assert counters["peers_muted"] >= 1 and counters["packets_over_budget"] > OVERFLOW
    before = len(call.mixer.of(SourceFrame))
    await call.mixer.until(lambda: len(call.mixer.of(SourceFrame)) > before + 30)
    assert not peer.closed and peer.transport.ice._muted_until == float("inf")
