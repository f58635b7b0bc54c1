"""Marks that survive the codecs, and how delays are read from them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.latency import __main__ as latency
from benchmarks.latency.live import SIZE, chirp, marked
from benchmarks.latency.watch import Heard, Place, Seen, chirp_ages, payload_types, picture_ages

from mixdown.codecs.opus import OpusDecoder, OpusEncoder
from mixdown.mixer.media import BLOCK_SAMPLES

WHOLE = Place(0, 0, SIZE.width, SIZE.height)


@pytest.mark.parametrize("number", [0, 1, 2730, 4095])
def test_a_picture_shows_its_number(number):
    grey = np.full((SIZE.height * 3 // 2, SIZE.width), 125, np.uint8)
    assert WHOLE.number(marked(grey, number)[: SIZE.height]) == number
    assert (grey == 125).all()


def test_each_picture_counts_once_from_its_making():
    seen = [Seen(1.00, 0.0, {"a": 4}), Seen(1.03, 0.0, {"a": 5}), Seen(1.06, 0.0, {"a": 5}), Seen(1.10, 0.0, {"a": 7})]
    made = {"a": {4: 0.9, 5: 1.0, 6: 1.03, 7: 1.05}}
    ages = picture_ages(seen, made)
    assert [round(age, 3) for name in sorted(ages) for age in ages[name]] == [0.03, 0.05]


def test_a_number_that_was_never_made_is_no_picture():
    seen = [Seen(1.00, 0.0, {"a": 4}), Seen(1.03, 0.0, {"a": 999})]
    assert picture_ages(seen, {"a": {4: 0.9}}) == {"a": []}


def heard_after(delay: float, *, chirps: tuple[int, ...], blocks: int = 100) -> list[Heard]:
    """Through Opus. Block n was made at n / 50 and is decoded `delay` seconds later."""
    encoder, decoder = OpusEncoder(), OpusDecoder()
    rng, found = np.random.default_rng(3), []
    for n in range(blocks):
        sound = rng.normal(0, 0.01, (BLOCK_SAMPLES, 2)).astype(np.float32)
        if n in chirps:
            sound += chirp(n)[:, None]
        decoded = decoder.decode(encoder.encode(sound))[:, 0].copy()
        found.append(Heard(n / 50 + delay, 5000 + n * BLOCK_SAMPLES, decoded))
    encoder.close()
    decoder.close()
    return found


def test_a_chirps_age_is_that_of_the_packet_in_which_it_begins():
    heard = heard_after(0.06, chirps=(20, 46, 70))
    assert chirp_ages(heard, [20 / 50, 46 / 50, 70 / 50], chirp(0)) == pytest.approx([0.06] * 3)


def test_others_chirps_are_not_taken_for_ones_own():
    heard = heard_after(0.06, chirps=(20, 31, 46, 57))
    assert chirp_ages(heard, [20 / 50, 46 / 50], chirp(0)) == pytest.approx([0.06] * 2)
    assert chirp_ages(heard, [31 / 50, 57 / 50], chirp(1)) == pytest.approx([0.06] * 2)


def test_a_chirp_that_did_not_come_has_no_age():
    heard = heard_after(0.06, chirps=(20, 70))
    assert chirp_ages(heard, [20 / 50, 45 / 50, 70 / 50], chirp(0)) == pytest.approx([0.06] * 2)
    assert chirp_ages([], [1.0], chirp(0)) == []


def test_a_lost_packet_moves_nothing():
    heard = heard_after(0.06, chirps=(20, 70))
    del heard[30:33]
    assert chirp_ages(heard, [20 / 50, 70 / 50], chirp(0)) == pytest.approx([0.06] * 2)


def test_codecs_by_number():
    sdp = "a=rtpmap:111 opus/48000/2\r\na=rtpmap:97 VP8/90000\r\na=rtpmap:98 rtx/90000\r\n"
    assert payload_types(sdp) == {111: "opus", 97: "vp8", 98: "rtx"}


def made(**more):
    each = {"p50": 30.0, "p95": 50.0, "p99": 60.0, "count": 9}
    return {
        "video": each,
        "talker": each,
        "listener": each,
        "audio": each,
        "server_ms": {"video": {"p50": 20.0, "p95": 40.0}, "audio": {"p50": 30.0, "p95": 35.0}},
        "sender_encode_ms": 3.0,
        "receiver_decode_ms": 2.0,
        "machine_load": 0.5,
        **more,
    }


def test_a_case_that_was_not_measured_has_no_verdict():
    record = {"options": {"people": 9}, "cases": [{"case": "loaded", "rounds": [made()]}]}
    assert latency.figures(record) == []
    assert [row[1] for row in latency.sheets(record)[0].rows] == ["video", "of who talks", "of who listens", "audio"]


def test_late_pictures_are_a_miss():
    late = made(video={"p50": 36.0, "p95": 54.0, "p99": 60.0, "count": 9})
    record = {"options": {"people": 9}, "cases": [{"case": "silent", "rounds": [late]}]}
    assert [one.good for one in latency.figures(record)] == [False, True, True]


def test_nothing_that_came_out_is_an_error():
    with pytest.raises(RuntimeError, match="no audio"):
        latency.summary({"video_ms": [30.0], "talker_ms": [30.0], "listener_ms": [30.0], "audio_ms": [], "broken": 0})
