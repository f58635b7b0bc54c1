"""Who is there, who is away, who is gone: by a clock that is told, and with a real peer whose datagrams are held."""

from __future__ import annotations

import asyncio

import pytest
from support.edge_call import Call, told

from mixdown.mcu.edge.liveness import AWAY_AFTER, GONE_AFTER, LONGEST_LOOK, Liveness, Vital
from mixdown.mcu.edge.types import PeerState
from mixdown.mcu.link.messages import KeyFrameRequest, SourceClosed, Subscribe

LOOK = 0.02


class Watched:
    """A peer that is looked at every LOOK seconds; `talks`: whether something is heard of it."""

    def __init__(self) -> None:
        self.now = self.heard = 100.0
        self.liveness = Liveness(self.now)
        self.probes: list[float] = []
        self.changes: list[tuple[float, Vital]] = [(0.0, Vital.LIVE)]

    def run(self, seconds: float, talks: bool, step: float = LOOK) -> None:
        for _ in range(round(seconds / step)):
            self.now += step
            if talks:
                self.heard = self.now
            vital = self.liveness.judge(self.heard, self.now)
            if vital is not self.changes[-1][1]:
                self.changes.append((self.now - 100, vital))
            if self.liveness.should_probe(self.now):
                self.probes.append(self.now - 100)


def test_silence_is_answered_with_checks_then_away_then_gone() -> None:
    peer = Watched()
    peer.run(10, talks=False)
    (away, _), (gone, _) = peer.changes[1:]
    assert AWAY_AFTER < away < AWAY_AFTER + 3 * LOOK and GONE_AFTER < gone < GONE_AFTER + 3 * LOOK
    assert sum(at < AWAY_AFTER for at in peer.probes) >= 4, "a lost check or two must not make one away"


def test_who_talks_is_never_asked() -> None:
    peer = Watched()
    peer.run(10, talks=True)
    assert not peer.probes and len(peer.changes) == 1


def test_who_says_something_now_and_then_stays() -> None:
    peer = Watched()
    for _ in range(20):
        peer.run(AWAY_AFTER - 0.1, talks=False)
        peer.run(LOOK, talks=True)
    assert len(peer.changes) == 1


def test_a_blackout_ends_with_the_second_sign_of_life() -> None:
    peer = Watched()
    peer.run(5, talks=False)
    peer.run(2 * LOOK, talks=True)
    assert [vital for _, vital in peer.changes] == [Vital.LIVE, Vital.AWAY, Vital.LIVE]


def test_a_straggler_brings_nobody_back_but_is_asked_at_once() -> None:
    peer = Watched()
    peer.run(3, talks=False)
    asked = len(peer.probes)
    peer.run(LOOK, talks=True)
    assert len(peer.probes) == asked + 1
    peer.run(2, talks=False)
    peer.run(LOOK, talks=True)
    assert peer.liveness.away
    peer.run(LOOK, talks=True)
    assert not peer.liveness.away


def test_a_process_that_was_held_up_blames_nobody() -> None:
    peer = Watched()
    peer.run(1, talks=True)
    peer.run(20, talks=False, step=20)
    assert len(peer.changes) == 1 and peer.liveness.silence <= LONGEST_LOOK + LOOK


@pytest.fixture
async def call():
    made = Call()
    await made.connect()
    yield made
    await made.close()


def deafen(call: Call) -> None:
    """Nothing that the peer sends arrives any more."""
    for protocol in call.edge._peers["ann"].transport.ice._protocols:
        protocol.datagram_received = lambda data, address: None


def hear(call: Call) -> None:
    for protocol in call.edge._peers["ann"].transport.ice._protocols:
        del protocol.datagram_received


async def test_a_silent_peer_is_away_and_comes_back_without_an_offer(call: Call) -> None:
    peer = call.edge._peers["ann"]
    deafen(call)
    await told(call, PeerState.DISCONNECTED)
    assert call.edge.report("ann").state is PeerState.DISCONNECTED and not peer.closed
    asked = len(call.mixer.of(KeyFrameRequest))
    hear(call)
    await told(call, PeerState.CONNECTED)
    assert call.edge._peers["ann"] is peer and len(call.mixer.of(KeyFrameRequest)) > asked
    assert len(call.mixer.of(Subscribe)) == 2 and not call.mixer.of(SourceClosed)
    assert call.edge.counters()["peers_away"] == call.edge.counters()["peers_back"] == 1


async def test_who_only_answers_checks_is_there(call: Call) -> None:
    """A listener who sends no report for seconds: its transport answers ours."""
    ice = call.edge._peers["ann"].transport.ice
    ice.on_media = lambda datagram: None
    await asyncio.sleep(2.5)  # longer than AWAY_AFTER, so that silence would have counted
    assert [state.state for state in call.states] == [PeerState.CONNECTING, PeerState.CONNECTED]
    assert call.edge._peers["ann"].liveness.silence < AWAY_AFTER


async def test_who_stays_silent_is_freed(call: Call) -> None:
    peer = call.edge._peers["ann"]
    deafen(call)
    await told(call, PeerState.DISCONNECTED)
    peer.liveness.silence = GONE_AFTER
    async with asyncio.timeout(3):
        while call.edge.peers or not peer.transport.ice._closed:
            await asyncio.sleep(0.02)
    assert call.edge.counters()["peers_lost"] == 1 and len(call.mixer.of(SourceClosed)) == 2


async def test_a_transport_that_does_not_end_is_cut_off(call: Call) -> None:
    peer = call.edge._peers["ann"]
    peer.transport.dtls.stop = asyncio.Event().wait
    peer.transport.ice_transport.stop = asyncio.Event().wait
    async with asyncio.timeout(2):
        await peer.close()
    assert call.edge.counters()["close_errors"] == 1
    assert all(protocol.transport.is_closing() for protocol in peer.transport.ice._protocols)
