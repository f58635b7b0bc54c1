"""A browser's page as a test client; what differs between browsers is only how a script is run in it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from support.measure import (
    SAMPLE_RATE,
    FrameTimes,
    colour_error,
    decode_audio,
    frame_times,
    tone_levels,
)
from support.sources import Source

HERE = Path(__file__).parent
COMPOSITE = "document.querySelector('[data-part=\"composite\"]')"


def init_script(source: Source) -> str:
    """To run in the page before its own scripts."""
    return source_script(source) + (HERE / "probe.js").read_text()


def source_script(source: Source) -> str:
    return (HERE / "source.js").read_text().replace("__SOURCE__", json.dumps(source.as_json()))


BLANK_PAGE = (HERE / "blank.html").as_uri()
"A secure context without a server."


class Page(Protocol):
    """One page of one browser. `evaluate` answers with the JSON value of an expression; a promise is awaited."""

    async def goto(self, url: str) -> None: ...
    async def evaluate(self, expression: str) -> Any: ...
    async def press(self, x: float, y: float) -> None: ...
    async def screenshot(self) -> bytes: ...
    async def close(self) -> None: ...


class PageClient:
    """A participant in a page."""

    def __init__(self, page: Page, source: Source, video: str = COMPOSITE) -> None:
        self.page = page
        self.source = source
        self.video = video

    async def evaluate(self, expression: str) -> Any:
        return await self.page.evaluate(expression)

    async def open(self, url: str, room: str, query: str = "raw=1") -> None:
        """The lobby, with camera and microphone open."""
        await self.page.goto(f"{url}/?room={room}&{query}")
        await self.until("document.querySelector('mx-lobby')?.media?.video != null")

    async def click_join(self) -> None:
        await self.evaluate(
            f"(() => {{ const part = (name) => document.querySelector(`mx-lobby [data-part=${{name}}]`);"
            f" part('name').value = {json.dumps(self.source.name)}; part('join').click(); }})()"
        )

    async def join(self, url: str, room: str, query: str = "raw=1") -> None:
        """All the way to the first frame of the composite."""
        await self.open(url, room, query)
        await self.click_join()
        await self.wait_live()

    async def wait_live(self, timeout: float = 20.0) -> None:
        await self.until(f"window.mixdown?.state === 'live' && {self.video}?.videoWidth > 0", timeout)

    async def leave(self) -> None:
        await self.evaluate("document.querySelector('mx-stage [data-part=leave]').click()")

    async def participant(self) -> str:
        return str(await self.evaluate("window.mixdown.participant"))

    async def tiles(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self.evaluate("window.mixdown.tiles")
        return found

    async def colours(self, points: Sequence[tuple[float, float]]) -> list[list[float]]:
        """points: fractions of the picture."""
        found: list[list[float]] = await self.evaluate(f"__probe.of({self.video}).pixels({json.dumps(points)})")
        return found

    async def press(self, selector: str) -> None:
        """As by hand: what a browser gives to nobody but a user, it gives to this."""
        centre = "(({ x, y, width, height }) => [x + width / 2, y + height / 2])"
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        await self.page.press(*await self.evaluate(f"{centre}({box})"))

    async def seen(self, selector: str, points: Sequence[tuple[float, float]]) -> list[list[int]]:
        """RGB of what is on the screen at fractions of an element's box: all that lies over it included."""
        png = np.frombuffer(await self.page.screenshot(), np.uint8)
        picture = cv2.imdecode(png, cv2.IMREAD_COLOR)[:, :, ::-1]
        box = await self.evaluate(
            f"(({{ x, y, width, height }}) => [x, y, width, height, innerWidth])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        x, y, width, height, whole = box
        scale = picture.shape[1] / whole
        spots = [(int((x + fx * width) * scale), int((y + fy * height) * scale)) for fx, fy in points]
        return [[int(channel) for channel in picture[row, column]] for column, row in spots]

    async def error(self, points: Sequence[tuple[float, float]], source: Source) -> float:
        """How far the quadrants of a source are from its colours, 0..255."""
        return colour_error(await self.colours(points), source)

    async def levels(self, tones: Sequence[int], seconds: float = 1.5) -> list[float]:
        """dB of each tone in what is heard in the next seconds."""
        await self.until(f"{self.video}?.srcObject?.getAudioTracks().length")
        encoded = await self.evaluate(f"__probe.of({self.video}).record({seconds * 1000})")
        return tone_levels(decode_audio(base64.b64decode(encoded)), SAMPLE_RATE, tones)

    async def watch(self, seconds: float) -> FrameTimes:
        """How the picture runs in the next seconds."""
        await self.start_watch()
        await asyncio.sleep(seconds)
        return await self.end_watch()

    async def start_watch(self) -> None:
        await self.evaluate(f"__probe.of({self.video}).frames.length = 0")

    async def end_watch(self) -> FrameTimes:
        frames: list[tuple[float, int]] = await self.evaluate(f"__probe.of({self.video}).frames")
        return frame_times([time / 1000 for time, _ in frames], [count for _, count in frames])

    async def until(self, expression: str, timeout: float = 20.0) -> Any:
        """Waits for an expression to be true."""
        async with asyncio.timeout(timeout):
            while not (value := await self.evaluate(expression)):
                await asyncio.sleep(0.05)
        return value

    async def close(self) -> None:
        await self.page.close()


def only_codec(name: str) -> str:
    """A script after which the page's offers name one video codec only."""
    return """
(() => {
  const create = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (...more) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    const wanted = codecs.filter(({ mimeType }) => ['video/NAME', 'video/rtx'].includes(mimeType));
    for (const transceiver of this.getTransceivers()) {
      if (transceiver.receiver.track.kind === 'video') transceiver.setCodecPreferences(wanted);
    }
    return create.apply(this, more);
  };
})();
""".replace("NAME", name)
