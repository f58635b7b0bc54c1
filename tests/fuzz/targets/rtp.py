"""RTP headers and header extensions (RFC 3550, RFC 8285): ValueError or a header whose parts lie within the packet."""

from __future__ import annotations

from mixdown.mcu.edge.rtp import RtpHeader, parse_rtp


def run(data: bytes) -> None:
    header, bare = _parse(data, True), _parse(data, False)
    if header is None or bare is None:
        assert header is bare, "extensions decide whether it is RTP"
        return
    assert (header.sequence, header.timestamp, header.ssrc, header.payload) == (
        bare.sequence, bare.timestamp, bare.ssrc, bare.payload,
    )  # fmt: skip
    assert not bare.extensions
    assert 0 <= header.payload_type < 128 and 0 <= header.sequence < 1 << 16
    assert header.payload in data
    assert all(1 <= id_ <= 255 for id_ in header.extensions), header.extensions
    assert 12 + len(header.payload) + sum(map(len, header.extensions.values())) <= len(data)


def _parse(data: bytes, with_extensions: bool) -> RtpHeader | None:
    try:
        return parse_rtp(data, with_extensions=with_extensions)
    except ValueError:
        return None
