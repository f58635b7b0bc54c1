"""Who is in the room, and the loads that the benchmark goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mixdown.codecs.encoded import CodecId, Tier, TierName
from mixdown.mcu.engine.tiers import tier_of
from mixdown.mcu.link.messages import Canvas
from mixdown.mixer.media import Size

CODECS = {"VP8": CodecId.VP8, "H264": CodecId.H264}


@dataclass(frozen=True, slots=True)
class Load:
    """talking: of the senders; the others send a quiet room's noise. codec: what senders send; receive: what everybody
    is sent. size, kbps: of each sender's picture."""

    senders: int
    talking: int = 3
    viewers: int = 0
    codec: str = "VP8"
    receive: str = "VP8"
    size: str = "640x360"
    kbps: int = 600

    @property
    def voices(self) -> int:
        return min(self.talking, self.senders)

    @property
    def picture(self) -> Size:
        width, height = map(int, self.size.split("x"))
        return Size(width, height)

    @property
    def tier(self) -> Tier:
        """The composite: a room's own 1280x720, 30/s."""
        return tier_of(Canvas(), TierName.FULL)

    @property
    def arguments(self) -> list[str]:
        """Of the crowd's command."""
        named: dict[str, object] = {"senders": self.senders, "talking": self.voices, "viewers": self.viewers}
        named |= {"codec": self.codec, "receive": self.receive, "size": self.size, "kbps": self.kbps}
        return [text for name, value in named.items() for text in (f"--{name}", str(value))]


GROUPS: Mapping[str, str] = {
    "rooms": "N senders of 640x360 VP8, each receives the composite",
    "h264": "the same, the composite in H.264",
    "hd": "senders of 1280x720 VP8",
    "listeners": "four senders, and viewers who send nothing",
}
JUDGED = (9, 16)
"Rooms that have targets: these are measured as often as was asked for, all else once."


def loads(group: str, sizes: Sequence[int], viewers: Sequence[int]) -> list[Load]:
    """sizes: of the group "rooms"; the others take those of it that they are made for. KeyError: no such group."""
    found = {
        "rooms": [Load(n) for n in sizes],
        "h264": [Load(n, receive="H264") for n in sizes if n in JUDGED],
        "hd": [Load(n, size="1280x720", kbps=1500) for n in sizes if n in (4, 9)],
        "listeners": [Load(4, viewers=m) for m in viewers],
    }
    return found[group]
