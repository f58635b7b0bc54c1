"""Sound for listeners who lose packets: each packet of a mix with a copy of the one before it (RFC 2198)."""

from __future__ import annotations

from mixdown.codecs.encoded import CodecId, EncodedFrame
from mixdown.codecs.payload import red

MAX_PACKET = 1160
"Bytes, as of every payload: what would be longer is sent without a copy."
HEADERS = 5
"Bytes that a copy and its packet have in front."


class Doubled:
    """A packet and the one before it. Made once for all who negotiated the same payload type for Opus."""

    def __init__(self, frame: EncodedFrame, before: EncodedFrame) -> None:
        self._frame = frame
        self._copies = [(frame.rtp_time - before.rtp_time, before.data)]
        self._made: dict[int, tuple[bytes]] = {}

    def payloads(self, payload_type: int) -> tuple[bytes]:
        """payload_type: of Opus. One payload, of RED."""
        made = self._made.get(payload_type)
        if made is None:
            made = self._made[payload_type] = (red.build(payload_type, self._frame.data, self._copies),)
        return made


class Copies:
    """The last packet of each stream. Bounded by the streams that the mixer has: each is forgotten when it ends."""

    def __init__(self) -> None:
        self._last: dict[str, EncodedFrame] = {}

    def with_copy(self, frame: EncodedFrame) -> Doubled | None:
        """None for what is sent by itself: at a stream's start, after a pause of over 0.3 s, and for long packets."""
        if not frame.protected or frame.codec is not CodecId.OPUS:
            return None
        before, self._last[frame.stream] = self._last.get(frame.stream), frame
        if before is None or before.epoch != frame.epoch or len(before.data) > red.MAX_LENGTH:
            return None
        if not 0 < frame.rtp_time - before.rtp_time <= red.MAX_OFFSET:
            return None
        return Doubled(frame, before) if len(before.data) + len(frame.data) + HEADERS <= MAX_PACKET else None

    def forget(self, stream: str) -> None:
        self._last.pop(stream, None)
