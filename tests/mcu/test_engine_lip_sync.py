"""What the engine makes of sender reports: whose sound waits for whose picture."""

from __future__ import annotations

import pytest

from mixdown.codecs.audio import make_audio_encoder
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.lip_sync import FRACTION
from mixdown.mcu.engine.audio_feed import AudioFeed
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.engine.lip_sync import RoomSync
from mixdown.mcu.link.messages import SenderReport, SourceKind
from mixdown.mixer.media import silence


class Camera:
    name, epoch, visible = "a-camera", 0, True

    def __init__(self, usual: float | None) -> None:
        self.transit = (usual, usual)
        self.waits: list[float] = []

    def set_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def feed() -> AudioFeed:
    """A microphone whose packets take 30 ms, and whose RTP time is the time of capture."""
    feed = AudioFeed("a-microphone", "a", SourceKind.MICROPHONE, 0, Faults())
    feed.set_heard(True)
    encoder = make_audio_encoder(CodecId.OPUS)
    for n in range(100):
        data = encoder.encode(silence())
        feed.offer(EncodedFrame(feed.name, 0, CodecId.OPUS, n, n, n * 960, data, arrival=n * 0.02 + 0.03))
        feed.pull(n * 0.02 + 0.031)
    return feed


def report(sync: RoomSync, source: str, codec: CodecId, epoch: int = 0) -> None:
    """The RTP time 0 was captured at 1000 s."""
    sync.report(SenderReport("room", source, 1000 * FRACTION, 0, "a"), codec, epoch)


def test_sound_waits_for_a_picture_that_takes_longer(feed: AudioFeed) -> None:
    sync, camera = RoomSync(), Camera(0.2)
    sync.update("a", {feed.name: feed}, {camera.name: camera})
    assert feed.hold == 0.0, "both came as fast as they ever do, and nobody has said what that means"
    report(sync, feed.name, CodecId.OPUS)
    report(sync, camera.name, CodecId.VP8)
    sync.update("a", {feed.name: feed}, {camera.name: camera})
    assert 0.1 < feed.hold < 0.18 and camera.waits[-1] == 0.0


def test_a_picture_waits_for_its_sound(feed: AudioFeed) -> None:
    sync, camera = RoomSync(), Camera(-0.1)
    report(sync, feed.name, CodecId.OPUS)
    report(sync, camera.name, CodecId.VP8)
    sync.update("a", {feed.name: feed}, {camera.name: camera})
    assert 0.1 < camera.waits[-1] < 0.2 and feed.hold == 0.0


def test_a_picture_that_takes_its_time_in_the_room_waits_less_for_its_sound(feed: AudioFeed) -> None:
    waits = []
    for after in (0.02, 0.06):
        sync, camera = RoomSync(lambda after=after: after), Camera(-0.1)
        report(sync, feed.name, CodecId.OPUS)
        report(sync, camera.name, CodecId.VP8)
        sync.update("a", {feed.name: feed}, {camera.name: camera})
        waits += camera.waits
    assert waits[0] - waits[1] == pytest.approx(0.04)


def test_nothing_waits_for_what_is_not_there(feed: AudioFeed) -> None:
    sync, camera = RoomSync(), Camera(0.2)
    report(sync, feed.name, CodecId.OPUS)
    report(sync, camera.name, CodecId.VP8)
    sync.update("a", {feed.name: feed}, {camera.name: camera})
    assert feed.hold > 0.1
    sync.update("a", {feed.name: feed}, {camera.name: Camera(None)})
    assert feed.hold == 0.0
    sync.update("b", {feed.name: feed}, {})


def test_a_report_of_an_old_transport_is_forgotten(feed: AudioFeed) -> None:
    sync, camera = RoomSync(), Camera(0.2)
    report(sync, feed.name, CodecId.OPUS)
    report(sync, camera.name, CodecId.VP8, epoch=7)
    sync.update("a", {feed.name: feed}, {camera.name: camera})
    assert feed.hold == 0.0
