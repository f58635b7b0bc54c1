"""Sound over a network that loses packets, with a real Chromium: it sends each packet twice because the answer asks for
that, and decodes what it is sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from support.chromium import EXECUTABLE, chromium
from support.serving import Served, served

from mixdown.mcu.edge.outgoing import Outgoing
from mixdown.mcu.edge.receiver import SourceReceiver
from mixdown.mcu.edge.rtp import RtpHeader

SPEECH = Path(__file__).resolve().parent.parent / "data" / "speech.wav"
SPAN = 960
"Samples of a packet."
JOIN = """
async (room) => {
  const pc = window.pc = new RTCPeerConnection();
  const raw = { echoCancellation: false, autoGainControl: false, noiseSuppression: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
  pc.addTrack(stream.getTracks()[0], stream);
  const audio = window.audio = new Audio();
  pc.ontrack = ({ track }) => { audio.srcObject = new MediaStream([track]); audio.play(); };
  await pc.setLocalDescription(await pc.createOffer());
  while (pc.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 20));
  const body = JSON.stringify({ name: 'x', type: 'offer', sdp: pc.localDescription.sdp });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`/v1/rooms/${room}/participants`, { method: 'POST', headers, body });
  await pc.setRemoteDescription({ type: 'answer', sdp: (await answer.json()).sdp });
}
"""
REPORT = """
async (type) => {
  for (const report of (await pc.getStats()).values()) if (report.type === type) return { ...report };
  return {};
}
"""


class Channel:
    """Loses two packets in a row of every twelve of each stream. lost: how many of all."""

    def __init__(self) -> None:
        self.lost = 0
        self._sent: Counter[object] = Counter()

    def loses(self, stream: object) -> bool:
        self._sent[stream] += 1
        gone = self._sent[stream] % 12 in (5, 6)
        self.lost += gone
        return gone


async def join(server: Served, browser: Browser) -> Page:
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{server.url}/v1/openapi.json")
    await page.evaluate(JOIN, "loss")
    return page


async def metrics(page: Page, *reasons: str) -> list[float]:
    """Of the edge's counters, by reason."""
    text: str = await page.evaluate("fetch('/metrics').then((answer) => answer.text())")
    found = {}
    for line in text.splitlines():
        if line.startswith("mixdown_edge_events_total{"):
            found[line.split('"')[1]] = float(line.split()[-1])
    return [found.get(reason, 0.0) for reason in reasons]


async def inbound(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(REPORT, "inbound-rtp")
    return found


async def reported_loss(page: Page) -> float:
    """Share of its packets, as our reports tell it."""
    ours = await page.evaluate(REPORT, "remote-inbound-rtp")
    its = await page.evaluate(REPORT, "outbound-rtp")
    return float(ours["packetsLost"] / its["packetsSent"])


async def until(page: Page, reason: str, least: float, timeout: float = 20.0) -> None:
    end = asyncio.get_running_loop().time() + timeout
    while (value := (await metrics(page, reason))[0]) < least:
        assert asyncio.get_running_loop().time() < end, f"{reason}: {value}, not {least}"
        await asyncio.sleep(0.1)


@pytest.fixture
async def speaking() -> AsyncIterator[Browser]:
    """A Chromium whose microphone hears the sample of speech."""
    if not Path(EXECUTABLE).exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    async with chromium(f"--use-file-for-fake-audio-capture={SPEECH}") as started:
        yield started


async def test_lost_packets_of_a_browser_are_repaired_from_its_copies(
    speaking: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, receive = Channel(), SourceReceiver.rtp

    def lossy(receiver: SourceReceiver, packet: RtpHeader, now: float) -> None:
        if not channel.loses(receiver):
            receive(receiver, packet, now)

    monkeypatch.setattr(SourceReceiver, "rtp", lossy)
    async with served(tmp_path) as server:
        page = await join(server, speaking)
        await until(page, "red_repaired", 20)
        sent, repaired = await metrics(page, "red_packets", "red_repaired")
        assert sent > 0.7 * (sent + channel.lost), "not all of it came twice"
        assert repaired == pytest.approx(channel.lost / 2, abs=3), "the second of two has its copy"
        assert await reported_loss(page) > 0.05, "what was repaired was still lost, for the reports"


async def test_a_browser_that_loses_packets_is_sent_copies_and_decodes_them(
    speaking: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, send = Channel(), Outgoing.send

    def lossy(out: Outgoing, packets: Sequence[bytes], *, droppable: bool) -> None:
        kept = [packet for packet in packets if droppable or not channel.loses(out)]
        if kept:
            send(out, kept, droppable=droppable)

    monkeypatch.setattr(Outgoing, "send", lossy)
    async with served(tmp_path) as server:
        listener, _ = await join(server, speaking), await join(server, speaking)
        end = asyncio.get_running_loop().time() + 20
        while (await inbound(listener)).get("fecPacketsReceived", 0) < 100:
            assert asyncio.get_running_loop().time() < end, await inbound(listener)
            await asyncio.sleep(0.1)
        before = await inbound(listener)
        await asyncio.sleep(6)
        after = await inbound(listener)
        lost = after["packetsLost"] - before["packetsLost"]
        concealed = (after["concealedSamples"] - before["concealedSamples"]) / SPAN
        assert lost > 20
        assert concealed < 0.35 * lost, "in-band FEC alone leaves half of them"
