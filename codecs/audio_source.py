"""One audio source of the mix: jitter buffer, decoder, concealment and clock drift behind `push` and `pull`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixdown.codecs.audio import AudioDecoder, make_audio_decoder
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.errors import CodecError
from mixdown.codecs.held_level import HeldLevel
from mixdown.codecs.jitter import JitterBuffer, JitterCounters, Lost
from mixdown.codecs.opus import has_fec
from mixdown.codecs.silence import NOTHING, SaidSilence
from mixdown.mixer.audio_input import CAPACITY, MAX_STRETCH, AudioRing
from mixdown.mixer.media import BLOCK_SAMPLES, CHANNELS, SAMPLE_RATE, Samples
from mixdown.mixer.time_scale import MAX_LAG, MIN_LAG, is_quiet

FADE = (1.0, 1.0, 1.0, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1, 0.0)
"""When nothing comes, ten blocks are concealed, which end at these gains; after that the source is silent. The decoders
let their concealment fade by themselves, libopus by some 5 dB a block, but for a noise that it then goes on with."""
RETURN_SAMPLES = 240
"5 ms: how a source fades in again after that."
TICK = BLOCK_SAMPLES / SAMPLE_RATE
"""Seconds. Where packets and ticks meet by chance, packets are played between none and one tick later than they are
due; that is left alone."""
TOLERANCE = 0.001
"Seconds that may be missing from what the network asks for: it is no exact figure."
SAMPLES_PER_SECOND_OFF = 1000
"How strongly the rest is corrected: 1 ms more takes 1 sample more of each block, up to MAX_STRETCH."
UNHURRIED = 0.0035
"Seconds off, at most, for what is merely later than need be: 4 samples of a block, which nobody hears."
SPARE = 0.002
"Seconds by which a packet has to come sooner than it is needed before less sound waits decoded: clocks drift."
HURRY = 0.004
"""Seconds off from which whole pitch periods are left out or played twice: that is over sooner, and heard less, than a
change of speed."""
FAR = 0.060
"Seconds off from which that is done where it is heard, too."
ALIKE, HARDLY_ALIKE = 0.85, 0.3
FEC_MEMORY = 250
"""Packets for which a sender counts as one who sends FEC after the last one with any: 5 s; there is none in silence. He
sends it because packets get lost, so each is waited for until the next can repair it."""
COPY_MEMORY = 1000
"""Packets for which a network counts as one that loses some, after the last one of which a copy came in a later packet
(RFC 2198): 20 s. Until then each is waited for as long as a copy takes that comes behind two lost ones: the copy of
the second, with in-band FEC for the first. Where nothing gets lost, nothing is waited for."""
COPY_TICKS = 2
PAUSE_LIMIT = 100
"""Blocks: for 2 s a pause is waited for, in which sound can be made to wait longer, or less long, for repair unheard.
In speech a few pitch periods played twice are heard more than a packet that is concealed."""
PAUSE_STEP = MAX_LAG / SAMPLE_RATE
REST = 2
"Blocks between two such corrections."


@dataclass(frozen=True, slots=True)
class AudioSourceStats:
    """Since the source began. concealed: samples at 48 kHz made up; stretched: blocks that were not played at their
    own speed; scaled: blocks shortened or lengthened by a pitch period; refused: packets that no decoder took;
    skipped: packets not decoded because nobody would hear them; target: seconds of delay the jitter buffer aims at."""

    packets: JitterCounters
    concealed: int
    stretched: int
    scaled: int
    refused: int
    skipped: int
    target: float


class AudioSource:
    """Not thread-safe: `push` and `pull` are called one at a time. Raises CodecError if `codec` is no audio codec."""

    def __init__(self, codec: CodecId) -> None:
        self._ring = AudioRing()
        self._concealed = self._stretched = self._scaled = self._refused = self._skipped = 0
        self._rested = 0
        self._chance = 0.0
        "Seconds, up to a tick, that sound is played later than it is due."
        self._fec_packets = 0
        "Packets for which the sender still counts as one who sends FEC."
        self._copied_packets = 0
        "Packets for which the network still counts as one whose losses copies make up for."
        self._last: Samples | None = None
        "The last block; None: there was nothing to be heard."
        self._unpaused = 0
        "Blocks without a pause since more or less was to be waited for."
        self.arrival: float | None = None
        "EncodedFrame.arrival of the packet decoded last."
        self.unheard = False
        "Set by the caller: whatever comes is heard by nobody, and need not be decoded if it says how loud it is."
        self._aside = False
        "Whether the last packet was not decoded for that."
        self._nothing = 0
        "Samples of silence, not decoded, behind the last that were."
        self._gap = 0
        "Blocks made up since the last packet."
        self._level = 0.0
        "Gain at the end of what was last decoded or made up."
        self._open(codec)

    @property
    def stats(self) -> AudioSourceStats:
        return AudioSourceStats(
            self._jitter.counters,
            self._concealed,
            self._stretched,
            self._scaled,
            self._refused,
            self._skipped,
            self._jitter.target,
        )

    def push(self, frame: EncodedFrame, now: float) -> None:
        """A packet came; now: seconds on the clock of `pull`, when it arrived. Never raises for what a peer sent."""
        if frame.codec is not self._codec:
            try:
                decoder = make_audio_decoder(frame.codec)
            except CodecError:
                self._refused += 1
                return
            decoder.close()
            self.close()
            self._open(frame.codec)
        try:
            self._span(frame.data)
        except CodecError:
            self._refused += 1
            return
        if frame.codec is CodecId.OPUS and has_fec(frame.data):
            self._fec_packets = FEC_MEMORY
        elif self._fec_packets:
            self._fec_packets -= 1
        if frame.redundant:
            self._copied_packets = COPY_MEMORY
        elif self._copied_packets:
            self._copied_packets -= 1
        self._jitter.push(frame, now)

    def pull(self, now: float) -> Samples | None:
        """The block for the tick at `now`: float32 (960, 2), or None while there is nothing to be heard."""
        self._wait_for_repair()
        waiting = self._ring.length
        off, take = self._off(now, waiting), BLOCK_SAMPLES
        if off:
            take += max(-MAX_STRETCH, min(MAX_STRETCH, round(off * SAMPLES_PER_SECOND_OFF)))
        while self._ring.length < take:
            if not self._fill(now):
                self._last = None
                return self._rest(take)
        self._rested += 1
        block = None if abs(off) < HURRY else self._rescaled(off, waiting, now)
        if block is None:
            self._stretched += take != BLOCK_SAMPLES
            block = self._ring.pull(take)
        if self._nothing and self._nothing >= self._ring.length + take:
            block = None
        self._last = block
        return block

    @property
    def _quiet(self) -> bool:
        """Whether the last block was so quiet that it can be made longer or shorter anywhere. Asked only where there is
        something to correct: nearly never."""
        return self._last is None or is_quiet(self._last)

    def _wait_for_repair(self) -> None:
        """How long packets are waited for so that later ones repair them; changed in pauses, as far as they last."""
        wanted = TICK * (COPY_TICKS if self._copied_packets else 1 if self._fec_packets else 0)
        more = wanted - self._jitter.repair
        if more == 0.0:
            self._unpaused = 0
        elif self._unpaused >= PAUSE_LIMIT:
            self._jitter.repair = wanted
        elif not self._quiet:
            self._unpaused += 1
        elif abs(more) <= PAUSE_STEP:
            self._jitter.repair = wanted
        else:
            self._jitter.repair += PAUSE_STEP if more > 0.0 else -PAUSE_STEP

    @property
    def hold(self) -> float:
        """Seconds by which all is played later than jitter asks for, so that voice and lips agree."""
        return self._jitter.hold

    @hold.setter
    def hold(self, seconds: float) -> None:
        self._jitter.hold = seconds

    @property
    def base(self) -> float | None:
        """The fastest transit lately, arrival less media time in seconds; None before the first packet."""
        return self._jitter.base

    @property
    def target(self) -> float:
        """Seconds of playout delay over that, `hold` not included, as packets and ticks happen to meet."""
        return self._jitter.asked + self._chance

    @property
    def dry(self) -> bool:
        """Whether the last block was made up because no packet was there in its time."""
        return self._gap > 0

    def delay(self, now: float) -> float | None:
        """Seconds from a packet's arrival, had it come at once, to the tick at `now`, which had its first sample as its
        own first: what jitter costs. For the block that was last pulled; None before the first."""
        position = self._jitter.position
        if position is None:
            return None
        return now - (position - self._ring.length / SAMPLE_RATE - TICK)

    def close(self) -> None:
        """Free the decoder. Idempotent."""
        self._decoder.close()

    def _open(self, codec: CodecId) -> None:
        self._codec = codec
        self._decoder: AudioDecoder = make_audio_decoder(codec)
        self._ratio = SAMPLE_RATE // codec.clock_rate
        # RTP clock units in a packet: of Opus it is asked three times a packet, so without a call in between.
        self._span = self._decoder.samples if self._ratio == 1 else self._narrow_span
        self._jitter = JitterBuffer(codec.clock_rate, self._span)
        self._held = HeldLevel()
        self._silence = SaidSilence()

    def _narrow_span(self, packet: bytes) -> int:
        return self._decoder.samples(packet) // self._ratio

    def _off(self, now: float, samples: int) -> float:
        """By how many seconds sound is played too late (over 0) or too soon for what the network does. samples: those
        that wait decoded."""
        if self._gap or (not samples and self._level == 0.0):
            return 0.0
        waiting = samples / SAMPLE_RATE
        slack = self._jitter.slack(now)
        self._chance = min(TICK, max(0.0, slack + waiting))
        # The next packet is needed once less than a tick's sound waits.
        missing = slack + waiting - waiting % TICK + TOLERANCE
        if missing < 0.0:
            return missing
        # A part of a packet that waits for the tick after the one it could be played at, since one came late, is of no
        # use: the next packet is needed as soon without it. Packets of 30 ms always leave one at some of the ticks.
        useless = 0.0
        if samples and missing >= SPARE + TOLERANCE and self._whole_ticks:
            useless = min(UNHURRIED, waiting % TICK)
        # What waits decoded can be given up; a packet only if it comes a whole tick before it is needed.
        late = slack + waiting - TICK
        return max(0.0, useless, late if slack >= TICK else min(late, waiting))

    @property
    def _whole_ticks(self) -> bool:
        """Whether packets, or ticks, are a multiple of the other."""
        samples = self._jitter.duration * self._ratio
        return samples > 0 and (samples % BLOCK_SAMPLES == 0 or BLOCK_SAMPLES % samples == 0)

    def _rest(self, take: int) -> Samples | None:
        """The end of what was faded out, if there is some left."""
        if not self._ring:
            return None
        self._ring.push(np.zeros((take - self._ring.length, CHANNELS), np.float32))
        return self._ring.pull(take)

    def _rescaled(self, off: float, waiting: int, now: float) -> Samples | None:
        """A block with a pitch period left out or played twice, if that can be done now."""
        if self._gap or (self._rested <= REST and not self._quiet):
            return None
        likeness = HARDLY_ALIKE if abs(off) > FAR else ALIKE
        if off < 0.0:
            # Until one packet less is needed, and no further.
            spare = BLOCK_SAMPLES - waiting % BLOCK_SAMPLES
            block = self._ring.lengthen(likeness, min(MAX_LAG, max(MIN_LAG, spare)))
        else:
            longest = min(MAX_LAG, max(MIN_LAG, round(off * SAMPLE_RATE)))
            while self._ring.length < BLOCK_SAMPLES + longest and self._jitter.next_is_here:
                self._fill(now)
            block = self._ring.shorten(likeness, longest)
        if block is not None:
            self._rested = 0
            self._scaled += 1
        return block

    def _fill(self, now: float) -> bool:
        """Put the next stretch of sound into the ring. False: there is none."""
        item = self._jitter.pull(now)
        if isinstance(item, EncodedFrame):
            self.arrival = item.arrival
            return self._skip(item.data) if self._skips(item) else self._decode(item.data)
        if isinstance(item, Lost):
            return self._recover(item)
        if self._gap >= len(FADE) or self._level == 0.0:
            self._level = 0.0
            return False
        self._gap += 1
        self._make_up(self._conceal(BLOCK_SAMPLES), FADE[self._gap - 1])
        return True

    def _skips(self, frame: EncodedFrame) -> bool:
        if self._silence.skips(frame):
            return True
        if not self.unheard:
            return False
        aside = self._silence.set_aside(frame)
        self._aside |= aside
        return aside

    def _skip(self, packet: bytes) -> bool:
        self._skipped += 1
        samples = NOTHING[: self._decoder.samples(packet)]
        before = self._nothing
        if not before:
            self._held.heard(samples)
        self._gap = 0
        self._append(samples)
        self._nothing = min(before + len(samples), CAPACITY)
        return True

    def _decode(self, packet: bytes) -> bool:
        try:
            for skipped in self._silence.wake():
                self._decoder.decode(skipped)
            samples = self._decoder.decode(packet)
            self._silence.heard(samples)
        except CodecError:
            self._refused += 1
            samples = self._conceal(self._decoder.samples(packet))
            self._concealed += len(samples)
        else:
            self._held.heard(samples)
        if self._aside:  # it begins in the middle of a word
            self._aside, self._level = False, 0.0
        self._gap = 0
        self._append(samples)
        return True

    def _recover(self, lost: Lost) -> bool:
        count = lost.duration * self._ratio
        samples = self._repair(lost.following, count) if lost.following is not None else None
        if samples is None:
            samples = self._conceal(count)
        self._concealed += count
        self._append(samples[:count])
        return True

    def _repair(self, following: bytes, count: int) -> Samples | None:
        """From the in-band FEC of the packet behind; None if that packet is refused."""
        try:
            samples = self._decoder.decode_fec(following, count)
            made_up = self._codec is CodecId.OPUS and not has_fec(following)
        except CodecError:
            self._refused += 1
            return None
        if made_up:
            return self._held.hold(samples)
        self._held.heard(samples)
        return samples

    def _conceal(self, count: int) -> Samples:
        """What may have been in the next samples. That of telephones fades by a rule of its own."""
        samples = self._decoder.conceal(count)
        return self._held.hold(samples) if self._codec is CodecId.OPUS else samples

    def _make_up(self, samples: Samples, level: float) -> None:
        fade = np.linspace(self._level, level, len(samples), dtype=np.float32)[:, np.newaxis]
        self._concealed += len(samples)
        self._level = level
        self._nothing = 0
        self._ring.push(samples * fade)

    def _append(self, samples: Samples) -> None:
        """As it is; after a fade it comes in over RETURN_SAMPLES."""
        if self._level < 1.0 and len(samples):
            samples = samples.copy()
            count = min(RETURN_SAMPLES, len(samples))
            samples[:count] *= np.linspace(self._level, 1.0, count, dtype=np.float32)[:, np.newaxis]
            self._level = 1.0
        self._nothing = 0
        self._ring.push(samples)
