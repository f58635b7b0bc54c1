"""The mixing benchmark's pure parts: what was sent is read back, canvases are found again, ratios and slopes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.mixing import ffmpeg, gstreamer, table
from benchmarks.mixing.canvases import Canvases, psnr, tiles_of
from benchmarks.mixing.content import sound_clip, video_clip
from benchmarks.mixing.floor import LEAD, Floor
from benchmarks.mixing.loads import GROUPS, Load, loads
from benchmarks.mixing.recording import Recording, frames_of, pack, unpack

from mixdown.codecs.depacketise import BareFrame
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.payload import vp8
from mixdown.codecs.video import make_video_decoder, make_video_encoder

KEY = b"\x10\x02\x00\x9d\x01\x2a" + bytes(2000)
DELTA = b"\x11\x02\x00" + bytes(1500)


def packets(*frames, first=65530):
    """RTP as the server sends it; the numbers wrap."""
    number = first
    for n, frame in enumerate(frames):
        pieces = vp8.split(frame, 1200)
        for place, piece in enumerate(pieces):
            last = place == len(pieces) - 1
            packet = RtpPacket(payload_type=96, marker=int(last), sequence_number=number % 65536, timestamp=n * 3000)
            packet.payload = vp8.descriptor(place == 0, n, None, 0, False) + bytes(piece)
            number += 1
            yield packet.serialize()


def test_a_recording_comes_back_as_its_packets_and_as_its_frames():
    sent = list(packets(KEY, DELTA, DELTA, DELTA))
    assert list(unpack(pack(sent))) == sent
    found = frames_of(sent, CodecId.VP8)
    assert [frame.data for frame in found.frames] == [KEY, DELTA, DELTA, DELTA]
    assert found.lost == 0


def test_after_a_loss_it_begins_anew_at_a_key_frame():
    sent = list(packets(KEY, DELTA, DELTA, KEY, DELTA))
    del sent[2]
    found = frames_of(sent, CodecId.VP8)
    assert [frame.data for frame in found.frames] == [KEY, DELTA]
    assert found.lost == 1


def test_what_comes_before_the_first_key_frame_is_left_out():
    sent = list(packets(DELTA, KEY, DELTA))[1:]
    assert [frame.key for frame in frames_of(sent, CodecId.VP8).frames] == [True, False]


@pytest.fixture(scope="module")
def clip():
    return video_clip("libvpx", Load(4).picture, 600, seconds=0.5)


def test_the_pictures_that_an_encoded_canvas_shows_are_found_again(clip):
    load = Load(4)
    canvases = Canvases(load, clip)
    rng = np.random.default_rng(1)
    wanted = [tuple(rng.integers(0, len(clip), 4).tolist()) for _ in range(6)]
    encoder, decoder = make_video_encoder(CodecId.VP8, load.tier), make_video_decoder(CodecId.VP8)
    errors = []
    for n, which in enumerate(wanted):
        made = encoder.encode(canvases.canvas(which), n, True)
        (picture,) = decoder.decode(made.data)
        assert canvases.shown(picture) == which
        errors.append(canvases.error(picture, canvases.canvas(which)))
    assert 25 < psnr(errors) < 60


def test_the_floor_of_what_the_bare_encoder_sent_has_its_quality(clip):
    load = Load(1, talking=1)
    canvases, encoder = Canvases(load, clip), make_video_encoder(CodecId.VP8, load.tier)
    made = [encoder.encode(canvases.canvas((n % len(clip),)), n, n == 0) for n in range(LEAD + 10)]
    heard = Recording(tuple(BareFrame(one.data, one.key) for one in made), 0)
    voice, noise = sound_clip(True, seconds=0.2), sound_clip(False, seconds=0.2)
    floor = Floor(load, clip, [voice], noise, heard, 10, (48_000, 5))
    found = floor.prices()
    assert found.psnr == pytest.approx(found.server_psnr, abs=1e-6)
    assert min(found.video_decode, found.video_encode, found.voice_decode, found.audio_encode) > 0
    assert found.video(30, 30) > found.video(30, 0) > 0
    with pytest.raises(ValueError, match="are needed"):
        Floor(load, clip, [voice], noise, heard, LEAD + 11, (48_000, 5))


def test_in_real_time_the_same_pictures_come_out_and_it_takes_as_long_as_the_call(clip):
    load = Load(1, talking=1)
    canvases, encoder = Canvases(load, clip), make_video_encoder(CodecId.VP8, load.tier)
    made = [encoder.encode(canvases.canvas((n % len(clip),)), n, n == 0) for n in range(20)]
    heard = Recording(tuple(BareFrame(one.data, one.key) for one in made), 0)
    floor = Floor(load, clip, [sound_clip(True, seconds=0.2)], sound_clip(False, seconds=0.2), heard, 20, (48_000, 5))
    tight = floor.prices()
    began = time.monotonic()
    paced = floor.in_real_time(10)
    assert time.monotonic() - began > 20 / 30 + 0.2 - 0.02
    assert (paced.psnr, paced.server_psnr) == (tight.psnr, tight.server_psnr)
    assert paced.video_decode > 0 and paced.audio_encode > 0


def test_what_is_over_the_floor_adds_up_to_the_ratio():
    (line,) = table.sheets({"rows": [row(floor=0.25)]})[3].rows
    shares = [float(cell) for cell in line[1:-1]]
    assert sum(shares) == pytest.approx(float(line[-1]), abs=0.05) == 2.0
    assert shares[1] == pytest.approx(0.2)


def test_psnr():
    assert psnr([255.0**2]) == 0
    assert psnr([1.0, 3.0]) == pytest.approx(10 * np.log10(255**2 / 2))


def test_the_grid_of_ffmpeg_and_of_gstreamer_is_the_rooms_own():
    words = " ".join(gstreamer.pipeline(Load(4), [1, 2, 3, 4], [5, 6, 7, 8]))
    for n, tile in enumerate(tiles_of(Load(4))):
        r = tile.rect
        assert (
            f"sink_{n}::xpos={r.x} sink_{n}::ypos={r.y} sink_{n}::width={r.width} sink_{n}::height={r.height}" in words
        )
        assert f"[{n}:v]scale={r.width}:{r.height}:" in ffmpeg.graph(Load(4))
        assert f"{r.x}_{r.y}" in ffmpeg.graph(Load(4)).partition("layout=")[2]
    assert "xstack" not in ffmpeg.graph(Load(1))


def test_an_ivf_file_has_its_frames():
    made = ffmpeg.ivf([b"abc", b"de"], Load(1).picture)
    assert made[:4] == b"DKIF"
    assert len(made) == 32 + 2 * 12 + 5
    assert made.endswith(b"de")


def test_each_group_has_its_loads():
    sizes, viewers = (1, 4, 9, 16, 25), (1, 10)
    found = {group: loads(group, sizes, viewers) for group in GROUPS}
    assert [load.senders for load in found["rooms"]] == list(sizes)
    assert {load.receive for load in found["h264"]} == {"H264"}
    assert {(load.codec, load.size) for load in found["hd"]} == {("VP8", "1280x720")}
    assert [load.viewers for load in found["listeners"]] == list(viewers)


def row(group="rooms", senders=9, viewers=0, cores=(0.4, 0.5, 0.9), floor=0.4, rivals=None, fps=30.0, late=0.001):
    load = {"senders": senders, "viewers": viewers, "receive": "VP8", "size": "640x360", "kbps": 600}
    made = {
        "cores": 0.5,
        "fps": fps,
        "late": late,
        "longest_gap": 0.05,
        "dropped": 0.0,
        "kbps": 1500.0,
        "memory_mb": 200.0,
        "ratio": 0.5 / floor,
        "floor": floor,
        "real_time_floor": 1.2 * floor,
        "real_time_video": floor,
        "video_floor": floor * 0.9,
        "video_ratio": 1.2,
        "prices_ms": {"psnr": 34.0, "server_psnr": 34.0},
        "parts": dict.fromkeys(table.PARTS, 0.07),
        "latency_ms": {"video": {"p50": 30.0, "p95": 40.0}},
    }
    rounds = [{"cores": each, "floor": floor, "real_time_floor": 1.2 * floor, "ratio": each / floor} for each in cores]
    return {"group": group, "load": load, "round": made, "rounds": rounds, "rivals": rivals or {}}


def test_medians_are_judged_against_the_floor_and_against_gstreamer():
    rivals = {
        "gstreamer": [
            {"cores": 0.5, "fps": 30.0, "kbps": 1500.0},
            {"cores": 0.8, "fps": 30.0, "kbps": 1500.0},
            {"cores": 0.6, "fps": 30.0, "kbps": 1500.0},
        ]
    }
    found = table.figures({"rows": [row(rivals=rivals), row(senders=4)]})
    assert [(one.name, one.value, one.verdict) for one in found] == [
        ("9 senders: CPU, of the codec floor", 1.25, "met"),
        ("9 senders: CPU, of GStreamer's", 0.833, "met"),
        ("9 senders: pictures a second, worst client", 30.0, "met"),
        ("9 senders: ticks late or left out", 0.1, "met"),
    ]


def test_slow_pictures_late_ticks_and_costs_are_misses():
    found = table.figures({"rows": [row(cores=(0.7,), fps=27.0, late=0.02)]})
    assert [one.verdict for one in found] == ["MISSED"] * 3


def test_a_further_viewer_costs_the_slope():
    rows = [row("listeners", 4, m, (0.3 + 0.005 * m,)) for m in (1, 10, 50, 200)]
    assert table.slope(rows) == pytest.approx(0.005)
    assert table.slope(rows[:1]) is None
    (figure,) = table.figures({"rows": rows})
    assert (figure.value, figure.verdict) == (0.5, "MISSED")


def test_a_rival_that_did_not_run_is_a_dash_and_no_bar():
    record = {"rows": [row(), row(senders=16, rivals={"ffmpeg": [{"cores": 0.3, "fps": 14.0, "kbps": 700.0}]})]}
    comparison = table.sheets(record)[0]
    assert comparison.rows[0][8:10] == ("-", "-")
    assert "0.300 at 14/s" in comparison.rows[1]
    assert table.sheets(record)[4].rows == (("16", "ffmpeg", "14.0", "700"),)
    bars = table.panels(record)[0]
    assert bars.series["ffmpeg"] == [None, 0.3]
    assert "GStreamer" not in bars.series
