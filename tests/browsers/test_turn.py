"""Calls over a real TURN server (coturn): a browser that uses nothing else, and a server that has nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from support.aiortc_client import AiortcClient
from support.chromium import chromium_client
from support.coturn import SECRET, Coturn, coturn, installed
from support.meeting import COLOUR_TOLERANCE, tiles_of, until_right
from support.page_client import init_script
from support.server import Server, running_server
from support.sources import source

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, Tier, TierName
from mixdown.codecs.video import make_video_encoder
from mixdown.mcu import clock
from mixdown.mcu.edge import aioice_private
from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.edge.types import EdgeConfig, IceServer, JoinRequest
from mixdown.mcu.link.messages import Route, SourceFrame, Subscribe, ToMixer
from mixdown.mixer.media import Size
from mixdown.mixer.picture import colour

RELAY_ONLY = """
(() => {
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration = {}) { super({ ...configuration, iceTransportPolicy: 'relay' }); }
  };
})();
"""
USED_PAIR = """(async () => {
  const stats = await mixdown.pc.getStats();
  const all = [...stats.values()];
  const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
  return pair ? stats.get(pair.localCandidateId).candidateType : null;
})()"""


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Coturn]:
    if not installed():
        pytest.skip("coturn is not installed: apt-get install coturn")
    async with coturn(tmp_path) as started:
        yield started


@pytest.fixture
async def server(relay: Coturn, tmp_path: Path) -> AsyncIterator[Server]:
    """Tells pages of the relay."""
    config = tmp_path / "mixdown.toml"
    config.write_text(f'client_ice_servers = ["{relay.url}"]\nturn_secret = "{SECRET}"\n')
    async with running_server("--config", str(config)) as started:
        yield started


async def test_a_browser_behind_a_relay_sees_and_hears(server: Server, relay: Coturn, browser: Browser) -> None:
    relayed = await chromium_client(browser, source(0), script=RELAY_ONLY + init_script(source(0)))
    direct = AiortcClient(source(1))
    try:
        for client in (relayed, direct):
            await client.join(server.url, "turn")
            await client.wait_live()
        assert relay.allocations() >= 1
        assert await relayed.evaluate(USED_PAIR) == "relay"
        tiles = await tiles_of(server.api, "turn", 2)
        by_id = {await client.participant(): client for client in (relayed, direct)}
        for client in (relayed, direct):
            errors = await until_right(client, tiles, by_id)
            assert max(errors.values()) <= COLOUR_TOLERANCE, (client.source.name, errors)
        (level,) = await relayed.levels([direct.source.tone])
        assert level > -45, level
        await relayed.start_watch()
        await asyncio.sleep(3)
        assert (await relayed.end_watch()).fps > 20
    finally:
        await relayed.close()
        await direct.close()


class MixerEnd:
    def __init__(self) -> None:
        self.messages: list[ToMixer] = []

    def send(self, message: ToMixer) -> None:
        self.messages.append(message)


async def test_a_server_behind_a_relay_sends_packet_by_packet(relay: Coturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its only candidate is the relay's: no socket of its own, so no segmentation offload."""
    monkeypatch.setattr(aioice_private, "bind_addresses", lambda config, **more: [])
    mixer, login = MixerEnd(), IceServer(relay.url, secret=SECRET)
    edge = Edge(mixer, EdgeConfig(ice_servers=(login,)), lambda state: None)
    client = AiortcClient(source(0))
    try:
        answer = await edge.join(JoinRequest("room", "ann", await client.offer()))
        kinds = [line.split()[7] for line in answer.sdp.splitlines() if line.startswith("a=candidate:")]
        assert set(kinds) == {"relay"}, answer.sdp
        await client.answer(answer.sdp)
        async with asyncio.timeout(15):
            while sum(isinstance(m, Subscribe) for m in mixer.messages) < 2:
                await asyncio.sleep(0.02)
        peer = edge._peers["ann"]
        assert getattr(peer.transport.ice.selected.protocol, "sock", None) is None
        await _play(edge)
        await client.wait_live()
        streams = Counter(m.frame.stream for m in mixer.messages if isinstance(m, SourceFrame))
        assert streams["ann-camera"] > 5 and streams["ann-microphone"] > 20, streams
    finally:
        await client.close()
        await edge.close()


async def _play(edge: Edge, frames: int = 40) -> None:
    """A picture of some packets a frame, as the mixer would send it."""
    encoder = make_video_encoder(CodecId.VP8, Tier(TierName.FULL, 640, 360, 30, 1500))
    edge.handle(Route("ann", MediaKind.VIDEO, "room/main/VP8/full"))
    for n in range(frames):
        made = encoder.encode(colour(Size(640, 360), 60 + n, 128, 128), n, n % 10 == 0)
        assert made is not None
        data = made.data + bytes(3000)
        frame = EncodedFrame(
            "room/main/VP8/full", 0, CodecId.VP8, n, n, n * 3000, data, key=made.key, arrival=clock.now()
        )
        edge.handle(frame)
        await asyncio.sleep(1 / 30)
    encoder.close()
