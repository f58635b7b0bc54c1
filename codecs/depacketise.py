"""From the packets of one video frame to the frame, and what a lone packet says of its frame. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mixdown.codecs.encoded import CodecId, packet_value
from mixdown.codecs.payload import h264, vp8

MAX_PARAMETER_SETS = 4096
"Bytes of remembered SPS and PPS; longer ones are forgotten."


@packet_value
class BareFrame:
    """A frame without its transport. data: VP8 frame, or Annex B with SPS and PPS before each IDR."""

    data: bytes
    key: bool
    temporal_layer: int = 0
    layer_sync: bool = False
    picture: bool = True
    "False if it holds parameter sets or other information only: nothing to decode."


def starts_key(codec: CodecId, payload: bytes, boundary: bool) -> bool:
    """Whether a key frame begins with this packet. boundary: the packet before it is known to have ended its frame.
    H.264 shows it by itself only if the frame begins with an SPS. False if the payload is malformed."""
    try:
        if codec is CodecId.VP8:
            descriptor, data = vp8.parse(payload)
            return descriptor.first and vp8.is_key(data)
        kinds = h264.contained(payload)
    except ValueError:
        return False
    return h264.SPS in kinds or (boundary and h264.IDR in kinds)


class Depacketiser:
    """Builds frames and remembers H.264's parameter sets, for senders that do not repeat them before each IDR."""

    def __init__(self) -> None:
        self._sps: tuple[bytes, ...] = ()
        self._pps: tuple[bytes, ...] = ()

    def build(self, codec: CodecId, payloads: Sequence[bytes], boundary: bool) -> BareFrame:
        """All payloads of a frame in order, none missing after the first. boundary: nor before it. ValueError if they
        are no whole frame."""
        if codec is CodecId.VP8:
            return _vp8_frame(payloads)
        if codec is CodecId.H264:
            return self._h264_frame(h264.units_of(payloads), boundary)
        raise ValueError(f"{codec} is not a video codec with frames of several packets")

    def _h264_frame(self, units: list[bytes], boundary: bool) -> BareFrame:
        kinds = [h264.unit_type(unit) for unit in units]
        slices = [unit for unit, kind in zip(units, kinds, strict=True) if h264.SLICE <= kind <= h264.IDR]
        if not boundary and kinds[0] not in (h264.SPS, h264.DELIMITER):
            raise ValueError("H.264 frame whose beginning is unknown")
        if slices and not _first_of_picture(slices[0]):
            raise ValueError("H.264 frame without its first slice")
        self._remember(units, kinds)
        key = h264.IDR in kinds and bool(self._sps) and bool(self._pps)
        if key and not (h264.SPS in kinds and h264.PPS in kinds):
            sets = (h264.SPS, h264.PPS)
            rest = [unit for unit, kind in zip(units, kinds, strict=True) if kind not in sets]
            units = [*self._sps, *self._pps, *rest]
        return BareFrame(h264.annexb(units), key, layer_sync=key, picture=bool(slices))

    def _remember(self, units: list[bytes], kinds: list[int]) -> None:
        """A new SPS makes the PPS before it void, unless new ones come with it."""
        sps = tuple(unit for unit, kind in zip(units, kinds, strict=True) if kind == h264.SPS)
        pps = tuple(unit for unit, kind in zip(units, kinds, strict=True) if kind == h264.PPS)
        if sps:
            self._pps = self._pps if sps == self._sps else ()
            self._sps = sps
        self._pps = pps or self._pps
        if sum(map(len, self._sps + self._pps)) > MAX_PARAMETER_SETS:
            self._sps = self._pps = ()


def _first_of_picture(unit: bytes) -> bool:
    """Whether a slice begins with macroblock 0: first_mb_in_slice is ue(v), 0 is a single bit 1 (H.264, 7.3.3)."""
    return len(unit) > 1 and bool(unit[1] & 0x80)


def _vp8_frame(payloads: Sequence[bytes]) -> BareFrame:
    if not payloads:
        raise ValueError("VP8 frame of no packets")
    head, first = vp8.parse(payloads[0])
    rest = [vp8.strip(payload) for payload in payloads[1:]]
    if not head.first or any(begins for begins, _ in rest):
        raise ValueError("VP8 packets are not those of one frame")
    key = vp8.is_key(first)
    return BareFrame(b"".join((first, *(piece for _, piece in rest))), key, head.tid or 0, head.sync or key)
