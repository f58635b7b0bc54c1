"""The audio benchmark's voices, packets and verdicts."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path

import pytest
from aiortc import RTCCertificate

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.audio import __main__ as audio
from benchmarks.audio.caller import KEPT, Caller
from benchmarks.audio.crowd import Speaking
from benchmarks.audio.janus import _all_but
from benchmarks.audio.rounds import janus_settings, separation
from benchmarks.audio.voices import silent, talking, tones_heard

from mixdown.mcu.edge.rtp import parse_rtp
from mixdown.mixer.inclusion import CLOSE_DBOV, OPEN_DBOV


def test_a_voice_is_known_by_its_tone():
    levels = tones_heard(list(talking(1).packets))
    assert levels[1] > max(levels[0], levels[2]) + 30


def test_who_talks_is_loud_all_the_time_and_who_is_silent_never():
    assert max(talking(5).levels) < -CLOSE_DBOV - 20
    assert min(silent().levels) > -OPEN_DBOV


def test_an_ear_that_hears_itself_is_seen():
    mixes = [{"ear": 0, "tones": [-90.0, -34.0, -35.0]}, {"ear": 9, "tones": [-34.0, -34.0, -36.0]}]
    assert separation(mixes, 3) == (56.0, -36.0)
    echo = [{"ear": 0, "tones": [-40.0, -34.0, -35.0]}, {"ear": 9, "tones": [-34.0, -34.0, -36.0]}]
    under, _ = separation(echo, 3)
    assert under == 6.0 < audio.OWN_UNDER


def test_counts_are_in_order_and_none_is_twice():
    assert audio.counts("1,3,all", 64) == [1, 3, 64]
    assert audio.counts("1,3,all", 3) == [1, 3]


def row(people, talking, system, *cores, **more):
    each = {"own_under_others": 50.0, "heard_db": -35.0, "packets": 50.0, "encodes": 4, "late": 0.0, **more}
    return {"people": people, "talking": talking, "system": system, "rounds": [{"cores": c, **each} for c in cores]}


def record(*rows):
    return {"rows": list(rows), "opus": {"bitrate": 48_000, "complexity": 5}, "janus": "1.1.2"}


def test_the_ratio_is_that_of_the_medians():
    three = record(row(64, 3, "mixdown", 0.2, 0.25, 0.9), row(64, 3, "janus", 0.5, 0.6, 0.7))
    ratio, *checks = audio.figures(three)
    assert ratio.value == pytest.approx(0.417) and ratio.good
    assert len(checks) == 3 and all(one.good for one in checks)
    everybody = record(row(64, 64, "mixdown", 0.55), row(64, 64, "janus", 0.6))
    assert not audio.figures(everybody)[0].good


def test_without_janus_there_is_a_table_and_no_verdict_on_it():
    alone = record(row(64, 3, "mixdown", 0.2))
    assert not any("Janus" in one.name for one in audio.figures(alone))
    assert "-" in audio.sheets(alone)[0].rows[0]


def test_a_mix_that_lacks_packets_or_has_an_echo_is_a_miss():
    bad = record(row(64, 3, "mixdown", 0.2, own_under_others=3.0), row(64, 3, "janus", 0.6, packets=30.0))
    assert [one.good for one in audio.figures(bad)] == [True, False, True, False]


def test_a_rival_that_does_not_keep_up_with_more_people_spoils_no_verdict_and_is_seen():
    many = record(row(256, 3, "mixdown", 0.8), row(256, 3, "janus", 1.9, packets=39.5, own_under_others=-1.6))
    assert all(one.good for one in audio.figures(many))
    assert audio.sheets(many)[0].rows[0][-2:] == ("50.0", "39.5")


def test_both_encode_alike():
    settings = janus_settings("janus")
    assert settings["join"]["quality"] == audio.opus(audio.Settings())["complexity"]
    assert settings["join"]["bitrate"] == audio.opus(audio.Settings())["bitrate"]
    assert settings["room"]["spatial_audio"] and not janus_settings("janus-mono")["room"]["spatial_audio"]


class Line:
    """In place of SRTP and a socket."""

    def __init__(self):
        self.sent = []

    def protect(self, packets):
        return list(packets)

    def sendto(self, packet, address):
        self.sent.append(packet)


@pytest.fixture
async def caller():
    made = Caller(RTCCertificate.generateCertificate(), listens=True)
    yield made
    made._sock = None
    await made.close()


async def test_packets_follow_each_other_and_carry_their_level(caller):
    line = Line()
    caller._protector = caller._sock = line
    caller.voice = talking(0)
    for tick in (7, 8):
        caller.send(tick)
    first, second = (parse_rtp(packet, with_extensions=True) for packet in line.sent)
    assert second.sequence == first.sequence + 1 and second.timestamp == first.timestamp + 960
    assert (first.payload, second.payload) == caller.voice.packets[7:9]
    assert first.extensions[1][0] & 0x7F == caller.voice.levels[7]


async def test_an_ear_keeps_payloads_without_headers(caller):
    line = Line()
    caller._protector = caller._sock = line
    caller.voice = talking(0)
    caller.send(0)
    await caller._hear(line.sent[0], 0)
    assert caller.heard == deque([caller.voice.packets[0]], KEPT)


def test_a_crowd_whose_network_is_gone_says_so():
    class Cut:
        def send(self, tick):
            raise OSError("Network is unreachable")

    speaking = Speaking([Cut()])
    speaking.start()
    speaking.join(10)
    assert not speaking.is_alive() and isinstance(speaking.failed, OSError)


async def test_the_offer_asks_for_stereo_where_mixes_are(caller):
    assert "stereo=1" in await caller.offer()


def test_all_plugins_but_one(tmp_path):
    for name in ("libjanus_audiobridge.so", "libjanus_sip.so", "libjanus_sip.so.1"):
        (tmp_path / name).touch()
    assert _all_but("audiobridge", tmp_path) == "libjanus_sip.so"
