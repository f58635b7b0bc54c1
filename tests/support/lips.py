"""Lips of a real browser: a page flashes and beeps at once; how far apart are the two where they arrive?"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from playwright.async_api import Browser
from support.chromium import chromium_client
from support.direct_call import CONNECT, GATHERED
from support.page_client import BLANK_PAGE, PageClient
from support.rtp_ear import Notes, Packet, RtpEar
from support.sources import source

from mixdown.codecs.opus import OpusDecoder

SCRIPT = (Path(__file__).with_name("lips.js")).read_text()
PROBE = (Path(__file__).with_name("probe.js")).read_text()
FRACTION = 1 << 32
"Of an NTP second; and how many RTP times there are."
BRIGHT = 125
"Luma between dark (16) and bright (235)."
ONSET = 0.1
"Of the loudest sample: where a beep begins."
QUIET = 0.25
"Seconds without sound before a beep."
TOGETHER = 0.5
"Seconds between a flash and a beep that are one event at most."


async def lips_page(browser: Browser) -> PageClient:
    return await chromium_client(browser, source(0, "Lips"), script=SCRIPT + PROBE)


async def direct_skews(page: PageClient, seconds: float, settle: float) -> list[float]:
    """Of a call from the page straight to the ear: what the browser itself adds. Seconds, over 0: sound is late."""
    await page.page.goto(BLANK_PAGE)
    await page.evaluate(CONNECT)
    async with RtpEar() as ear:
        await page.evaluate("__pc.createOffer().then((offer) => __pc.setLocalDescription(offer))")
        offer = await page.evaluate(GATHERED)
        answer = {"type": "answer", "sdp": await ear.answer(offer["sdp"])}
        await page.evaluate(f"__pc.setRemoteDescription({json.dumps(answer)}).then(() => null)")
        skews = await _listen(ear, seconds, settle)
        await page.evaluate("__pc.close()")
        return skews


async def mixed_skews(page: PageClient, url: str, room: str, seconds: float, settle: float) -> list[float]:
    """Of what the server makes of it."""
    await page.join(url, room)
    async with RtpEar() as ear:
        await ear.join(url, room)
        return await _listen(ear, seconds, settle)


async def _listen(ear: RtpEar, seconds: float, settle: float) -> list[float]:
    """What comes in the first `settle` seconds does not count."""
    for kind in ear.notes:
        await ear.wait(kind)
    await asyncio.sleep(settle)
    last = ear.notes["audio"].packets[-1]
    await asyncio.sleep(seconds)
    sound, picture = ear.taken("audio"), ear.taken("video")
    since = captured(sound, last.rtp_time, 48_000)
    seen, heard = await asyncio.to_thread(lambda: (flashes(picture), beeps(sound)))
    return paired([at for at in seen if at > since], heard)


def paired(seen: Sequence[float], heard: Sequence[float]) -> list[float]:
    """For each flash, by how many seconds the nearest beep is later; flashes without one are left out."""
    skews = [min((at - flash for at in heard), key=abs, default=TOGETHER) for flash in seen]
    return [skew for skew in skews if abs(skew) < TOGETHER]


def flashes(notes: Notes) -> list[float]:
    """NTP seconds of the frames with which a flash begins. Frames before the first key frame are not seen."""
    decoder, times, lumas = av.CodecContext.create("vp8", "r"), [], []
    packets: list[Packet] = []
    for packet in notes.packets:
        packets.append(packet)
        if not packet.marker:
            continue
        data = b"".join(part.data for part in packets if part.rtp_time == packet.rtp_time)
        packets.clear()
        if not times and data[0] & 1:
            continue  # no key frame (RFC 6386, 9.1)
        for frame in decoder.decode(av.Packet(data)):
            luma = frame.to_ndarray(format="gray")
            middle = luma[luma.shape[0] // 2 - 8 : luma.shape[0] // 2 + 8, luma.shape[1] // 2 - 8 :][:, :16]
            times.append(captured(notes, packet.rtp_time, 90_000))
            lumas.append(float(middle.mean()))
    bright = np.array(lumas) > BRIGHT
    return [times[n] for n in range(1, len(times)) if bright[n] and not bright[n - 1]]


def beeps(notes: Notes) -> list[float]:
    """NTP seconds of the samples with which a beep begins."""
    decoder, blocks, times = OpusDecoder(), [], []
    for packet in notes.packets:
        blocks.append(decoder.decode(packet.data)[:, 0])
        times.append(captured(notes, packet.rtp_time, 48_000))
    decoder.close()
    length = len(blocks[0])
    sound = np.abs(np.concatenate(blocks))
    loud = np.flatnonzero(sound > ONSET * sound.max())
    first = loud[np.flatnonzero(np.diff(loud, prepend=-48_000) > QUIET * 48_000)]
    return [times[n // length] + (n % length) / 48_000 for n in first if n > QUIET * 48_000]


def captured(notes: Notes, rtp_time: int, rate: int) -> float:
    """NTP seconds of an RTP time, by all sender reports together: those of a browser's sound waver by 20 ms."""
    first = notes.reports[0][1]

    def since(time: int) -> int:
        return (time - first + (1 << 31)) % FRACTION - (1 << 31)

    told = [ntp / FRACTION - since(time) / rate for ntp, time in notes.reports]
    return statistics.fmean(told) + since(rtp_time) / rate
