"""Makes docs/room.png: four people in one room, as the page shows it.

python docs/room_picture.py http://localhost:8080
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

PEOPLE = (("Ada Lovelace", 210, 24), ("王小明", 160, 32), ("عمر الخيام", 28, 18), ("Zoë 🎻", 280, 28))
FLAGS = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--disable-sync")
PORTRAIT = """([hue, skin]) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 640, height: 360});
  const c = canvas.getContext('2d');
  const disc = (x, y, rx, ry, colour) => {
    c.fillStyle = colour; c.beginPath(); c.ellipse(x, y, rx, ry, 0, 0, 7); c.fill();
  };
  const draw = () => {
    const t = performance.now() / 900, sway = 6 * Math.sin(t);
    const wall = c.createLinearGradient(0, 0, 640, 360);
    wall.addColorStop(0, `hsl(${hue} 35% 72%)`); wall.addColorStop(1, `hsl(${hue} 40% 38%)`);
    c.fillStyle = wall; c.fillRect(0, 0, 640, 360);
    c.fillStyle = `hsl(${hue} 30% 82%)`; c.fillRect(60, 40, 130, 90);
    c.fillStyle = `hsl(${hue + 180} 30% 60%)`; c.fillRect(68, 48, 114, 74);
    disc(320 + sway, 385, 150, 120, `hsl(${hue + 150} 45% 40%)`);
    disc(320 + sway, 262, 34, 46, `hsl(${skin} 45% 58%)`);
    disc(320 + sway, 178, 76, 92, `hsl(${hue + 40} 30% 18%)`);
    disc(320 + sway, 196, 62, 76, `hsl(${skin} 50% 66%)`);
    disc(298 + sway, 188, 6, 7, '#222'); disc(342 + sway, 188, 6, 7, '#222');
    c.strokeStyle = '#722'; c.lineWidth = 5; c.beginPath();
    c.arc(320 + sway, 214, 24, 0.35, Math.PI - 0.35); c.stroke();
  };
  setInterval(draw, 33); draw();
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await real(wish);
    if (wish.video) {
      stream.getVideoTracks().forEach((track) => { stream.removeTrack(track); track.stop(); });
      stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
    }
    return stream;
  };
}"""


async def join(browser: Browser, url: str, person: tuple[str, int, int]) -> Page:
    name, hue, skin = person
    context = await browser.new_context(viewport={"width": 1280, "height": 720}, permissions=["camera", "microphone"])
    page = await context.new_page()
    await page.add_init_script(f"({PORTRAIT})([{hue}, {skin}])")
    await page.goto(f"{url}/?room=picture")
    await page.fill("input[name=name]", name)
    await page.click("button[type=submit]")
    return page


async def main(url: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        pages = [await join(browser, url, person) for person in PEOPLE]
        await asyncio.sleep(8)  # the page's policy forbids waiting by eval
        await pages[0].screenshot(path=Path(__file__).parent / "room.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
