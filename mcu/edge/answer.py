"""Choosing what to take of an offer, and writing the SDP answer (RFC 8829, RFC 8839, RFC 9143)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from aiortc import RTCDtlsFingerprint, RTCIceCandidate, RTCIceParameters
from aiortc import sdp as rtcsdp

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu.edge.offer import AUDIO_CODECS, URI_LEVEL, URI_MID, VIDEO_CODECS, Codec, Direction, Offer, OfferedMedia
from mixdown.mcu.edge.transport_cc import URI_TRANSPORT_CC
from mixdown.mcu.errors import NotAcceptable
from mixdown.mcu.link.messages import SourceKind

FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")
"""What is answered where it was offered (RFC 4585, RFC 5104, draft-alvestrand-rmcat-remb, draft-holmer-rmcat-transport-
wide-cc-extensions); of it, for sound the first."""
ANSWERED_OPUS = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """What becomes of one m-line. codec: the one it is sent in, and the first that may come. source: None if nothing
    is taken from it."""

    media: OfferedMedia
    codec: Codec | None
    sends: bool
    source: SourceKind | None

    @property
    def direction(self) -> Direction:
        return Direction((self.sends, self.source is not None))


@dataclass(frozen=True, slots=True)
class Streams:
    """SSRCs of what the peer is sent."""

    ssrc: int
    rtx_ssrc: int


def plan_media(
    offer: Offer, kinds: dict[str, SourceKind], *, viewer: bool, red: bool = True, level: int = 0
) -> tuple[MediaPlan, ...]:
    """One composite back: the first audio and the first video line that receive. red: whether audio/red is taken where
    it is offered. level: H.264 level_idc that the picture needs. Raises NotAcceptable (406)."""
    plans: list[MediaPlan] = []
    sent: set[MediaKind] = set()
    for media in offer.media if red else map(_without_red, offer.media):
        usable = media.kind is not None and media.codecs and not media.rejected
        if media.kind is None or not usable:
            plans.append(MediaPlan(media, None, sends=False, source=None))
            continue
        peer_sends, peer_receives = media.direction.value
        sends = peer_receives and media.kind not in sent
        if sends:
            sent.add(media.kind)
        source = kinds.get(media.mid) if peer_sends and not viewer else None
        plans.append(MediaPlan(media, _choose(media, level), sends, source))
    _check_common(offer, plans)
    return tuple(plans)


def _without_red(media: OfferedMedia) -> OfferedMedia:
    return replace(media, codecs=tuple(replace(codec, red=None) for codec in media.codecs))


def _choose(media: OfferedMedia, level: int) -> Codec:
    """The offer's first that carries the picture; else the first: the mixer gives it a step that fits."""
    return next((codec for codec in media.codecs if codec.level is None or codec.level >= level), media.codecs[0])


def _check_common(offer: Offer, plans: list[MediaPlan]) -> None:
    for kind, known in ((MediaKind.AUDIO, AUDIO_CODECS), (MediaKind.VIDEO, VIDEO_CODECS)):
        offered = [m for m in offer.media if m.kind is kind and not m.rejected]
        if offered and not any(plan.codec for plan in plans if plan.media.kind is kind):
            names = ", ".join(known) + (" (packetization-mode=1)" if kind is MediaKind.VIDEO else "")
            raise NotAcceptable(f"No common {kind.value} codec. Mixdown takes {names}.")
    if not any(plan.codec for plan in plans):
        raise NotAcceptable("The offer has neither an audio nor a video section over DTLS-SRTP with rtcp-mux.")


def write_answer(
    offer: Offer,
    plans: tuple[MediaPlan, ...],
    streams: dict[str, Streams],
    *,
    cname: str,
    ice: RTCIceParameters,
    candidates: list[RTCIceCandidate],
    fingerprints: list[RTCDtlsFingerprint],
    active: bool,
    session_id: int,
    version: int,
) -> str:
    """The answer's text, CRLF line ends. streams: mid -> SSRCs of the lines that are sent."""
    live = [plan.media.mid for plan in plans if plan.codec or _carries_data(plan.media, offer)]
    lines = [
        "v=0",
        f"o=- {session_id} {version} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(live)}",
        "a=msid-semantic:WMS *",
    ]
    transport = [
        *(f"a=candidate:{rtcsdp.candidate_to_sdp(c)}" for c in candidates),
        "a=end-of-candidates",
        f"a=ice-ufrag:{ice.usernameFragment}",
        f"a=ice-pwd:{ice.password}",
        "a=ice-options:trickle",
        *(f"a=fingerprint:{f.algorithm} {f.value}" for f in fingerprints if f.algorithm == "sha-256"),
        f"a=setup:{'active' if active else 'passive'}",
    ]
    for plan in plans:
        if _carries_data(plan.media, offer):
            lines += _data_section(plan.media, transport)
        else:
            lines += _section(plan, streams.get(plan.media.mid), cname, transport)
    return "\r\n".join(lines) + "\r\n"


def _carries_data(media: OfferedMedia, offer: Offer) -> bool:
    """Whether a data channel's line is the one that the bundle's transport hangs on (RFC 9143, 7.2): browsers lose all
    lines if that one is rejected, so it is taken, and its channel stays silent."""
    return media.mid in offer.bundled[:1] and media.formats == "webrtc-datachannel" and not media.rejected


def _data_section(media: OfferedMedia, transport: list[str]) -> list[str]:
    first = f"m={media.name} 9 {media.profile} {media.formats}"
    return [first, "c=IN IP4 0.0.0.0", *transport, f"a=mid:{media.mid}", "a=sctp-port:5000"]


def _section(plan: MediaPlan, streams: Streams | None, cname: str, transport: list[str]) -> list[str]:
    media = plan.media
    if plan.codec is None:
        return [f"m={media.name} 0 {media.profile} {media.formats}", "c=IN IP4 0.0.0.0", f"a=mid:{media.mid}"]
    codecs = media.codecs
    # RED in front of its codec: that is how a browser is told to send it.
    types = list(itertools.chain.from_iterable((c.red, c.payload_type, c.rtx) for c in codecs))
    formats = " ".join(str(pt) for pt in types if pt is not None)
    lines = [
        f"m={media.name} 9 {media.profile} {formats}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *transport,
        f"a=mid:{media.mid}",
        *(f"a=extmap:{id_} {uri}" for uri, id_ in media.extensions.items() if _extension_fits(uri, media)),
        f"a={plan.direction.name.lower()}",
        "a=rtcp-mux",
        *(["a=rtcp-rsize"] if media.reduced else []),
    ]
    for codec in codecs:
        lines += _codec_lines(codec)
    if streams and plan.sends:
        lines += _stream_lines(streams, cname, media, plan.codec)
    return lines


def _extension_fits(uri: str, media: OfferedMedia) -> bool:
    if uri == URI_TRANSPORT_CC:
        return media.kind is MediaKind.VIDEO
    return uri == URI_MID or (uri == URI_LEVEL) == (media.kind is MediaKind.AUDIO)


def _codec_lines(codec: Codec) -> list[str]:
    channels = f"/{codec.channels}" if codec.id.kind is MediaKind.AUDIO and (codec.channels or 1) > 1 else ""
    lines = [f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"]
    feedback = FEEDBACK if codec.id.kind is MediaKind.VIDEO else FEEDBACK[:1]
    lines += [f"a=rtcp-fb:{codec.payload_type} {f}" for f in feedback if f in codec.feedback]
    if codec.id.kind is MediaKind.AUDIO:
        if codec.id.value == "opus":
            lines.append(f"a=fmtp:{codec.payload_type} {ANSWERED_OPUS}")
        if codec.red is not None:
            lines.append(f"a=rtpmap:{codec.red} red/{codec.clock_rate}{channels}")
            lines.append(f"a=fmtp:{codec.red} {codec.payload_type}/{codec.payload_type}")
        return lines
    if codec.parameters:
        fields = ";".join(f"{k}={v}" for k, v in codec.parameters.items() if k in H264_FIELDS)
        lines += [f"a=fmtp:{codec.payload_type} {fields}"] if fields else []
    if codec.rtx is not None:
        lines += [
            f"a=rtpmap:{codec.rtx} rtx/{codec.clock_rate}",
            f"a=fmtp:{codec.rtx} apt={codec.payload_type}",
        ]
    return lines


H264_FIELDS = ("level-asymmetry-allowed", "packetization-mode", "profile-level-id")


def _stream_lines(streams: Streams, cname: str, media: OfferedMedia, codec: Codec) -> list[str]:
    msid = f"mixdown {media.name}"
    lines = [f"a=msid:{msid}"]
    ssrcs = [streams.ssrc]
    if codec.rtx is not None:
        lines.append(f"a=ssrc-group:FID {streams.ssrc} {streams.rtx_ssrc}")
        ssrcs.append(streams.rtx_ssrc)
    for ssrc in ssrcs:
        lines += [f"a=ssrc:{ssrc} cname:{cname}", f"a=ssrc:{ssrc} msid:{msid}"]
    return lines
