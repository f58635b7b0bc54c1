"""Several cameras and microphones in a page."""

from __future__ import annotations

from pathlib import Path

from support.page_client import PageClient, source_script
from support.sources import Source

SCRIPT = Path(__file__).with_name("devices.js")


async def several_devices(client: PageClient, other: Source) -> None:
    """Cameras `cam-a` and `cam-b`, microphones `mic-a` and `mic-b`, a speaker: `a` as the page had, `b` as `other`."""
    await client.evaluate(SCRIPT.read_text().replace("__SCRIPT_B__", source_script(other)))
