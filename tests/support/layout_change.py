"""From asking for a layout to the first frame drawn in it."""

from __future__ import annotations

import json

from support.page_client import PageClient

CENTRE_RIGHT = (0.55, 0.3)
"In a grid of two in the right picture; in `single-speaker` in the one big picture."

CHANGE = """
(async () => {
  const probe = __probe.of(VIDEO);
  let before = [0, 0, 0];
  let still = 0; // frames: the one after a cut is blurred, and sharpens over the next
  await probe.until(() => {
    const [now] = probe.pixels([POINT]);
    still = now.every((value, i) => Math.abs(value - before[i]) < 4) ? still + 1 : 0;
    before = now;
    return still >= 10;
  });
  const changed = () => probe.pixels([POINT])[0].some((value, i) => Math.abs(value - before[i]) > 40);
  const seen = probe.until(changed, 8000);
  const start = performance.now();
  const answer = await fetch('/v1/rooms/ROOM/layout', {
    method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(BODY),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await seen) - start;
})()
"""


async def seconds_to_show(client: PageClient, room: str, layout: str, point: tuple[float, float]) -> float:
    """point: a place, as fractions of the picture, whose colour is another in the new layout."""
    script = CHANGE.replace("VIDEO", client.video).replace("POINT", json.dumps(point)).replace("ROOM", room)
    milliseconds: float = await client.evaluate(script.replace("BODY", json.dumps({"layout": layout, "glide_ms": 0})))
    return milliseconds / 1000
