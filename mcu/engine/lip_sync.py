"""The one playout delay of each participant: his sound waits for his picture, or the other way about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from mixdown.codecs import opus
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.lip_sync import CaptureClock, Timing, Waits, waits
from mixdown.mcu.engine.audio_feed import AudioFeed
from mixdown.mcu.link.messages import SenderReport, SourceKind
from mixdown.mixer.limiter import LOOK_AHEAD
from mixdown.mixer.media import SAMPLE_RATE

PAIRS = ((SourceKind.MICROPHONE, SourceKind.CAMERA), (SourceKind.SCREEN_AUDIO, SourceKind.SCREEN))
SOUND_AFTER = (LOOK_AHEAD + opus.LOOK_AHEAD) / SAMPLE_RATE
"Seconds that the limiter and the encoder add. What the sender's encoder added is there in a call without us, too."
PICTURE_AFTER = 0.027
"Seconds from a frame's coming to the composite's going, until it is known: decoding, half a tick, composing, encoding."


class TimedPicture(Protocol):
    """What of a video source is needed here."""

    @property
    def name(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def visible(self) -> bool: ...
    @property
    def transit(self) -> tuple[float | None, float | None]: ...
    def set_wait(self, seconds: float) -> None: ...


class RoomSync:
    """All methods: the control thread. What it sets is read by the ticks."""

    def __init__(self, picture_after: Callable[[], float | None] = lambda: None) -> None:
        """picture_after: seconds from a frame's coming to the composite's going, as they are in this room, unwaited."""
        self._picture_after = picture_after
        self._clocks: dict[str, tuple[int, CaptureClock]] = {}
        self._waits: dict[str, Waits] = {}

    def report(self, message: SenderReport, codec: CodecId | None, epoch: int) -> None:
        """epoch: the source's current one; a new one begins with a clock that nobody knows."""
        if codec is None:
            return
        known = self._clocks.get(message.source)
        if known is None or known[0] != epoch:
            known = self._clocks[message.source] = (epoch, CaptureClock(codec.clock_rate))
        known[1].report(message.ntp, message.rtp_time)

    def forget(self, source: str) -> None:
        self._clocks.pop(source, None)
        self._waits.pop(source, None)

    def update(self, participant: str, sounds: Mapping[str, AudioFeed], pictures: Mapping[str, TimedPicture]) -> None:
        """Sets the waits of a participant's sources. To be called about once a second."""
        for sound_kind, picture_kind in PAIRS:
            sound = sounds.get(f"{participant}-{sound_kind.value}")
            picture = pictures.get(f"{participant}-{picture_kind.value}")
            if sound is None:
                continue
            heard, seen = self._sound(sound), None if picture is None else self._picture(picture)
            present = self._waits.get(sound.name, Waits())
            now = Waits() if heard is None or seen is None else waits(heard, seen, present)
            self._waits[sound.name] = now
            sound.hold = now.sound
            if picture is not None:
                picture.set_wait(now.picture)

    def _captured(self, source: AudioFeed | TimedPicture) -> float | None:
        epoch, clock = self._clocks.get(source.name, (None, None))
        return clock.captured if clock is not None and epoch == source.epoch else None

    def _sound(self, feed: AudioFeed) -> Timing | None:
        source = feed.source
        base = None if source is None else source.base
        if source is None or base is None:
            return None
        return Timing(base + source.target + SOUND_AFTER, base, self._captured(feed))

    def _picture(self, source: TimedPicture) -> Timing | None:
        usual, soonest = source.transit
        if usual is None or soonest is None or not source.visible:
            return None
        return Timing(usual + (self._picture_after() or PICTURE_AFTER), soonest, self._captured(source))
