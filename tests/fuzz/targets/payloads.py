"""VP8 and H.264 payloads of one frame (RFC 7741, RFC 6184), and the size that its key frame claims.

First byte: the codec (bit 0), whether the frame's beginning is known (bit 1). Then payloads, each with its length.
"""

from __future__ import annotations

from fuzz.reader import Reader

from mixdown.codecs.depacketise import MAX_PARAMETER_SETS, Depacketiser, starts_key
from mixdown.codecs.encoded import CodecId
from mixdown.codecs.errors import CodecError
from mixdown.codecs.keyframe import check_size, is_key_frame, key_frame_size
from mixdown.codecs.payload import h264, vp8

START_CODE_BYTES = 4


def run(data: bytes) -> None:
    reader = Reader(data)
    mode = reader.number(1)
    codec = CodecId.H264 if mode & 1 else CodecId.VP8
    depacketiser = Depacketiser()
    while reader.left:
        payloads = [reader.sized() for _ in range(reader.number(1) & 15)]
        for payload in payloads:
            _alone(codec, payload)
        _frame(depacketiser, codec, payloads, bool(mode & 2))


def _alone(codec: CodecId, payload: bytes) -> None:
    starts_key(codec, payload, True)
    try:
        if codec is CodecId.VP8:
            descriptor, piece = vp8.parse(payload)
            assert piece and payload.endswith(piece)
            assert descriptor.picture_id is None or 0 <= descriptor.picture_id < 1 << 15
            assert descriptor.tid is None or 0 <= descriptor.tid < 4
        else:
            assert all(0 <= kind < 32 for kind in h264.contained(payload))
    except ValueError:
        return


def _frame(depacketiser: Depacketiser, codec: CodecId, payloads: list[bytes], boundary: bool) -> None:
    try:
        bare = depacketiser.build(codec, payloads, boundary)
    except ValueError:
        return
    units = len(h264.nal_units(bare.data)) if codec is CodecId.H264 else 0
    most = sum(map(len, payloads)) + MAX_PARAMETER_SETS + START_CODE_BYTES * (units + sum(map(len, payloads)) // 3 + 64)
    assert len(bare.data) <= most, (len(bare.data), most)
    assert 0 <= bare.temporal_layer < 4
    try:
        is_key_frame(codec, bare.data)
        size = key_frame_size(codec, bare.data)
        if size is not None:
            assert size.width > 0 and size.height > 0
            check_size(size, screen=True)
    except CodecError:
        return
