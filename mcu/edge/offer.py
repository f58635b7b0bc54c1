"""Reading an SDP offer: limits first, then aiortc's parser, then what of it Mixdown can use.

Anything wrong is a BadOffer with a reason; nothing else is ever raised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from aiortc import RTCDtlsParameters, RTCIceCandidate, RTCIceParameters
from aiortc import sdp as rtcsdp
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from mixdown.codecs.encoded import CodecId, MediaKind
from mixdown.mcu.edge.addresses import may_be_peer
from mixdown.mcu.edge.transport_cc import URI_TRANSPORT_CC
from mixdown.mcu.errors import BadOffer, BadRequest
from mixdown.mcu.link.messages import SourceKind

MAX_BYTES = 64 * 1024
MAX_LINES = 1500
MAX_MEDIA = 8
MAX_RTPMAPS = 64
MAX_LINE = 2048
MAX_CANDIDATES = 20

URI_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
URI_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
URI_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
EXTENSIONS = (URI_MID, URI_LEVEL, URI_SEND_TIME, URI_TRANSPORT_CC)

VIDEO_CODECS = {"VP8": CodecId.VP8, "H264": CodecId.H264}
AUDIO_CODECS = {"opus": CodecId.OPUS, "G722": CodecId.G722, "PCMU": CodecId.PCMU, "PCMA": CodecId.PCMA}
STATIC_TYPES = {0: CodecId.PCMU, 8: CodecId.PCMA, 9: CodecId.G722}
"Payload types that need no rtpmap line (RFC 3551, 6)."
DEFAULT_LEVEL = 31
HEXADECIMAL = re.compile("([0-9a-f]{2}){2,3}")
H264_PROFILES = ("42", "4d", "64")
"Baseline, main, high: what is sent is constrained baseline, which every one of them decodes."


class Direction(Enum):
    """Of an m-line, seen from who wrote it: (sends, receives)."""

    SENDRECV = (True, True)
    SENDONLY = (True, False)
    RECVONLY = (False, True)
    INACTIVE = (False, False)


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of an m-line that Mixdown takes. rtx: the payload type of its repair stream, RFC 4588; red: of
    its packets with copies of earlier ones, RFC 2198."""

    id: CodecId
    payload_type: int
    rtx: int | None
    name: str
    clock_rate: int
    channels: int | None
    parameters: dict[str, str]
    feedback: tuple[str, ...]
    red: int | None = None

    @property
    def level(self) -> int | None:
        """The highest H.264 level_idc that the offerer decodes, 31 for level 3.1; None for other codecs. With
        `level-asymmetry-allowed` or without: in an offer it is what its writer takes (RFC 6184, 8.1, 8.2.2)."""
        if self.id is not CodecId.H264:
            return None
        return max(_level(self.parameters.get("profile-level-id")), _level(self.parameters.get("max-recv-level")))


@dataclass(frozen=True, slots=True)
class OfferedMedia:
    """One m-line. codecs: those in common, in the offer's order; none for data channels and unknown media. reduced:
    RTCP that is no compound is taken (RFC 5506)."""

    index: int
    mid: str
    name: str
    kind: MediaKind | None
    profile: str
    formats: str
    direction: Direction
    codecs: tuple[Codec, ...]
    extensions: dict[str, int]
    ssrcs: tuple[int, ...]
    rtx_of: dict[int, int]
    slides: bool
    rejected: bool
    reduced: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """candidates: those that may be tried (public rules of address are applied by the edge)."""

    media: tuple[OfferedMedia, ...]
    ice: RTCIceParameters
    dtls: RTCDtlsParameters
    candidates: tuple[RTCIceCandidate, ...]
    candidates_complete: bool
    bundled: tuple[str, ...]


def parse_offer(text: str) -> Offer:
    """Raises BadOffer. Pure and without bound on the caller's loop: a few ms at most, by the limits."""
    check_limits(text)
    try:
        session = rtcsdp.SessionDescription.parse(text)
    except Exception as error:  # noqa: BLE001 - the parser raises seven kinds for mutants
        raise BadOffer(f"The SDP cannot be parsed: {type(error).__name__} {error}".strip()) from None
    if not session.media:
        raise BadOffer("The offer has no media section.")
    try:
        return _offer(session, text)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise BadOffer(f"The SDP makes no sense: {error}") from None


def check_limits(text: str) -> None:
    """FOUNDATION: 64 KiB, 1500 lines, 8 m-lines with 64 rtpmaps each, 20 candidates are more than any browser sends."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise BadOffer(f"The SDP is larger than {MAX_BYTES} bytes.")
    lines = text.splitlines()
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise BadOffer(f"The SDP has more than {MAX_LINES} lines, or one of over {MAX_LINE} characters.")
    if not lines or not lines[0].startswith("v=0"):
        raise BadOffer("The SDP does not begin with v=0.")
    media = rtpmaps = 0
    for line in lines:
        if line.startswith("m="):
            media, rtpmaps = media + 1, 0
        rtpmaps += line.startswith("a=rtpmap:")
        if media > MAX_MEDIA or rtpmaps > MAX_RTPMAPS:
            raise BadOffer(f"The SDP has more than {MAX_MEDIA} media sections or {MAX_RTPMAPS} codecs in one.")


def _offer(session: rtcsdp.SessionDescription, text: str) -> Offer:
    first = session.media[0]
    for section in session.media:
        if section.ice and section.ice.usernameFragment and section.dtls and section.dtls.fingerprints:
            first = section
            break
    ice, dtls = first.ice, first.dtls
    if not ice or not ice.usernameFragment or not ice.password:
        raise BadOffer("The offer names no ICE user and password.")
    if not (4 <= len(ice.usernameFragment) <= 256 and 22 <= len(ice.password) <= 256):
        raise BadOffer("The ICE user or password is too short or too long (RFC 8839, 5.4).")
    if not dtls or not dtls.fingerprints or dtls.role is None:
        raise BadOffer("The offer has no DTLS fingerprint or setup role.")
    sections = _sections(text)
    media = tuple(_media(i, m, sections[i]) for i, m in enumerate(session.media))
    mids = [m.mid for m in media]
    if len(set(mids)) != len(mids):
        raise BadOffer("Two media sections have the same mid.")
    bundle = next((g for g in session.group if g.semantic == "BUNDLE"), None)
    bundled = tuple(str(item) for item in bundle.items) if bundle else ()
    if len(media) > 1 and not bundled:
        raise BadOffer("Mixdown takes bundled offers only (bundlePolicy max-bundle, RFC 9143).")
    candidates = [c for m in session.media for c in m.ice_candidates][:MAX_CANDIDATES]
    complete = any(m.ice_candidates_complete for m in session.media)
    return Offer(media, ice, dtls, tuple(filter(usable_candidate, candidates)), complete, bundled)


def _sections(text: str) -> list[list[str]]:
    sections: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("m="):
            sections.append([])
        if sections:
            sections[-1].append(line.strip())
    return sections


def _media(index: int, media: rtcsdp.MediaDescription, lines: list[str]) -> OfferedMedia:
    mid = media.rtp.muxId
    if not mid or len(mid) > 16 or not mid.isascii() or not mid.isprintable() or " " in mid:
        raise BadOffer("Each media section needs a mid of at most 16 characters.")
    kind = MediaKind(media.kind) if media.kind in ("audio", "video") else None
    fingerprint_profile = "TLS/RTP/SAVP" in media.profile
    parts = lines[0].split(" ")
    return OfferedMedia(
        index=index,
        mid=mid,
        name=parts[0][2:],
        kind=kind if fingerprint_profile and "a=rtcp-mux" in lines else None,
        profile=parts[2],
        formats=" ".join(parts[3:]),
        direction=Direction[(media.direction or "sendrecv").upper()],
        codecs=_codecs(media) if kind else (),
        extensions={x.uri: x.id for x in media.rtp.headerExtensions if x.uri in EXTENSIONS and 1 <= x.id <= 14},
        ssrcs=tuple(s.ssrc for s in media.ssrc)[:4],
        rtx_of=_repair_streams(media),
        slides="a=content:slides" in lines,
        reduced="a=rtcp-rsize" in lines,
        rejected=media.port == 0 and "a=bundle-only" not in lines,
    )


def _repair_streams(media: rtcsdp.MediaDescription) -> dict[int, int]:
    """Repair SSRC -> the one it repairs, from `a=ssrc-group:FID` (RFC 5576)."""
    return {
        int(group.items[1]): int(group.items[0])
        for group in media.ssrc_group
        if group.semantic == "FID" and len(group.items) == 2
    }


def _codecs(media: rtcsdp.MediaDescription) -> tuple[Codec, ...]:
    """Those in common, in the offer's order; static payload types without an rtpmap line come last."""
    repairs: dict[object, int | None] = {
        codec.parameters.get("apt"): codec.payloadType for codec in media.rtp.codecs if codec.name.lower() == "rtx"
    }
    found = [codec for offered in media.rtp.codecs if (codec := _codec(offered, media.kind, repairs)) is not None]
    found = [replace(codec, red=_redundant(media, codec)) for codec in found]
    if media.kind == "audio":
        mapped = {codec.payload_type for codec in found}
        for payload_type in media.fmt:
            id_ = STATIC_TYPES.get(payload_type)
            if id_ is not None and payload_type not in mapped:
                found.append(Codec(id_, payload_type, None, id_.value, id_.clock_rate, 1, {}, ()))
    return tuple(found)


def _redundant(media: rtcsdp.MediaDescription, codec: Codec) -> int | None:
    """The payload type of `audio/red` whose every block is Opus (RFC 2198, 5: `a=fmtp:63 111/111`). None for others:
    what else is offered with it, such as copies in a lesser codec, nobody sends."""
    if codec.id is not CodecId.OPUS:
        return None
    for offered in media.rtp.codecs:
        if offered.name.lower() == "red" and offered.clockRate == codec.clock_rate:
            blocks = [name for name in offered.parameters if "/" in name]
            if len(blocks) == 1 and set(blocks[0].split("/")) == {str(codec.payload_type)}:
                return offered.payloadType
    return None


def _codec(offered: RTCRtpCodecParameters, kind: str, repairs: Mapping[object, int | None]) -> Codec | None:
    """None for what Mixdown does not take."""
    known = VIDEO_CODECS if kind == "video" else AUDIO_CODECS
    id_ = next((known[name] for name in known if name.lower() == offered.name.lower()), None)
    if id_ is None or offered.payloadType is None or offered.clockRate != id_.clock_rate:
        return None
    if not _fits(id_, offered.parameters):
        return None
    return Codec(
        id_,
        offered.payloadType,
        repairs.get(offered.payloadType),
        offered.name,
        offered.clockRate,
        offered.channels,
        {str(name): str(value) for name, value in offered.parameters.items() if value is not None},
        tuple(f"{f.type} {f.parameter}" if f.parameter else f.type for f in offered.rtcpFeedback),
    )


def _level(parameter: str | None) -> int:
    """The last byte of `profile-level-id` or `max-recv-level`; 3.1, which everybody offers, for the first if there is
    none, against RFC 6184's level 1. Raises ValueError."""
    return DEFAULT_LEVEL if parameter is None else int(parameter[-2:], 16)


def _fits(codec: CodecId, parameters: Mapping[str, object]) -> bool:
    """H.264: packetisation mode 1 (FU-A), a profile whose decoders take constrained baseline (RFC 6184, 8.1)."""
    if codec is not CodecId.H264:
        return True
    profile = str(parameters.get("profile-level-id", "42e01f")).lower()
    levels = (profile, str(parameters.get("max-recv-level", "e01f")).lower())
    readable = all(HEXADECIMAL.fullmatch(value) for value in levels)
    return readable and str(parameters.get("packetization-mode", "0")) == "1" and profile[:2] in H264_PROFILES


def usable_candidate(candidate: RTCIceCandidate) -> bool:
    """UDP to an address that a peer may have; whether it may be on this machine the transport decides."""
    if candidate.protocol.lower() != "udp" or candidate.component != 1 or not 0 < candidate.port < 65536:
        return False
    return may_be_peer(candidate.ip, loopback=True)


def parse_candidate(text: str) -> RTCIceCandidate | None:
    """One `candidate:` attribute value; None for what is not to be tried. Raises BadRequest."""
    value = text.strip().removeprefix("a=").removeprefix("candidate:")
    if len(value) > 512:
        raise BadRequest("A candidate has more than 512 characters.")
    try:
        candidate = rtcsdp.candidate_from_sdp(value)
    except Exception as error:  # noqa: BLE001 - whatever the parser raises, it is no candidate
        raise BadRequest(f"Not an ICE candidate: {type(error).__name__}") from None
    return candidate if usable_candidate(candidate) else None


def guess_kinds(offer: Offer, tracks: dict[str, SourceKind]) -> dict[str, SourceKind]:
    """mid -> what it carries: as told; else `a=content:slides` or a second line of its medium is the screen's."""
    kinds: dict[str, SourceKind] = {}
    unknown = set(tracks) - {media.mid for media in offer.media}
    if unknown:
        raise BadOffer(f"tracks: no media section has the mid {sorted(unknown)[0]!r}.")
    ended = {media.mid for media in offer.media if media.rejected}
    tracks = {mid: kind for mid, kind in tracks.items() if mid not in ended}
    for media in offer.media:
        if media.kind is None or media.rejected:
            continue
        main, screen = (
            (SourceKind.CAMERA, SourceKind.SCREEN)
            if media.kind is MediaKind.VIDEO
            else (SourceKind.MICROPHONE, SourceKind.SCREEN_AUDIO)
        )
        told = tracks.get(media.mid)
        if told is not None:
            if told.media is not media.kind or told in kinds.values():
                raise BadOffer(f"tracks: {media.mid} cannot be {told.value}, or two are.")
            kinds[media.mid] = told
        elif media.slides or main in kinds.values() or main in tracks.values():
            if screen not in kinds.values():
                kinds[media.mid] = screen
        else:
            kinds[media.mid] = main
    return kinds
