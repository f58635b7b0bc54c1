"""One incoming source of a peer: packets to encoded frames, and what must be said back about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mixdown.codecs.assembled import AssembledFrame
from mixdown.codecs.assembler import VideoAssembler
from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.redundancy import Piece, RedundantStream
from mixdown.mcu.edge.offer import URI_LEVEL, Codec, OfferedMedia
from mixdown.mcu.edge.reception import Reception
from mixdown.mcu.edge.rtp import RtpHeader
from mixdown.mcu.edge.transport_cc import URI_TRANSPORT_CC
from mixdown.mcu.link.messages import SourceKind

KEY_FRAME_PAUSE = 0.5
"Seconds between two key-frame requests that the mixer wants; the assembler has its own rule."
SILENT_BEFORE_RESTART = 0.2
"Seconds that the stream's SSRC must have been silent before another one takes its place: simulcast is not taken."
AFTER_BYE = 0.3
"Seconds for which stragglers of an ended stream are left out; what comes later opens the source anew."
SILENT_AFTER_STOP = 0.5
"Seconds of silence after which a source that was stopped from outside may open anew."
RESTARTS = 1 << 8
"SSRC changes that an epoch of a transport has room for."


class SourceReceiver:
    """Of one m-line. A new SSRC on it (a browser's replaced sender) starts the stream anew with the next epoch.

    emit: takes each encoded frame; reopened: told when the epoch changed; gap: told when packets are found missing, and
    to poll at once. mark_id: of the extension with a picture's transport-wide numbers; reads: of the one extension that
    a packet of this source is read for. Nothing here raises for what a packet holds; the caller counts if it does.
    """

    def __init__(
        self,
        source: str,
        kind: SourceKind,
        media: OfferedMedia,
        epoch: int,
        emit: Callable[[EncodedFrame], None],
        reopened: Callable[[SourceReceiver], None],
        counters: Counter[str],
        gap: Callable[[float], None] = lambda now: None,
    ) -> None:
        self.source = source
        self.kind = kind
        self.media = media
        self.ssrc: int | None = media.ssrcs[0] if media.ssrcs else None
        self.reception: Reception | None = None
        self.level = 127
        self._emit = emit
        self._reopened = reopened
        self._gap = gap
        self._last_packet = float("-inf")
        self._deaf_until = float("-inf")
        self._stopped = self.ended = False
        self._counters = counters
        self._epoch = epoch * RESTARTS
        self._codecs = {codec.payload_type: codec for codec in media.codecs}
        self._repaired_by = {codec.rtx: codec for codec in media.codecs if codec.rtx is not None}
        self._red = {codec.red: codec for codec in media.codecs if codec.red is not None}
        self._redundant: RedundantStream | None = None
        self._level_id = media.extensions.get(URI_LEVEL)
        self._assembler = VideoAssembler()
        self._last_key_request = float("-inf")
        self._video = kind.media is MediaKind.VIDEO
        self.mark_id = media.extensions.get(URI_TRANSPORT_CC) if self._video else None
        self.reads = self.mark_id if self._video else self._level_id

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def codec(self) -> CodecId:
        """What is being received; the offer's first until something is."""
        return self.media.codecs[0].id

    def takes(self, payload_type: int) -> bool:
        return payload_type in self._codecs or payload_type in self._repaired_by or payload_type in self._red

    def rtp(self, packet: RtpHeader, now: float) -> None:
        """One packet of the stream or of its repair stream."""
        if self.ended and not self._may_reopen(now):
            return
        codec = self._codecs.get(packet.payload_type) or self._red.get(packet.payload_type)
        if codec is None:
            self._repair(packet, now)
            return
        if packet.ssrc != self.ssrc and now - self._last_packet < SILENT_BEFORE_RESTART:
            self._counters["second_ssrc"] += 1
            return
        reception = self.reception
        if packet.ssrc != self.ssrc or reception is None or self.ended:
            reception = self._begin(packet.ssrc, codec)
        self._last_packet = now
        sequence, timestamp = reception.packet(packet.sequence, packet.timestamp, now)
        if self._video:
            assembler = self._assembler
            frames = assembler.push(codec.id, sequence, timestamp, packet.marker, packet.payload, now)
            if frames:
                self._release(frames, now)
            if assembler.gap_found:
                self._gap(now)
            return
        self._sound(packet, codec, sequence, timestamp, now)

    def _sound(self, packet: RtpHeader, codec: Codec, sequence: int, timestamp: int, now: float) -> None:
        level = packet.extensions.get(self._level_id) if self._level_id is not None else None
        if level:
            self.level = level[0] & 0x7F
        for piece in self._pieces(packet, codec, sequence, timestamp):
            self._emit(
                EncodedFrame(
                    self.source,
                    self._epoch,
                    codec.id,
                    piece.sequence,
                    piece.sequence,
                    piece.rtp_time,
                    piece.data,
                    marker=packet.marker,
                    level=self.level if level and not piece.copy else None,
                    arrival=now,
                    redundant=piece.copy,
                )
            )

    def _pieces(self, packet: RtpHeader, codec: Codec, sequence: int, timestamp: int) -> list[Piece]:
        """The packet, and those lost before it that it has a copy of (RFC 2198)."""
        if codec.red is None:
            return [Piece(sequence, timestamp, packet.payload, False)] if packet.payload else []
        if self._redundant is None:
            self._redundant = RedundantStream(codec.payload_type)
        if packet.payload_type != codec.red:
            return self._redundant.plain(sequence, timestamp, packet.payload)
        self._counters["red_packets"] += 1
        pieces = self._redundant.red(sequence, timestamp, packet.payload)
        self._counters["red_repaired"] += sum(piece.copy for piece in pieces)
        return pieces

    def _begin(self, ssrc: int, codec: Codec) -> Reception:
        if self.reception is not None:
            self._counters["ssrc_restarts"] += 1
            self._epoch += 1 if (self._epoch + 1) % RESTARTS else 0
            self._reopened(self)
        self.ssrc = ssrc
        self.reception = Reception(codec.clock_rate)
        self._redundant = None
        self._assembler = VideoAssembler()
        self.ended = self._stopped = False
        return self.reception

    def bye(self, now: float) -> None:
        """The peer ended the stream (RTCP BYE): what a browser sends when its track is taken away."""
        self.ended, self._deaf_until = True, now + AFTER_BYE

    def stop(self, now: float) -> None:
        """The source was ended from outside: what still comes is left out, until there was a silence."""
        self.ended = self._stopped = True
        self._deaf_until = now + SILENT_AFTER_STOP

    def _may_reopen(self, now: float) -> bool:
        if now >= self._deaf_until:
            return True
        if self._stopped:
            self._deaf_until = now + SILENT_AFTER_STOP
        self._counters["packets_of_ended_sources"] += 1
        return False

    def _repair(self, packet: RtpHeader, now: float) -> None:
        """RFC 4588, 4: the first two bytes are the number of the packet that it repeats."""
        codec = self._repaired_by.get(packet.payload_type)
        if codec is None or self.reception is None or len(packet.payload) < 3:
            return
        sequence = self.reception.unwrap_sequence(int.from_bytes(packet.payload[:2], "big"))
        timestamp = self.reception.unwrap_timestamp(packet.timestamp)
        self._counters["repaired"] += 1
        payload = packet.payload[2:]
        frames = self._assembler.push(codec.id, sequence, timestamp, packet.marker, payload, now, repair=True)
        self._release(frames, now)

    def _release(self, frames: list[AssembledFrame], now: float) -> None:
        for frame in frames:
            self._emit(
                EncodedFrame(
                    self.source,
                    self._epoch,
                    frame.codec,
                    frame.first,
                    frame.last,
                    frame.timestamp,
                    frame.data,
                    key=frame.key,
                    temporal_layer=frame.temporal_layer,
                    layer_sync=frame.layer_sync,
                    arrival=now,
                )
            )

    def poll(self, now: float, rtt: float) -> tuple[list[int], bool]:
        """(sequence numbers to ask for again, whether to ask for a key frame). Video only; sound is concealed."""
        if not self._video or self.reception is None or self.ended:
            return [], False
        decision = self._assembler.poll(now, rtt)
        self._release(decision.frames, now)
        if decision.pli:
            self._last_key_request = now
        return decision.nack, decision.pli

    def next_poll(self, now: float, rtt: float) -> float | None:
        """When there may be a repair to ask for again; None if there is none."""
        return self._assembler.next_poll(now, rtt) if self._video and not self.ended else None

    def wants_key_frame(self, now: float) -> bool:
        """Whether a key-frame request of the mixer is passed on: at most two a second."""
        if self.ssrc is None or now - self._last_key_request < KEY_FRAME_PAUSE:
            return False
        self._last_key_request = now
        return True
