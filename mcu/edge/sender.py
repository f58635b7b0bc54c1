"""One outgoing RTP stream to one peer: its numbers, its headers, its repair (RFC 4588).

The payloads are shared by all peers of a rendition; only what is here is per peer. Sequence numbers, picture ids and
timestamps run on over every change of stream: a jump freezes a browser's picture.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from mixdown.codecs.encoded import CodecId, EncodedFrame, MediaKind
from mixdown.codecs.payload import vp8
from mixdown.mcu.edge.answer import MediaPlan, Streams
from mixdown.mcu.edge.frame_packets import FramePackets
from mixdown.mcu.edge.offer import URI_LEVEL, URI_MID, URI_SEND_TIME, Codec, OfferedMedia
from mixdown.mcu.edge.rtp import HeaderTemplate
from mixdown.mcu.edge.transport_cc import URI_TRANSPORT_CC

HISTORY = 1024
"Packets kept for repair, a power of two: over 2 s of a 4 Mb/s picture."
REPAIR_SHARE = 0.2
"Of the bytes sent, what repair may cost."
REPAIR_BURST = 60_000
BEYOND = 20_000
"Bytes asked for over what repair may cost, from which on it is not begun."
REPAIR_PAUSE = 0.02
"Seconds in which a packet is not repaired twice."
PADDING = 64
"The newest packets that padding repeats, in turn."
MAX_JUMP = 10
"Seconds of media time that a stream may jump ahead and still be the same clock."


class MediaSender:
    """wanted: the stream that the mixer routed here; current: the one that is playing, which for video changes on the
    wanted one's next key frame only: nothing is sent, or the old stream plays on, until then. marks: of the packets
    made last, (index, number) of those whose arrival the peer reports (`transport_cc.py`)."""

    def __init__(self, media: OfferedMedia, codec: Codec, streams: Streams) -> None:
        self.kind: MediaKind = codec.id.kind
        self.mid = media.mid
        self.reduced = media.reduced
        self.codec = codec
        self.streams = streams
        self.wanted: str | None = None
        self.current: str | None = None
        self.packets = 0
        self.octets = 0
        self.last_frame: EncodedFrame | None = None
        self.last_timestamp = 0
        self.marks: list[tuple[int, int]] = []
        ids = media.extensions
        self._mark_id = ids.get(URI_TRANSPORT_CC) if self.kind is MediaKind.VIDEO else None
        self._template = HeaderTemplate(
            streams.ssrc,
            media.mid,
            mid_id=ids.get(URI_MID),
            send_time_id=ids.get(URI_SEND_TIME) if self.kind is MediaKind.VIDEO else None,
            level_id=ids.get(URI_LEVEL) if self.kind is MediaKind.AUDIO else None,
            mark_id=self._mark_id,
        )
        self._repair_template = HeaderTemplate(
            streams.rtx_ssrc, media.mid, mid_id=None, send_time_id=None, level_id=None
        )
        self._padding_template = HeaderTemplate(
            streams.rtx_ssrc,
            media.mid,
            mid_id=None,
            send_time_id=ids.get(URI_SEND_TIME),
            level_id=None,
            mark_id=self._mark_id,
        )
        self._mark = random.randrange(1 << 16)
        self._padded = 0
        # The lower half: libsrtp guesses the roll-over counter from the first number it sees.
        self._sequence = random.randrange(1 << 15)
        self._repair_sequence = random.randrange(1 << 15)
        self._offset: int | None = None
        self._epoch: tuple[str, int] = ("", 0)
        self._last_sent = 0.0
        self._picture_id = random.randrange(1 << 15)
        self._tl0picidx = random.randrange(1 << 8)
        self._history: list[FramePackets | None] = [None] * HISTORY if self.kind is MediaKind.VIDEO else []
        self._repair_budget = REPAIR_BURST / 2

    def serves(self, plan: MediaPlan) -> bool:
        """Whether it goes on for this m-line of a further offer: still received, in a codec that is still there."""
        types = {(codec.id, codec.payload_type) for codec in plan.media.codecs}
        return plan.sends and plan.media.mid == self.mid and (self.codec.id, self.codec.payload_type) in types

    def takes(self, frame: EncodedFrame) -> bool:
        """Whether this frame is sent; switches to the wanted stream where it may. Sound is switched before a tick's
        packets: what the old stream still has of that tick would be heard twice."""
        if self.kind is MediaKind.AUDIO and self.wanted is not None:
            if frame.stream != self.wanted:
                return False
            self.current = frame.stream
        elif frame.key and frame.stream == self.wanted:
            self.current = frame.stream
        return frame.stream == self.current

    def packetise(
        self, frame: EncodedFrame, payloads: Sequence[bytes | memoryview], now: float, *, red: bool = False
    ) -> FramePackets:
        """RTP packets, not yet encrypted. payloads: of this frame, without the VP8 descriptor; red: they are RED."""
        timestamp = self._timestamp(frame, now)
        payload_type = self.codec.red if red and self.codec.red is not None else self.codec.payload_type
        packets = FramePackets(
            self._template,
            payload_type,
            self._sequence,
            timestamp,
            self._template.extensions(now, frame.level),
            self._prefixes(frame),
            payloads,
            (self._mark + 1) & 0xFFFF if self._mark_id is not None else None,
            self.kind is MediaKind.VIDEO,
        )
        self.marks = packets.marks
        self._mark = (self._mark + len(self.marks)) & 0xFFFF
        if self._history:
            self._remember(packets)
        count, size = len(payloads), sum(map(len, payloads))
        self._sequence = (self._sequence + count) & 0xFFFF
        self.packets += count
        self.octets += size
        self.last_frame, self.last_timestamp = frame, timestamp
        self._repair_budget = min(REPAIR_BURST, self._repair_budget + REPAIR_SHARE * size)
        return packets

    def _remember(self, packets: FramePackets) -> None:
        """At the places of the oldest packets."""
        first, count = packets.sequence & (HISTORY - 1), len(packets.payloads)
        if first + count <= HISTORY:
            self._history[first : first + count] = [packets] * count
            return
        for place in range(first, first + count):
            self._history[place & (HISTORY - 1)] = packets

    def _sent(self, sequence: int) -> tuple[FramePackets, int] | None:
        """The frame that the packet of that number was in, and which of it that is; None if it is forgotten."""
        packets = self._history[sequence & (HISTORY - 1)] if self._history else None
        if packets is None:
            return None
        index = (sequence - packets.sequence) & 0xFFFF
        return (packets, index) if index < len(packets.payloads) else None

    def _prefixes(self, frame: EncodedFrame) -> tuple[bytes, bytes]:
        """VP8 descriptors of a frame's first and further packets; nothing for other codecs."""
        if self.codec.id is not CodecId.VP8:
            return b"", b""
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        if frame.temporal_layer == 0:
            self._tl0picidx = (self._tl0picidx + 1) & 0xFF
        return vp8.descriptors(self._picture_id, self._tl0picidx, frame.temporal_layer, frame.layer_sync)

    def _timestamp(self, frame: EncodedFrame, now: float) -> int:
        """Room time moved to this stream's own; anchored anew, forwards, when the room's clock began anew."""
        rate = self.codec.clock_rate
        if self._offset is None:
            self._offset = random.randrange(1 << 31) - frame.rtp_time
        elif self.last_frame is not None and (frame.stream, frame.epoch) != self._epoch:
            ahead = frame.rtp_time - self.last_frame.rtp_time
            if not 0 < ahead < MAX_JUMP * rate:
                elapsed = max(1, round((now - self._last_sent) * rate))
                self._offset = self.last_timestamp + elapsed - frame.rtp_time
        self._epoch, self._last_sent = (frame.stream, frame.epoch), now
        return (frame.rtp_time + self._offset) & 0xFFFFFFFF

    def repair(self, sequence: int, now: float) -> bytes | None:
        """The packet that answers a NACK; None if it is too old, was just repaired, or the budget is spent."""
        sent = self._sent(sequence)
        if sent is None:
            return None
        packets, index = sent
        if packets.given_up or now - packets.repaired_at(index) < REPAIR_PAUSE:
            return None
        if not self._afford(packets.payloads[index]):
            return None
        packets.repair(index, now)
        if self.codec.rtx is None:
            # Byte for byte the same, or the SRTP keystream would be used twice for different data.
            return packets.packet(index)
        return self._repeat(packets, index, self.codec.rtx)

    def repair_again(self, sequences: Sequence[int], now: float) -> list[bytes]:
        """Second copies of what was repaired at that moment, as far as the budget goes: on a line that loses packets it
        loses repairs as well, and the next NACK comes a round trip and more later. None without a repair stream."""
        repeated = []
        for sequence in sequences if self.codec.rtx is not None else ():
            if self._repair_budget < REPAIR_BURST / 2:
                break  # what is left is for first copies
            sent = self._sent(sequence)
            if sent is None or sent[0].given_up or sent[0].repaired_at(sent[1]) != now:
                continue
            if self._afford(sent[0].payloads[sent[1]]):
                assert self.codec.rtx is not None
                repeated.append(self._repeat(*sent, self.codec.rtx))
        return repeated

    def beyond_repair(self, sequences: Sequence[int]) -> bool:
        """Whether far more is missing than may be repaired, as after a blackout: a key frame is the better answer."""
        octets = 0
        for sequence in sequences:
            sent = self._sent(sequence)
            if sent is not None and not sent[0].given_up:
                octets += len(sent[0].payloads[sent[1]])
        return octets > self._repair_budget + BEYOND

    def _afford(self, payload: bytes | memoryview) -> bool:
        if self._repair_budget < len(payload):
            return False
        self._repair_budget -= len(payload)
        return True

    def _repeat(self, packets: FramePackets, index: int, rtx: int) -> bytes:
        return packets.repeated(index, self._repair_template, rtx, self._next_repair(), b"")

    def _next_repair(self) -> int:
        repair_sequence = self._repair_sequence
        self._repair_sequence = (repair_sequence + 1) & 0xFFFF
        return repair_sequence

    def repair_no_more(self) -> None:
        """What was sent so far is not repaired: a line that became too thin for it would be filled by that alone."""
        for packets in self._history:
            if packets is not None:
                packets.given_up = True

    def _next_mark(self, index: int) -> int:
        self._mark = (self._mark + 1) & 0xFFFF
        self.marks.append((index, self._mark))
        return self._mark

    @property
    def can_pad(self) -> bool:
        return self.codec.rtx is not None

    def padding(self, now: float, count: int) -> list[bytes]:
        """`count` packets that mean nothing new: late ones once more on the repair stream (RFC 4588), each marked.
        Fewer if nothing was sent yet, or there is no such stream."""
        self.marks = []
        packets: list[bytes] = []
        extensions = self._padding_template.extensions(now, None)
        for _ in range(count if self.codec.rtx is not None and self._history else 0):
            self._padded = (self._padded + 1) % PADDING
            sent = self._sent((self._sequence - 1 - self._padded) & 0xFFFF)
            if sent is None:
                continue
            assert self.codec.rtx is not None
            block = extensions
            if self._mark_id is not None:
                block = self._padding_template.marked(extensions, self._next_mark(len(packets)))
            template, number = self._padding_template, self._next_repair()
            packets.append(sent[0].repeated(sent[1], template, self.codec.rtx, number, block))
        return packets

    def report_time(self, now: float) -> int:
        """The RTP timestamp of this moment, for a sender report: on one clock for sound and picture of a room."""
        if self.last_frame is None:
            return 0
        elapsed = max(0.0, now - self.last_frame.arrival) if self.last_frame.arrival else 0.0
        return (self.last_timestamp + round(elapsed * self.codec.clock_rate)) & 0xFFFFFFFF
