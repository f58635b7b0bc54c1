"""What a peer asks for: key frames, once or all the time; repairs, and more than there may be."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRtpfbPacket

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu.edge.control import KEY_FRAME_DOUBT, KEY_FRAME_FLOOD, KEY_FRAME_WAIT, Control
from mixdown.mcu.link.messages import KeyFrameRequest

SSRC = 7
PLI = RtcpPsfbPacket(RTCP_PSFB_PLI, 1, SSRC)
TICK = 0.01


class Asking:
    """A peer that asks, in simulated time. told: when the mixer heard of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[float] = []
        self.beyond = False
        video = SimpleNamespace(
            streams=SimpleNamespace(ssrc=SSRC),
            beyond_repair=lambda numbers: self.beyond,
            repair_no_more=lambda: None,
            repair=lambda number, now: None,
        )
        request = SimpleNamespace(room="r", participant="p")
        lines: Any = SimpleNamespace(senders={MediaKind.VIDEO: video}, request=request)
        mixer: Any = SimpleNamespace(send=self._tell)
        self.bandwidth = SimpleNamespace(thin=False, draining=False)
        bandwidth: Any = self.bandwidth
        self.control = Control(lines, bandwidth, mixer, Counter())

    def _tell(self, message: object) -> None:
        assert isinstance(message, KeyFrameRequest)
        self.told.append(self.now)

    def run(self, seconds: float, every: float | None = None) -> None:
        """every: seconds between two requests; None: it asks for nothing."""
        end, due = self.now + seconds, self.now
        while self.now < end:
            if every is not None and self.now >= due - 1e-6:
                self.control.take(PLI, self.now)
                due += every
            self.now += TICK
            self.control.poll(self.now)


def test_one_request_is_passed_on_soon_and_once() -> None:
    peer = Asking()
    peer.control.take(PLI, peer.now)
    peer.control.take(PLI, peer.now + 0.001)
    peer.run(1.0)
    (told,) = peer.told
    assert told - 100.0 <= KEY_FRAME_WAIT + 2 * TICK


def test_a_browser_that_waits_for_its_key_frame_is_heard() -> None:
    peer = Asking()
    peer.run(2.0, every=0.2)
    assert len(peer.told) == 10


def test_a_hundred_a_second_are_not_heard_at_all_and_a_good_one_is_after_a_while() -> None:
    peer = Asking()
    peer.run(60, every=0.01)
    assert peer.told == []
    peer.run(KEY_FRAME_FLOOD + 1)
    peer.run(0.1, every=0.2)
    assert len(peer.told) == 1


def test_what_a_stalled_line_held_back_is_one_request() -> None:
    peer = Asking()
    for _ in range(10):
        peer.control.take(PLI, peer.now)
    peer.run(2.0)
    (told,) = peer.told
    assert told - 100.0 <= KEY_FRAME_DOUBT + 2 * TICK
    peer.run(0.1, every=0.2)
    assert len(peer.told) == 2


def test_who_asks_on_meanwhile_is_answered_no_later() -> None:
    peer = Asking()
    for _ in range(5):
        peer.control.take(PLI, peer.now)
    peer.run(KEY_FRAME_DOUBT + 0.05, every=0.2)
    assert peer.told and peer.told[0] - 100.0 <= KEY_FRAME_DOUBT + 2 * TICK


def test_after_seconds_of_a_stall_a_peer_is_heard_again_soon() -> None:
    peer = Asking()
    for _ in range(30):
        peer.control.take(PLI, peer.now)
    peer.run(KEY_FRAME_FLOOD + 0.5, every=0.2)
    assert peer.told and peer.told[0] - 100.0 <= KEY_FRAME_FLOOD + 0.25


def test_what_is_asked_while_the_line_empties_costs_nobody_a_key_frame() -> None:
    peer = Asking()
    peer.bandwidth.draining = True
    peer.run(1.0, every=0.2)
    assert peer.told == []
    peer.bandwidth.draining = False
    peer.run(0.3, every=0.2)
    assert len(peer.told) == 2


def test_what_is_beyond_repair_is_answered_at_once_with_a_key_frame() -> None:
    peer = Asking()
    lost = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=SSRC, lost=list(range(100)))
    peer.control.take(lost, peer.now)
    assert peer.told == []
    peer.beyond = True
    peer.control.take(lost, peer.now)
    assert peer.told == [100.0]
