"""RTCP compounds that the edge writes (RFC 3550, RFC 4585, draft-alvestrand-rmcat-remb). Reading is aiortc's."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from aiortc import rtp as aiortc_rtp
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from mixdown.mcu.edge.reception import Reception
from mixdown.mcu.edge.sender import MediaSender

MAX_REPORTS = 31
SDES_CNAME = 1
MAX_PACKETS = 32
"In one compound that is read; browsers send 5."
NACKS_AT_ONCE = 128


def is_rtcp(datagram: bytes) -> bool:
    """RFC 5761, 4: packet types 192 to 223 where RTP has marker and payload type."""
    return len(datagram) >= 8 and 192 <= datagram[1] <= 223


def check_count(plain: bytes) -> None:
    """Raises ValueError for a compound of more packets than anybody has to say: reading each costs some us."""
    at = count = 0
    while at + 4 <= len(plain):
        at += 4 + 4 * int.from_bytes(plain[at + 2 : at + 4], "big")
        count += 1
    if count > MAX_PACKETS:
        raise ValueError("RTCP compound of too many packets")


def reports(
    ssrc: int,
    senders: Iterable[MediaSender],
    receptions: Iterable[tuple[int, Reception]],
    *,
    cname: str,
    now: float,
    ntp: int,
) -> bytes:
    """A compound of sender reports (a receiver report where nothing was sent) and SDES, as due once a second."""
    infos = [_receiver_info(source, reception, now) for source, reception in list(receptions)[:MAX_REPORTS]]
    live = [sender for sender in senders if sender.packets]
    compound = b""
    for sender in live:
        info = RtcpSenderInfo(ntp, sender.report_time(now), sender.packets & 0xFFFFFFFF, sender.octets & 0xFFFFFFFF)
        compound += bytes(RtcpSrPacket(sender.streams.ssrc, info, infos))
        infos = []
    if not live:
        compound += bytes(RtcpRrPacket(ssrc, infos))
    named = [sender.streams.ssrc for sender in live] or [ssrc]
    for source in named:
        compound += bytes(RtcpSdesPacket([RtcpSourceInfo(source, [(SDES_CNAME, cname.encode())])]))
    return compound


def _receiver_info(ssrc: int, reception: Reception, now: float) -> RtcpReceiverInfo:
    fraction, lost, highest, jitter, lsr, dlsr = reception.report(now)
    return RtcpReceiverInfo(ssrc, fraction, lost, highest, jitter, lsr, dlsr)


def picture_loss(ssrc: int, media_ssrc: int) -> bytes:
    return bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, ssrc, media_ssrc))


def nack(ssrc: int, media_ssrc: int, lost: list[int]) -> bytes:
    """lost: 16-bit sequence numbers, in any order and over the wrap, which aiortc's writer takes neither of."""
    numbers = sorted({number & 0xFFFF for number in lost[:NACKS_AT_ONCE]})
    return bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, ssrc, media_ssrc, numbers))


def remb(ssrc: int, bitrate: int, media_ssrcs: list[int]) -> bytes:
    """bitrate: bit/s that all of media_ssrcs may send together."""
    return bytes(RtcpPsfbPacket(RTCP_PSFB_APP, ssrc, 0, aiortc_rtp.pack_remb_fci(bitrate, media_ssrcs)))


def remb_of(fci: bytes) -> int:
    """The bit/s of a REMB. ValueError if it is none; aiortc's reader raises another error where the count of streams
    is more than the packet holds."""
    try:
        bitrate, _ = aiortc_rtp.unpack_remb_fci(fci)
    except struct.error:
        raise ValueError("REMB is truncated") from None
    return int(bitrate)
