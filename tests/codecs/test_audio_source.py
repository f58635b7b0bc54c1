"""A source from its packets to blocks of the mix: packet lengths, losses, clock drift, changes of codec."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixdown.codecs.audio import make_audio_encoder
from mixdown.codecs.audio_source import AudioSource
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.mixer.media import Samples


def tone(n: int, hz: float = 997) -> Samples:
    wave = (0.3 * np.sin(2 * np.pi * hz * np.arange(n * 960, (n + 1) * 960) / 48000)).astype(np.float32)
    return np.stack((wave, wave), axis=1)


def packets(count: int, codec: CodecId = CodecId.OPUS, loss_percent: int = 0) -> list[EncodedFrame]:
    encoder = make_audio_encoder(codec, loss_percent=loss_percent)
    step = codec.clock_rate // 50
    return [EncodedFrame("s", 0, codec, n, n, n * step, encoder.encode(tone(n))) for n in range(count)]


def joined(frames: list[EncodedFrame], parts: int) -> list[EncodedFrame]:
    """Opus packets of 20 ms put together to longer ones (RFC 6716, 3.2.5: code 3, VBR)."""
    result = []
    for n in range(0, len(frames) - parts + 1, parts):
        group = frames[n : n + parts]
        sizes = b"".join(_size(len(f.data) - 1) for f in group[:-1])
        data = bytes([group[0].data[0] | 3, 0x80 | parts]) + sizes + b"".join(f.data[1:] for f in group)
        result.append(EncodedFrame("s", 0, CodecId.OPUS, n // parts, n // parts, n * 960, data))
    return result


def _size(n: int) -> bytes:
    return bytes([n]) if n < 252 else bytes([252 + (n & 3), (n - 252 - (n & 3)) // 4])


def play(source: AudioSource, arrivals: list[tuple[float, EncodedFrame]], ticks: int) -> list[Samples | None]:
    waiting = sorted(arrivals, key=lambda a: a[0])
    out = []
    for tick in range(ticks):
        while waiting and waiting[0][0] <= tick * 0.02:
            at, packet = waiting.pop(0)
            source.push(packet, at)
        out.append(source.pull(tick * 0.02))
    return out


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


FULL = 0.3 / np.sqrt(2)


@pytest.mark.parametrize("codec", [c for c in CodecId if c.clock_rate < 90_000])
def test_a_steady_stream_is_heard_without_a_gap(codec):
    source = AudioSource(codec)
    out = play(source, [(0.001 + n * 0.02, f) for n, f in enumerate(packets(60, codec))], 60)
    assert all(b is None for b in out[:2])
    assert all(b is not None and b.shape == (960, 2) for b in out[2:])
    assert all(rms(b) == pytest.approx(FULL, rel=0.1) for b in out[5:])
    assert source.stats.concealed == 0 and source.stats.refused == 0
    source.close()


@pytest.mark.parametrize("parts", [2, 3, 6])
def test_packets_of_40_to_120_ms(parts):
    source = AudioSource(CodecId.OPUS)
    frames = joined(packets(120), parts)
    out = play(source, [(0.001 + (n + 1) * 0.02 * parts, f) for n, f in enumerate(frames)], 100)
    first = next(n for n, b in enumerate(out) if b is not None)
    assert first <= parts + 4
    assert all(b is not None and rms(b) == pytest.approx(FULL, rel=0.1) for b in out[first + 2 :])


def test_lost_packets_are_made_up_for():
    source = AudioSource(CodecId.OPUS)
    out = play(source, [(0.001 + n * 0.02, f) for n, f in enumerate(packets(100)) if n % 10 != 7], 100)
    assert all(b is not None and rms(b) > 0.5 * FULL for b in out[5:])
    assert source.stats.packets.lost == 10 and source.stats.concealed == 10 * 960


def test_a_stream_that_ends_fades_out_and_is_silent():
    source = AudioSource(CodecId.OPUS)
    out = play(source, [(0.001 + n * 0.02, f) for n, f in enumerate(packets(20))], 40)
    assert all(b is not None for b in out[2:31]) and all(b is None for b in out[32:])
    levels = [rms(b) for b in out[24:32] if b is not None]
    assert levels == sorted(levels, reverse=True)
    assert np.abs([b for b in out if b is not None][-1][-1]).max() == 0


def test_what_comes_back_after_a_silence_does_not_click():
    frames = packets(80)
    arrivals = [(0.001 + n * 0.02, f) for n, f in enumerate(frames) if n < 20 or n >= 50]
    out = play(AudioSource(CodecId.OPUS), arrivals, 80)
    sound = np.concatenate([b if b is not None else np.zeros((960, 2), np.float32) for b in out])
    assert np.abs(np.diff(sound[:, 0], 2)).max() < 0.03
    assert rms(out[-1]) == pytest.approx(FULL, rel=0.1)


@pytest.mark.parametrize("ppm", [-1000, -100, 100, 1000])
def test_a_drifting_clock_neither_fills_nor_empties_the_buffer(ppm):
    """Five minutes with a sender's clock that is off: nothing lost, nothing made up, no growing delay."""
    source = AudioSource(CodecId.PCMU)
    data = packets(50, CodecId.PCMU)
    step = 0.02 / (1 + ppm * 1e-6)
    count = 15_000
    arrivals = (
        (0.001 + n * step, EncodedFrame("s", 0, CodecId.PCMU, n, n, n * 160, data[n % 50].data))
        for n in range(count + 99)
    )
    due = next(arrivals)
    empty = 0
    for tick in range(count):
        while due[0] <= tick * 0.02:
            source.push(due[1], due[0])
            due = next(arrivals)
        empty += source.pull(tick * 0.02) is None
    stats = source.stats
    assert empty <= 4 and stats.concealed == 0 and stats.packets.dropped == 0
    assert -0.01 < source._jitter.slack(count * 0.02) + len(source._ring) / 48000 < 0.03
    assert stats.stretched > 0


def test_a_change_of_codec_is_followed():
    source = AudioSource(CodecId.OPUS)
    second = [
        EncodedFrame("s", 0, f.codec, f.sequence, f.sequence, f.rtp_time, f.data) for f in packets(60, CodecId.PCMA)
    ]
    arrivals = [(0.001 + n * 0.02, f) for n, f in enumerate(packets(30))]
    arrivals += [(0.001 + n * 0.02, f) for n, f in enumerate(second) if n >= 30]
    out = play(source, arrivals, 60)
    assert rms(out[-1]) == pytest.approx(FULL, rel=0.1)


def test_rubbish_is_counted_and_survived():
    source = AudioSource(CodecId.OPUS)
    frames = packets(60)
    for n in (12, 13, 30):
        frames[n] = EncodedFrame("s", 0, CodecId.OPUS, n, n, n * 960, b"" if n == 12 else b"\x03")
    source.push(EncodedFrame("s", 0, CodecId.VP8, 0, 0, 0, b"x"), 0.0)
    out = play(source, [(0.001 + n * 0.02, f) for n, f in enumerate(frames)], 60)
    assert source.stats.refused == 4
    assert all(b is not None and np.isfinite(b).all() for b in out[4:])


def with_copies(frames: list[EncodedFrame], lost: set[int]) -> list[tuple[float, EncodedFrame]]:
    """As a receiver of RED gives them: a lost packet comes as a copy with the one behind it."""
    arrivals = []
    for n, frame in enumerate(frames):
        if n not in lost:
            arrivals.append((0.001 + n * 0.02, frame))
            if n - 1 in lost:
                arrivals.append((0.001 + n * 0.02, replace(frames[n - 1], redundant=True)))
    return arrivals


def test_with_copies_and_fec_two_lost_in_a_row_are_repaired_and_a_third_is_concealed():
    frames = packets(400, loss_percent=20)
    source = AudioSource(CodecId.OPUS)
    lost = {n + k for n in range(100, 390, 20) for k in range(2)}
    out = play(source, with_copies(frames, lost), 400)
    assert all(b is not None and rms(b) == pytest.approx(FULL, rel=0.3) for b in out[110:])
    assert source.stats.packets.redundant == 15 and source.stats.concealed <= 17 * 960
    source.close()


def test_only_where_something_is_lost_are_copies_waited_for():
    """40 ms over what jitter takes, from the first lost packet on until nothing was lost for 20 s."""
    frames = packets(1700)
    source = AudioSource(CodecId.OPUS)
    delays = []
    waiting = with_copies(frames, {200})
    for tick in range(1700):
        while waiting and waiting[0][0] <= tick * 0.02:
            source.push(waiting[0][1], waiting.pop(0)[0])
        source.pull(tick * 0.02)
        delays.append(source.delay(tick * 0.02))
    clean, lossy, again = delays[190], delays[800], delays[1690]
    assert 0.015 < lossy - clean < 0.045 and again == pytest.approx(clean, abs=0.002)
    source.close()


@pytest.mark.parametrize("phase", [0.004, 0.008, 0.012, 0.016])
def test_a_packet_that_came_late_delays_the_rest_for_seconds_only(phase):
    """Once it is past, sound is as late again as packets and ticks happen to meet; nobody hears how it gets there."""
    source = AudioSource(CodecId.OPUS)
    waiting = [(n * 0.02 + phase + (0.045 if n == 100 else 0.0), f) for n, f in enumerate(packets(600))]
    waiting[101:103] = [(max(waiting[100][0], at), frame) for at, frame in waiting[101:103]]
    delays, scaled = {}, {}
    for tick in range(600):
        while waiting and waiting[0][0] <= tick * 0.02:
            source.push(waiting[0][1], waiting.pop(0)[0])
        source.pull(tick * 0.02)
        delays[tick], scaled[tick] = source.delay(tick * 0.02), source.stats.scaled
    assert delays[110] > delays[90] + 0.01, "the late packet was waited for"
    assert delays[599] == pytest.approx(delays[90], abs=0.001)
    assert source.stats.concealed <= 2 * 960 and scaled[599] == scaled[150]
    source.close()


@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 50, 60])
def test_a_steady_stream_is_played_at_its_own_speed_whatever_its_packets(milliseconds):
    source, span = AudioSource(CodecId.PCMU), milliseconds * 8
    stretched = []
    for tick in range(1000):
        while source.stats.packets.received * milliseconds / 1000 + 0.004 <= tick * 0.02:
            n = source.stats.packets.received
            source.push(
                EncodedFrame("s", 0, CodecId.PCMU, n, n, n * span, bytes(span)), n * milliseconds / 1000 + 0.004
            )
        source.pull(tick * 0.02)
        stretched.append(source.stats.stretched)
    assert stretched[999] == stretched[500] and source.stats.concealed == 0
    source.close()


def test_a_voice_that_comes_in_a_burst_after_a_stall_is_heard_again_at_once_and_soon_in_time():
    """A program that hangs for 1.2 s as it joins, then sends all that it owes."""
    source = AudioSource(CodecId.OPUS)
    arrivals = [(max(0.001 + n * 0.02, 1.4 if 10 <= n < 70 else 0.0), f) for n, f in enumerate(packets(500))]
    out = play(source, arrivals, 500)
    assert all(block is not None and rms(block) > FULL / 2 for block in out[75:])
    before, concealed = source.stats.packets.lost, source.stats.concealed
    assert before == 0 and concealed <= 10 * 960, "what was made up in the stall, and nothing after it"
    assert (source.delay(10.0) or 1.0) < 0.1
    source.close()
