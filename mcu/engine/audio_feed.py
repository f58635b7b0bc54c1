"""One incoming voice: packets from the link on one thread, blocks for the tick on another."""

from __future__ import annotations

from collections import deque
from typing import Any

from mixdown.codecs import noise
from mixdown.codecs.audio_source import AudioSource
from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.noise import NoiseSuppressor
from mixdown.mcu.engine.faults import Faults
from mixdown.mcu.link.messages import SourceKind
from mixdown.mixer.media import SAMPLE_RATE, Samples

TELEPHONES = (CodecId.PCMU, CodecId.PCMA, CodecId.G722)
SAID_TICKS = 10
"Ticks without a packet, 200 ms, after which what the last one said of its level is forgotten."
QUEUE = 50
"Packets between two ticks, a second of sound; over it the oldest are dropped: the tick has stopped."


class AudioFeed:
    """offer: any thread. pull and take_arrival: the sound tick. set_heard: the control thread, while no tick runs or
    before the tick knows the feed."""

    def __init__(
        self, name: str, participant: str, kind: SourceKind, epoch: int, faults: Faults, noise_suppression: int = 0
    ) -> None:
        """noise_suppression: 1 .. 4 of telephones, 0 for none."""
        self.name = name
        self.participant = participant
        self.kind = kind
        self.epoch = epoch
        self.codec: CodecId | None = None
        self.packets = 0
        self.unheard = 0
        self.hold = 0.0
        "Seconds by which it is played later, to be in time with its picture."
        self.said: float | None = None
        "What its newest packet says of its level (RFC 6464), dBov."
        self._quiet_ticks = 0
        self._faults = faults
        self._heard = False
        self._queue: deque[EncodedFrame] = deque(maxlen=QUEUE)
        self._source: AudioSource | None = None
        self._arrival: float | None = None
        self._noise_suppression = noise_suppression if noise.available() else 0
        self._suppressor: NoiseSuppressor | None = None

    def offer(self, frame: EncodedFrame) -> None:
        """Takes the next packet. While nobody listens it is not kept."""
        if frame.epoch != self.epoch:
            self._faults.count("source_stale_epoch")
            return
        self.codec = frame.codec
        self.packets += 1
        if not self._heard:
            self.unheard += 1
            return
        if not frame.redundant:
            self.said = None if frame.level is None else -float(frame.level)
        if len(self._queue) == QUEUE:
            self._faults.count("audio_queue_overflow")
        self._queue.append(frame)

    def set_heard(self, heard: bool) -> None:
        """What came while nobody listened is forgotten; the jitter buffer begins anew."""
        self._heard = heard
        self._queue.clear()
        self.close()

    def close(self) -> None:
        self._suppressor = None
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def pull(self, now: float, wanted: bool = True) -> Samples | None:
        """The block of this tick, None if there is nothing to be heard. wanted: False where nobody would hear it; it is
        decoded all the same if it does not say how loud it is."""
        source = self._source
        self._quiet_ticks = 0 if self._queue else self._quiet_ticks + 1
        if self._quiet_ticks > SAID_TICKS:
            self.said = None
        while self._queue:
            frame = self._queue.popleft()
            if source is None:
                source = self._source = AudioSource(frame.codec)
            source.push(frame, frame.arrival or now)
        if source is None:
            return None
        source.hold = self.hold
        source.unheard = not wanted
        block = source.pull(now)
        if block is None or not self._noise_suppression or self.codec not in TELEPHONES:
            return block
        if self._suppressor is None:
            self._suppressor = NoiseSuppressor(self._noise_suppression)
        return self._suppressor.process(block)

    @property
    def source(self) -> AudioSource | None:
        """None before the first packet that somebody heard."""
        return self._source

    def take_arrival(self) -> float | None:
        """When the packet came that was last decoded for a block; None if the last pull decoded none."""
        source = self._source
        arrival = None if source is None else source.arrival
        if arrival == self._arrival:
            return None
        self._arrival = arrival
        return arrival

    def body(self) -> dict[str, Any]:
        """Its row of the stats."""
        source = self._source
        stats = None if source is None else source.stats
        lost = 0 if stats is None else stats.packets.lost
        received = 0 if stats is None else stats.packets.received
        skipped = 0 if stats is None else stats.skipped
        return {
            "id": self.name,
            "participant": self.participant,
            "kind": self.kind.value,
            "codec": self.codec.value if self.codec else None,
            "width": 0,
            "height": 0,
            "fps": 0,
            "decoded": received - skipped,
            "skipped": self.unheard + skipped,
            "concealed_ms": 0 if stats is None else round(stats.concealed * 1000 / SAMPLE_RATE, 1),
            "jitter_ms": None if stats is None else round(stats.target * 1000, 1),
            "loss": lost / (received + lost) if received else 0.0,
        }
