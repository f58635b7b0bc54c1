"""Our sender and our receiver over lossy lines: minutes of media on simulated time, each by its seed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.lossy import FPS, LossyCall, Seen, Way

from mixdown.codecs.encoded import CodecId
from mixdown.codecs.key_request import SPACING
from mixdown.codecs.nack import MAX_TRIES
from mixdown.mcu.edge.sender import REPAIR_BURST, REPAIR_SHARE

CODECS = (CodecId.VP8, CodecId.H264)
RESCUED_WITHIN = 0.6
"Seconds from one frame to the next, whatever got lost: what two lost repairs and then a key frame take."


def check(seen: Seen, seconds: float) -> None:
    """What holds on any line."""
    for (before, _, _), (number, key, _) in itertools.pairwise(seen.frames):
        assert number > before, "out of order, or twice"
        assert key or number == before + 1, f"frame {number} hangs on one that was never shown"
    assert not seen.frames or seen.frames[0][1], "began without a key frame"
    assert seen.asked <= MAX_TRIES * seen.sent
    assert seen.repair_bytes <= REPAIR_SHARE * seen.media_bytes + REPAIR_BURST
    assert len(seen.plis) <= seconds / SPACING + 1


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("loss", "shown", "keys"), [(0.0, 1.0, 1), (0.01, 1.0, 3), (0.02, 0.995, 6), (0.05, 0.99, 30), (0.1, 0.97, 90)]
)
def test_a_minute_with_loss_is_seen_nearly_whole(codec: CodecId, loss: float, shown: float, keys: int) -> None:
    """RTT 50 ms, loss both ways; frames that could not be repaired are skipped by a key frame."""
    way = Way(delay=0.025, jitter=0.01, loss=loss, doubled=0.01, overtaken=0.01 if loss else 0.0)
    call = LossyCall(codec, way, Way(delay=0.025, loss=loss), seed=7)
    seen = call.run(60)
    check(seen, 60)
    assert len(seen.frames) >= shown * seen.made, (len(seen.frames), seen.made)
    assert seen.longest() <= RESCUED_WITHIN
    assert seen.keys_made <= keys
    assert seen.asked <= 2 * (seen.lost + seen.sent * way.overtaken) + 10


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("disorder", [0.003, 0.01, 0.03])
@pytest.mark.parametrize("loss", [0.0, 0.05, 0.1])
def test_packets_out_of_order_do_not_use_up_what_repairs_may_cost(codec: CodecId, disorder: float, loss: float) -> None:
    """Nearly all overtake each other. Asked for at once they would be sent twice, and the lost ones not again."""
    seen = LossyCall(codec, Way(disorder=disorder, loss=loss), Way(loss=loss), seed=5).run(30)
    check(seen, 31)
    assert len(seen.frames) >= 0.97 * seen.made
    assert seen.longest() <= RESCUED_WITHIN
    assert seen.asked <= 2 * seen.lost + 0.06 * seen.sent


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    codec=st.sampled_from(CODECS),
    out=st.builds(
        Way,
        delay=st.floats(0.001, 0.15),
        jitter=st.floats(0, 0.05),
        disorder=st.sampled_from((0.0, 0.0, 0.005, 0.02, 0.05)),
        loss=st.floats(0, 0.3),
        doubled=st.floats(0, 0.2),
        overtaken=st.floats(0, 0.3),
    ),
    back=st.builds(Way, delay=st.floats(0.001, 0.15), loss=st.floats(0, 0.5)),
    seed=st.integers(0, 1 << 30),
)
def test_on_any_line_frames_come_in_order_and_all_is_bounded(codec: CodecId, out: Way, back: Way, seed: int) -> None:
    check(LossyCall(codec, out, back, seed).run(8), 9)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("both", [True, False])
def test_after_a_blackout_a_key_frame_is_asked_for_and_the_picture_goes_on(codec: CodecId, both: bool) -> None:
    """Two seconds without a packet, one way or both."""
    dark = ((3.0, 5.0),)
    call = LossyCall(codec, Way(blackouts=dark), Way(blackouts=dark if both else ()), seed=3)
    seen = call.run(8)
    check(seen, 9)
    assert any(time > 5.0 for time in seen.plis) or not both
    first = min(time for _, key, time in seen.frames if key and time > 3.1)
    assert first <= 5.5, "a good frame half a second after the line is back"
    assert seen.longest(first) < 0.2
    assert len(seen.frames) >= seen.made - 2.6 * FPS
    assert seen.most_held < 400, "what waits in a blackout is bounded"


def test_the_same_seed_is_the_same_call() -> None:
    runs = [LossyCall(CodecId.VP8, Way(loss=0.05, jitter=0.02), Way(loss=0.05), seed=11).run(5) for _ in range(2)]
    assert [(n, key, round(time, 6)) for n, key, time in runs[0].frames] == [
        (n, key, round(time, 6)) for n, key, time in runs[1].frames
    ]
