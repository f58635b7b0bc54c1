"""Sound and picture of one participant through jitter buffer, frame wait and the engine's lip sync. Simulated time."""

from __future__ import annotations

import random

import numpy as np

from benchmarks.sound.call import tone_packets
from benchmarks.sound.room import TICK, SoundRoom
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.frame_wait import FrameWait
from mixdown.codecs.lip_sync import FRACTION
from mixdown.mcu.engine.lip_sync import SOUND_AFTER, RoomSync
from mixdown.mcu.link.messages import SenderReport
from mixdown.mixer.media import SAMPLE_RATE

FPS = 30
SECONDS = 30
SETTLED = 8.0
EPOCH = 3.9e9
"Seconds of the sender's NTP clock at the start."


class _Camera:
    """A video source's waiting, without its decoder: what is released before a tick is shown at it."""

    name, epoch, visible = "voice-camera", 0, True

    def __init__(self) -> None:
        self.wait = FrameWait()

    @property
    def transit(self) -> tuple[float | None, float | None]:
        return self.wait.usual, self.wait.soonest

    def set_wait(self, seconds: float) -> None:
        self.wait.wait = seconds


def lips(seed: int) -> dict[str, float]:
    """Worst of three participants: picture 90 ms behind, sound 120 ms behind, both alike; in mean over each second."""
    dice = random.Random(seed)
    cases = ((0.02, 0.11, 0.003), (0.14, 0.02, 0.003), (0.02, 0.03, 0.02))
    return {"skew_ms": max(_skew(dice, *case) for case in cases) * 1000}


def _skew(dice: random.Random, sound_way: float, picture_way: float, jitter: float) -> float:
    room, sync, camera = SoundRoom({"voice": CodecId.OPUS, "ear": CodecId.OPUS}), RoomSync(), _Camera()
    room.ears["ear"].deaf = True
    packets = tone_packets(440.0, 50)
    start = dice.randrange(1 << 20), dice.randrange(1 << 20)
    sounds = [(n * 0.02 + 0.02 + sound_way + abs(dice.gauss(0, jitter)), n) for n in range(SECONDS * 50)]
    frames = [(n / FPS + picture_way + abs(dice.gauss(0, jitter)), n) for n in range(SECONDS * FPS)]
    shown: list[float] = []
    skews: list[tuple[float, float]] = []
    ready: list[EncodedFrame] = []
    for tick in range(SECONDS * 50):
        due = tick * TICK
        while sounds and sounds[0][0] <= due:
            at, n = sounds.pop(0)
            room.send("voice", n, packets[n % 50], at, start[0])
        room.tick()
        if tick % 50 == 25 and tick > 50:
            _report(sync, room, due, start)
            sync.update("voice", room.feeds, {camera.name: camera})
        for moment in _video_ticks(due):
            while frames and frames[0][0] <= moment:
                at, n = frames.pop(0)
                time = start[1] + n * 90_000 // FPS
                ready += camera.wait.push(EncodedFrame(camera.name, 0, CodecId.VP8, n, n, time, b"", arrival=at), at)
            if ready:
                shown = [(ready[-1].rtp_time - start[1]) / 90_000]
            camera.wait.ticked(moment)
            ready = camera.wait.due()
            source = room.feeds["voice-microphone"].source
            delay = None if source is None else source.delay(due)
            if shown and delay is not None and moment > SETTLED:
                # The sound that is in the mix at this moment was captured `delay` ago, by its own RTP time.
                heard = moment - (delay + start[0] / SAMPLE_RATE) - SOUND_AFTER
                skews.append((moment, heard - shown[0]))
    room.check()
    room.close()
    values = np.array(skews)
    return float(max(abs(values[(values[:, 0] // 1) == s, 1].mean()) for s in range(int(SETTLED) + 1, SECONDS - 1)))


def _video_ticks(due: float) -> list[float]:
    """The picture's ticks in the 20 ms from `due` on."""
    first = int(np.ceil(due * FPS - 1e-9))
    return [n / FPS for n in range(first, first + 2) if n / FPS < due + TICK - 1e-9]


def _report(sync: RoomSync, room: SoundRoom, now: float, start: tuple[int, int]) -> None:
    ntp = int((EPOCH + now) * FRACTION)
    sound, picture = start[0] + int(now * SAMPLE_RATE), start[1] + int(now * 90_000)
    sync.report(SenderReport("room", "voice-microphone", ntp, sound, "c"), CodecId.OPUS, 0)
    sync.report(SenderReport("room", "voice-camera", ntp, picture, "c"), CodecId.VP8, 0)
