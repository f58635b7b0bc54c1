"""A real peer (aiortc) against the edge: media both ways, hostile datagrams, repair, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time

import pytest
from aiortc.rtp import RTCP_PSFB_PLI, RtcpPsfbPacket
from support.edge_call import Call, Client, told

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind, Tier, TierName
from mixdown.codecs.video import make_video_encoder
from mixdown.mcu import clock
from mixdown.mcu.edge.path import Path
from mixdown.mcu.edge.types import EdgeConfig, JoinRequest, PeerState, PeerTierChanged
from mixdown.mcu.errors import BadOffer, Conflict, TooMany, Unavailable
from mixdown.mcu.link.messages import (
    KeyFrameRequest,
    Route,
    SourceClosed,
    SourceFrame,
    SourceKeyFrameWanted,
    SourceOpened,
    Subscribe,
    Unsubscribe,
)
from mixdown.mixer.media import I420Frame, Size
from mixdown.mixer.picture import colour

STREAM = "room/main/VP8/full"


@pytest.fixture
async def call():
    made = Call()
    await made.connect()
    yield made
    await made.close()


def grey(level: int) -> I420Frame:
    return colour(Size(320, 180), level, 128, 128)


async def play(call: Call, frames: int = 30, stream: str = STREAM) -> None:
    """Feeds the peer an encoded picture at 30 a second, as the mixer would."""
    encoder = make_video_encoder(CodecId.VP8, Tier(TierName.FULL, 320, 180, 30, 300))
    call.edge.handle(Route("ann", MediaKind.VIDEO, stream))
    for n in range(frames):
        picture = encoder.encode(grey(60 + n), n, n == 0)
        call.edge.handle(
            EncodedFrame(stream, 0, CodecId.VP8, n, n, n * 3000, picture.data, key=picture.key, arrival=clock.now())
        )
        await asyncio.sleep(1 / 60)
    encoder.close()


async def test_media_goes_both_ways(call: Call):
    opened = {message.source for message in call.mixer.of(SourceOpened)}
    assert opened == {"ann-microphone", "ann-camera"}

    def camera() -> list[EncodedFrame]:
        return [m.frame for m in call.mixer.of(SourceFrame) if m.frame.stream == "ann-camera"]

    await call.mixer.until(lambda: len(camera()) > 5)
    assert camera()[0].key and camera()[0].codec is CodecId.VP8
    await play(call)
    await call.mixer.until(lambda: len(call.client.frames) > 20)
    luma = call.client.frames[-1].to_ndarray(format="gray").mean()
    assert 60 < luma < 100, luma
    assert [state.state for state in call.states] == [PeerState.CONNECTING, PeerState.CONNECTED]


@pytest.mark.parametrize("kernel", [True, False], ids=["kernel", "python"])
async def test_a_stranger_cannot_hurt_the_call(kernel: bool):
    """FOUNDATION rows 1 and 2: empty datagrams, DTLS alerts, RTP and STUN from another socket. They meet the kernel's
    filter, and without it ours."""
    call = Call(EdgeConfig(join_deadline=8, kernel_filter=kernel))
    await call.connect()
    await play(call, 10)
    port = call.media_port()
    address = call.edge._peers["ann"].transport.ice.selected.protocol.local_candidate.host
    stun = bytes.fromhex("000100002112a442") + bytes(12)
    alert = bytes.fromhex("15fefd00000000000000010002022e")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for junk in (b"", alert, b"\x80\x60" + bytes(200), stun, b"\x00" * 3, b"\xff" * 1400, b"\x16" * 100):
            for _ in range(20):
                stranger.sendto(junk, (address, port))
        stranger.setblocking(False)
        before = len(call.client.frames)
        await play(call, 20, "room/main/VP8/low")
        await call.mixer.until(lambda: len(call.client.frames) > before + 10)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)  # nobody answers a stranger
    counters = call.edge.counters()
    seen = [counters.get(name, 0) for name in ("empty_datagrams", "unverified_sources", "foreign_stun")]
    assert seen == ([0, 0, 0] if kernel else [20, 80, 40])
    assert call.edge._peers["ann"].connected
    await call.close()


async def test_malformed_packets_of_the_peer_itself_are_survived(call: Call):
    """FOUNDATION rows 3 and 4, from inside the encrypted stream."""
    dtls = call.client.pc.getSenders()[0].transport
    for junk in (
        b"\x90\x60" + bytes(10) + b"\xbe\xde\x00\x01" + b"\x1f\x01\x02\x03",
        b"\xa0\x60" + bytes(10) + b"\xff",
        b"\x8f\xce\x00\x05" + bytes(8) + b"REMB\xff\x00\x00\x00\x00\x00\x00\x00",
        b"\x81\xc9\x00\x01" + bytes(4),
    ):
        await dtls._send_rtp(junk)
    before = len(call.mixer.of(SourceFrame))
    await call.mixer.until(lambda: len(call.mixer.of(SourceFrame)) > before + 20)
    counters = call.edge.counters()
    assert counters["malformed_packets"] + counters.get("packet_exceptions", 0) >= 2
    assert call.edge._peers["ann"].connected


async def test_key_frames_are_asked_of_the_source(call: Call):
    def camera_keys() -> int:
        return sum(m.frame.key for m in call.mixer.of(SourceFrame) if m.frame.stream == "ann-camera")

    await call.mixer.until(lambda: camera_keys() >= 1)
    for wanted in (2, 3):
        await asyncio.sleep(0.55)  # the edge passes on at most two a second
        call.edge.handle(SourceKeyFrameWanted("ann-camera"))
        await call.mixer.until(lambda n=wanted: camera_keys() >= n)


async def test_a_second_transport_replaces_the_first_as_the_same_participant(call: Call):
    second = Client()
    answer = await call.edge.join(JoinRequest("room", "ann", await second.offer(), 1))
    await second.take(answer.sdp)
    await call.mixer.until(lambda: len(call.mixer.of(Subscribe)) >= 4)
    control = [m for m in call.mixer.messages if isinstance(m, Subscribe | Unsubscribe | SourceOpened | SourceClosed)]
    assert [type(m).__name__ for m in control[4:8]] == ["Unsubscribe", "Unsubscribe", "SourceClosed", "SourceClosed"]
    assert call.mixer.of(SourceOpened)[-1].epoch > call.mixer.of(SourceOpened)[0].epoch
    assert PeerState.DISCONNECTED not in [state.state for state in call.states]
    await second.close()


async def test_a_peer_that_leaves_is_told_and_freed(call: Call):
    await call.client.close()
    await told(call, PeerState.DISCONNECTED)
    assert len(call.mixer.of(Unsubscribe)) == 2 and len(call.mixer.of(SourceClosed)) == 2


async def test_an_ice_restart_is_a_conflict_and_a_foreign_offer_bad(call: Call):
    stranger = Client()
    with pytest.raises(Conflict):
        await call.edge.renegotiate("ann", await stranger.offer())
    with pytest.raises(BadOffer):
        await call.edge.renegotiate("ann", "v=0")
    await stranger.close()


async def test_a_join_that_never_connects_is_freed_at_its_deadline():
    call = Call(EdgeConfig(join_deadline=0.3, max_half_open=1))
    offer = await call.client.offer()
    await call.edge.join(JoinRequest("room", "ann", offer))
    with pytest.raises(TooMany):
        await call.edge.join(JoinRequest("room", "bob", offer))
    await told(call, PeerState.DISCONNECTED)
    assert not call.edge.peers and not call.edge._half_open.total
    await call.close()


def threads_of_mixdown() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mixdown")]


async def test_twenty_calls_leave_nothing_behind():
    def open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    first = Call()
    await first.connect()
    await first.close()
    tasks, descriptors = len(asyncio.all_tasks()), open_descriptors()
    for _ in range(5):
        calls = [Call() for _ in range(4)]
        await asyncio.gather(*(call.connect() for call in calls))
        await asyncio.gather(*(call.close() for call in calls))

    def left() -> tuple[int, int, list[str]]:
        return len(asyncio.all_tasks()) - tasks, open_descriptors() - descriptors, threads_of_mixdown()

    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and left() != (0, 0, []):
        await asyncio.sleep(0.05)
    # aiortc's own clients keep threads of asyncio's executor; ours are named.
    assert left() == (0, 0, []), [str(task) for task in asyncio.all_tasks()]


async def test_one_peers_failure_takes_the_frame_from_nobody_else(call: Call):
    second = Client()
    answer = await call.edge.join(JoinRequest("room", "bob", await second.offer()))
    await second.take(answer.sdp)
    await call.mixer.until(lambda: len(call.mixer.of(Subscribe)) >= 4)

    def broken(*_) -> int:
        raise RuntimeError("a transport in pieces")

    call.edge._peers["ann"].send_frame = broken
    call.edge.handle(Route("ann", MediaKind.AUDIO, "mix"))
    call.edge.handle(Route("bob", MediaKind.AUDIO, "mix"))
    bob = call.edge._peers["bob"]
    before = bob.sent[0]
    call.edge.handle(EncodedFrame("mix", 0, CodecId.OPUS, 1, 1, 960, b"sound"))
    assert bob.sent[0] == before + 1 and call.edge.counters()["send_exceptions"] == 1
    await second.close()


async def test_a_route_of_the_transport_before_does_not_feed_the_next():
    call = Call(EdgeConfig(join_deadline=1))
    await call.edge.join(JoinRequest("room", "ann", await call.client.offer(), 1))
    call.edge.handle(Route("ann", MediaKind.VIDEO, STREAM))
    call.edge.handle(EncodedFrame(STREAM, 0, CodecId.VP8, 0, 0, 0, b"picture", key=True))
    assert call.edge._peers["ann"].senders[MediaKind.VIDEO].current is None
    await call.close()


async def test_without_a_free_port_a_join_is_told_so():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        call = Call(EdgeConfig(media_address="127.0.0.1", port_range=(port, port)))
        with pytest.raises(Unavailable, match="port"):
            await call.edge.join(JoinRequest("room", "ann", await call.client.offer()))
        assert not call.edge.peers and not call.edge._half_open.total
        await call.close()


async def test_a_flood_of_key_frame_requests_does_not_reach_the_mixer(call: Call):
    dtls = call.client.pc.getSenders()[0].transport
    many = bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, 1, 2)) * 30
    for _ in range(60):
        await dtls._send_rtp(many)
    async with asyncio.timeout(5):
        while call.edge.counters().get("key_frames_asked", 0) < 1500:
            await asyncio.sleep(0.02)
    assert len(call.mixer.of(KeyFrameRequest)) < 5


async def test_a_peer_closed_during_its_handshake_opens_nothing():
    call = Call(EdgeConfig(join_deadline=5))
    answer = await call.edge.join(JoinRequest("room", "ann", await call.client.offer()))
    peer = call.edge._peers["ann"]
    start = peer.transport.dtls.start

    async def closed_meanwhile(parameters) -> None:
        await start(parameters)
        peer.closed = True

    peer.transport.dtls.start = closed_meanwhile
    await call.client.take(answer.sdp)
    async with asyncio.timeout(8):
        while call.edge._half_open.total:
            await asyncio.sleep(0.02)
    assert not call.mixer.of(Subscribe) and not call.mixer.of(SourceOpened)
    peer.closed = False
    await peer.close()
    await call.close()


async def test_a_peer_may_stop_receiving_and_begin_again(call: Call):
    await play(call, 5)
    video = next(t for t in call.client.pc.getTransceivers() if t.kind == "video")
    for direction, kind in (("sendonly", Unsubscribe), ("sendrecv", Subscribe)):
        before = len(call.mixer.of(kind))
        video.direction = direction
        answer = await call.edge.renegotiate("ann", await call.client.offer())
        assert [m.kind for m in call.mixer.of(kind)[before:]] == [MediaKind.VIDEO]
        assert (answer.video is None) == (direction == "sendonly")
        assert "a=setup:active" in answer.sdp
        await call.client.take(answer.sdp)
        packets = call.edge._peers["ann"].sent[0]
        call.edge.handle(EncodedFrame(STREAM, 0, CodecId.VP8, 9, 9, 90_000, b"picture", key=True))
        assert call.edge._peers["ann"].sent[0] == packets, "a stream went on that nobody asked for"
    assert not call.mixer.of(SourceClosed), "the camera went with the picture"


async def test_sound_alone_means_no_more_pictures_of_a_stream_that_others_watch(call: Call):
    await play(call, 5)
    peer = call.edge._peers["ann"]
    key = EncodedFrame(STREAM, 0, CodecId.VP8, 9, 9, 90_000, b"picture", key=True)
    for tier, sent in ((TierName.AUDIO, 0), (TierName.FULL, 1)):
        call.edge.set_view("ann", "main", tier)
        assert call.mixer.of(Subscribe)[-1].tier is tier
        call.edge.handle(Route("ann", MediaKind.VIDEO, STREAM))  # to AUDIO: one that was under way
        before = peer.sent[0]
        call.edge.handle(key)
        assert peer.sent[0] == before + sent, tier


async def test_an_edge_that_closes_lets_a_lost_peer_be_freed(call: Call):
    peer = call.edge._peers["ann"]
    stop = peer.transport.dtls.stop

    async def slowly() -> None:
        await asyncio.sleep(0.05)
        await stop()

    peer.transport.dtls.stop = slowly
    losing = call.edge._spawn(call.edge._lose(peer))
    await asyncio.sleep(0)
    await call.edge.close()
    assert losing.done() and not losing.cancelled()
    assert peer.transport.ice._closed, "the sockets stayed open"


async def test_what_is_queued_on_a_line_gets_through_before_another_picture_is_asked_for(call: Call):
    await play(call, 5)
    peer = call.edge._peers["ann"]
    bandwidth, subscribed = peer.bandwidth, len(call.mixer.of(Subscribe))
    bandwidth.path = type("FullPath", (Path,), {"backlog": 0.6})()
    for rate in (2_000_000, 300_000):
        bandwidth.on_remb(rate, clock.now())
    assert not call.mixer.of(Unsubscribe), "the mixer would stop decoding, and begin again with key frames of all"
    assert len(call.mixer.of(Subscribe)) == subscribed and bandwidth.limited_by.value == "bandwidth"
    before, began = peer.sent[0], clock.now()
    call.edge.handle(Route("ann", MediaKind.VIDEO, STREAM))  # one that was under way
    call.edge.handle(EncodedFrame(STREAM, 0, CodecId.VP8, 9, 9, 90_000, b"picture", key=True))
    assert peer.senders[MediaKind.VIDEO].current is None
    await call.mixer.until(lambda: len(call.mixer.of(Subscribe)) > subscribed)
    assert clock.now() - began > 0.4 and call.mixer.of(Subscribe)[-1].tier is TierName.LOW
    assert peer.sent[0] == before, "a picture was sent to a line that is full"


async def test_a_line_that_becomes_thin_is_asked_less_for_and_told(call: Call):
    told: list[PeerTierChanged] = []
    call.edge.on_tier = told.append
    await play(call, 5)
    peer = call.edge._peers["ann"]
    sender = peer.senders[MediaKind.VIDEO]
    assert sender.current == STREAM
    for rate in (2_000_000, 300_000):
        peer.bandwidth.on_remb(rate, clock.now())
    assert sender.current is None, "the old picture does not fit any more"
    assert call.mixer.of(Subscribe)[-1].tier is TierName.LOW
    assert [(one.participant, one.tier, one.limited_by) for one in told] == [("ann", TierName.LOW, "bandwidth")]
    report = call.edge.report("ann")
    assert report is not None and (report.tier, report.limited_by) == (TierName.LOW, "bandwidth")
    call.edge.handle(Route("ann", MediaKind.VIDEO, "room/main/VP8/low", (375, 175, 100)))
    call.edge.handle(EncodedFrame(STREAM, 0, CodecId.VP8, 9, 9, 30_000, b"late", key=True))
    assert sender.current is None
    call.edge.handle(EncodedFrame("room/main/VP8/low", 0, CodecId.VP8, 0, 0, 33_000, bytes(30), key=True))
    assert sender.current == "room/main/VP8/low"
