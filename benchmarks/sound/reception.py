"""Rows of the table: loss, jitter, drift, and the delay of a clean call. Simulated time."""

from __future__ import annotations

import random

import numpy as np

from benchmarks.sound import network
from benchmarks.sound.call import TRANSPARENT, Heard, browser_packets, call, tone_packets
from benchmarks.sound.judge import longest_gap, pesq_wb, speech
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.opus import OpusDecoder
from mixdown.mixer.limiter import LOOK_AHEAD
from mixdown.mixer.media import BLOCK_SAMPLES, SAMPLE_RATE, Samples

PATTERNS = 12
"Patterns of loss that a run's figures are the mean of."
BURST = 2.0
"Packets lost in a row, on average: 40 ms. Half of the bursts are of one packet, one in eight of more than three."
ADAPTED = 10.0
"Seconds after which a buffer has adapted."
SIGMA = 0.060
SPIKE_AT, SPIKE = 20.0, 0.5
NEAR = 0.021
"Seconds from what it was at which a delay is back: one tick is left to chance anyway."


def percentile(values: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> float:
    return float(np.nanpercentile(values, share)) * 1000


def loss(seed: int, share: float) -> dict[str, float]:
    """Speech of a browser over a clean network that loses packets, against the same packets without loss.

    red_*: the sender sends each packet twice, as Chromium does if it is asked to; fec_*: in-band FEC alone, as Firefox
    sends. *_bound: what libopus makes of the same packets that may wait for as long as it likes."""
    dice = random.Random(seed)
    spoken = speech()
    sound = np.concatenate((np.zeros((SAMPLE_RATE, 2), np.float32), spoken, spoken))
    packets = browser_packets(sound, round(share * 100))
    intact = pesq_wb(sound, _decoded(packets, set()))
    runs: list[dict[str, float]] = []
    for _ in range(PATTERNS):
        arrivals = network.clean(dice, len(packets))
        lost = network.bursty_loss(dice, len(packets), share, BURST)
        twice = {n for n in lost if n + 1 in lost}
        whole = call(packets, arrivals, config=TRANSPARENT)
        best = pesq_wb(sound, whole.sound)
        figures = {"lost_percent": 100 * len(lost) / len(packets)}
        for name, gone in (("red", twice), ("fec", lost)):
            heard = call(packets, arrivals, lost, config=TRANSPARENT, redundant=name == "red")
            figures[f"{name}_pesq_drop"] = best - pesq_wb(sound, heard.sound)
            figures[f"{name}_bound"] = intact - pesq_wb(sound, _decoded(packets, gone))
            figures[f"{name}_gap_ms"] = longest_gap(heard.sound, whole.sound, later(heard, whole)) * 1000
            figures[f"{name}_delay_p95_ms"] = percentile(heard.delays[50:], 95)
        runs.append(figures)
    worst = ("gap_ms", "delay_p95_ms")
    return {name: float((max if name.endswith(worst) else np.mean)([run[name] for run in runs])) for name in runs[0]}


def later(heard: Heard, whole: Heard) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds by tick, by which the one is played later than the other."""
    count = min(len(heard.delays), len(whole.delays))
    return heard.delays[:count] - whole.delays[:count]


def _decoded(packets: list[bytes], lost: set[int]) -> Samples:
    """What libopus itself makes of it that may wait as long as it likes: the best that a receiver can do."""
    decoder, sound = OpusDecoder(), []
    for n, packet in enumerate(packets):
        if n not in lost:
            sound.append(decoder.decode(packet))
        elif n + 1 < len(packets) and n + 1 not in lost:
            sound.append(decoder.decode_fec(packets[n + 1], BLOCK_SAMPLES))
        else:
            sound.append(decoder.conceal(BLOCK_SAMPLES))
    return np.concatenate(sound)


def jitter(seed: int) -> dict[str, float]:
    """60 ms of jitter, with and without overtaking; and a stall of half a second in a clean call."""
    count = 3000
    packets = tone_packets(440.0, 50)
    first = int(ADAPTED * 50)
    dry, delay = 0, 0.0
    for queue in (False, True):
        heard = call(packets, network.scattered(random.Random(seed), count, SIGMA, queue), listen=False)
        dry += int(heard.dry[first : count - 20].sum())
        delay = max(delay, percentile(heard.delays[first:], 95))
    spiked = call(packets, network.spiked(network.clean(random.Random(seed), 2000), SPIKE_AT, SPIKE), listen=False)
    return {"dry_blocks": dry, "delay_p95_ms": delay, "back_after_s": _back_after(spiked)}


def _back_after(heard: Heard) -> float:
    """Seconds from the end of the spike to the last tick whose delay is not near what it was before."""
    begin, end = int(SPIKE_AT * 50), int((SPIKE_AT + SPIKE) * 50)
    usual = float(np.nanmedian(heard.delays[begin - 250 : begin]))
    off = np.flatnonzero((np.abs(heard.delays[end:] - usual) > NEAR) | heard.dry[end:])
    off = off[off < len(heard.delays) - end - 20]
    return 0.0 if len(off) == 0 else float(off[-1] + 1) / 50


def drift(seed: int) -> dict[str, float]:
    """Ten minutes with a sender's clock 200 ppm off, both ways: how far the delay moves, and how fast at most."""
    count = 30_000
    packets = tone_packets(440.0, 50, CodecId.PCMU)
    spread = step = 0.0
    made_up = scaled = 0
    for ppm in (200.0, -200.0):
        heard = call(
            packets, network.clean(random.Random(seed), count, ppm, hiccups=False), codec=CodecId.PCMU, listen=False
        )
        # The sender's own clock says when something was captured: what it gained is no delay.
        clock = np.arange(len(heard.delays)) * 0.02 * ppm * 1e-6
        delays = (heard.delays + clock)[int(ADAPTED * 50) : count - 50]
        spread = max(spread, float(delays.max() - delays.min()))
        step = max(step, float(np.abs(np.diff(delays)).max()))
        made_up += int(heard.dry[50 : count - 50].sum())
        scaled += heard.source.stats.scaled
    return {"spread_ms": spread * 1000, "step_ms": step * 1000, "made_up": made_up, "scaled": scaled}


def clean(seed: int) -> dict[str, float]:
    """Packet in to the packet out that has its first sample, the limiter's look-ahead included."""
    dice = random.Random(seed)
    packets = tone_packets(440.0, 50)
    late = LOOK_AHEAD / SAMPLE_RATE
    runs = [call(packets, network.clean(dice, 1500), listen=False).delays[100:] + late for _ in range(6)]
    return {"p50_ms": percentile(np.concatenate(runs), 50), "p95_ms": percentile(np.concatenate(runs), 95)}
