"""Offers: what real browsers send is understood, what nobody should send is a 400 and nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixdown.codecs.encoded import CodecId, MediaKind
from mixdown.mcu.edge.answer import Streams, plan_media, write_answer
from mixdown.mcu.edge.edge import _continues as continues
from mixdown.mcu.edge.offer import MAX_BYTES, Direction, guess_kinds, parse_candidate, parse_offer
from mixdown.mcu.errors import BadOffer, BadRequest, NotAcceptable
from mixdown.mcu.link.messages import SourceKind

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
SESSION = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mids}\r\n"
TRANSPORT = f"c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:{'x' * 24}\r\n{FINGERPRINT}\r\na=setup:actpass\r\n"
AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n"
    + TRANSPORT
    + "a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=ssrc:1001 cname:x\r\n"
)
VP8 = (
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
)
H264 = (
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack pli\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
)
H264_MODE_0 = "a=rtpmap:104 H264/90000\r\na=fmtp:104 packetization-mode=0;profile-level-id=42001f\r\n"


def video(codecs: str, mid: str = "1", direction: str = "sendrecv", formats: str = "96 97 102 104") -> str:
    return (
        f"m=video 9 UDP/TLS/RTP/SAVPF {formats}\r\n" + TRANSPORT + f"a=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n"
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" + codecs + f"a=ssrc-group:FID 200{mid} 300{mid}\r\n"
        f"a=ssrc:200{mid} cname:x\r\na=ssrc:300{mid} cname:x\r\n"
    )


def offer(*sections: str) -> str:
    mids = " ".join(str(i) for i in range(len(sections)))
    return SESSION.format(mids=mids) + "".join(sections)


def test_a_browsers_offer_is_understood():
    parsed = parse_offer(offer(AUDIO, video(VP8 + H264 + H264_MODE_0)))
    audio, picture = parsed.media
    assert [codec.id for codec in audio.codecs] == [CodecId.OPUS, CodecId.PCMU]
    assert [codec.id for codec in picture.codecs] == [CodecId.VP8, CodecId.H264]
    assert picture.codecs[0].rtx == 97 and picture.codecs[1].rtx is None
    assert picture.ssrcs == (2001, 3001) and picture.rtx_of == {3001: 2001}


def test_static_payload_types_need_no_rtpmap():
    text = offer(AUDIO.replace("a=rtpmap:0 PCMU/8000\r\n", "").replace("111 0\r", "9 8 0 111\r"))
    assert {codec.id for codec in parse_offer(text).media[0].codecs} == {
        CodecId.OPUS,
        CodecId.G722,
        CodecId.PCMA,
        CodecId.PCMU,
    }


def test_the_offers_order_chooses_the_codec():
    for codecs, chosen in ((VP8 + H264, CodecId.VP8), (H264 + VP8, CodecId.H264), (H264, CodecId.H264)):
        parsed = parse_offer(offer(AUDIO, video(codecs)))
        plans = plan_media(parsed, guess_kinds(parsed, {}), viewer=False)
        assert plans[1].codec is not None and plans[1].codec.id is chosen


@pytest.mark.parametrize("sections", [(AUDIO, video(H264_MODE_0)), (AUDIO.replace("opus", "speex"),)])
def test_no_common_codec_is_406_and_says_what_is_taken(sections):
    text = offer(*sections).replace("a=rtpmap:0 PCMU/8000\r\n", "").replace("111 0\r", "111\r")
    parsed = parse_offer(text)
    with pytest.raises(NotAcceptable, match="Mixdown takes"):
        plan_media(parsed, guess_kinds(parsed, {}), viewer=False)


def test_one_picture_back_and_the_second_line_is_the_screen():
    parsed = parse_offer(offer(AUDIO, video(VP8), video(VP8, "2", "sendonly")))
    plans = plan_media(parsed, guess_kinds(parsed, {}), viewer=False)
    assert [plan.source for plan in plans] == [SourceKind.MICROPHONE, SourceKind.CAMERA, SourceKind.SCREEN]
    assert [plan.direction for plan in plans] == [Direction.SENDRECV, Direction.SENDRECV, Direction.RECVONLY]


def test_tracks_are_obeyed_and_checked():
    parsed = parse_offer(offer(AUDIO, video(VP8), video(VP8, "2", "sendonly")))
    kinds = guess_kinds(parsed, {"1": SourceKind.SCREEN, "2": SourceKind.CAMERA})
    assert kinds == {"0": SourceKind.MICROPHONE, "1": SourceKind.SCREEN, "2": SourceKind.CAMERA}
    for wrong in ({"0": SourceKind.CAMERA}, {"7": SourceKind.CAMERA}, dict.fromkeys("12", SourceKind.SCREEN)):
        with pytest.raises(BadOffer):
            guess_kinds(parsed, wrong)


def test_a_viewer_sends_nothing():
    parsed = parse_offer(offer(AUDIO, video(VP8)))
    plans = plan_media(parsed, guess_kinds(parsed, {}), viewer=True)
    assert all(plan.source is None and plan.sends for plan in plans)


def answer_to(text: str, *, red: bool = True) -> str:
    parsed = parse_offer(text)
    plans = plan_media(parsed, guess_kinds(parsed, {}), viewer=False, red=red)
    streams = {plan.media.mid: Streams(11, 12) for plan in plans if plan.sends}
    return write_answer(
        parsed, plans, streams, cname="c", ice=parsed.ice, candidates=[], fingerprints=parsed.dtls.fingerprints,
        active=True, session_id=1, version=1,
    )  # fmt: skip


RED = "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"


def with_red(lines: str = RED) -> str:
    return AUDIO.replace("111 0\r", "111 63 0\r") + lines


def test_red_is_put_first_so_that_a_browser_sends_it_and_opus_is_what_it_is_sent():
    parsed = parse_offer(offer(with_red()))
    assert parsed.media[0].codecs[0].red == 63 and parsed.media[0].codecs[1].red is None
    plans = plan_media(parsed, guess_kinds(parsed, {}), viewer=False)
    assert plans[0].codec is not None and plans[0].codec.payload_type == 111
    text = answer_to(offer(with_red()))
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 63 111 0\r\n" in text and RED in text
    for line in RED.split("\r\n")[:2]:
        assert line not in answer_to(offer(with_red()), red=False)
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n" in answer_to(offer(with_red()), red=False)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "a=rtpmap:63 red/48000/2\r\n",
        "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/0\r\n",
        "a=rtpmap:63 red/48000/2\r\na=fmtp:63 96/96\r\n",
        "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111\r\n",
        "a=rtpmap:63 red/8000\r\na=fmtp:63 111/111\r\n",
        "a=rtpmap:63 red/48000/2\r\na=fmtp:63 /\r\n",
    ],
)
def test_red_of_anything_but_opus_alone_is_left_out(lines):
    assert parse_offer(offer(with_red(lines))).media[0].codecs[0].red is None
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n" in answer_to(offer(with_red(lines)))


def test_the_offers_own_first_codec_stays_the_one_that_is_sent_whatever_red_there_is():
    text = offer(
        with_red().replace("111 63 0\r", "0 63 111\r").replace("a=rtpmap:111", "a=rtpmap:0 PCMU/8000\r\na=rtpmap:111")
    )
    plans = plan_media(parse_offer(text), guess_kinds(parse_offer(text), {}), viewer=False)
    assert plans[0].codec is not None and plans[0].codec.id is CodecId.PCMU


def test_the_answer_has_the_offers_lines_in_order_and_rejects_what_is_unknown():
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + TRANSPORT + "a=mid:2\r\na=sctp-port:5000\r\n"
    text = answer_to(offer(AUDIO, video(VP8 + H264), data))
    lines = [line for line in text.split("\r\n") if line.startswith("m=")]
    assert lines == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    assert "a=group:BUNDLE 0 1\r\n" in text and text.count("a=setup:active") == 2
    assert text.count("a=ssrc-group:FID 11 12") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=0",
        "v=0\r\n" + "a=x\r\n" * 2000,
        "v=0\r\n" + "a" * (MAX_BYTES + 1),
        offer(*[AUDIO] * 9),
        offer(AUDIO, AUDIO),
        offer(AUDIO).replace("a=ice-ufrag:abcd\r\n", ""),
        offer(AUDIO).replace("x" * 24, "short"),
        offer(AUDIO).replace(FINGERPRINT, ""),
        offer(AUDIO).replace("a=mid:0", "a=mid:" + "9" * 40),
        offer(AUDIO).replace("UDP/TLS/RTP/SAVPF 111 0", "UDP/TLS/RTP/SAVPF 111 72"),
        offer(AUDIO).replace("opus/48000/2", "opus/fast"),
        offer(AUDIO, video(VP8)).replace("a=group:BUNDLE 0 1\r\n", ""),
        offer(AUDIO + "a=rtpmap:96 X/1\r\n" * 65),
    ],
)
def test_what_cannot_be_answered_is_a_bad_offer(text):
    with pytest.raises(BadOffer):
        parse_offer(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutants_raise_nothing_else(data):
    """Lines dropped, doubled, swapped, characters changed: an answer, or one of the two errors with a status."""
    lines = offer(AUDIO, video(VP8 + H264)).split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        what = data.draw(st.sampled_from(["drop", "double", "cut", "noise"]))
        if what == "drop" and len(lines) > 1:
            del lines[at]
        elif what == "double":
            lines.insert(at, lines[at])
        elif what == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, max(0, len(lines[at]))))]
        else:
            lines[at] = lines[at][:2] + data.draw(st.text(max_size=12)) + lines[at][4:]
    with contextlib.suppress(BadOffer, NotAcceptable):
        answer_to("\r\n".join(lines))


def test_candidates_are_filtered():
    line = "candidate:1 1 udp 2113937151 {} 50000 typ host"
    assert parse_candidate(line.format("192.168.1.7")) is not None
    for address in ("224.0.0.1", "169.254.169.254", "0.0.0.0", "fe80::1", "abc.local"):
        assert parse_candidate(line.format(address)) is None
    assert parse_candidate(line.format("192.168.1.7").replace("udp", "tcp")) is None
    for wrong in ("candidate:1", "x" * 600, "candidate:1 1 udp x 10.0.0.1 y typ host"):
        with pytest.raises(BadRequest):
            parse_candidate(wrong)


def test_media_kind_of_data_channels_is_none():
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + TRANSPORT + "a=mid:1\r\n"
    assert [m.kind for m in parse_offer(offer(AUDIO, data)).media] == [MediaKind.AUDIO, None]


def test_a_line_that_ended_is_nobodys_camera():
    """A browser that stopped its camera's transceiver offers the next one on a line of its own."""
    ended = video(VP8).replace("m=video 9", "m=video 0")
    parsed = parse_offer(offer(AUDIO, ended, video(VP8, "2")))
    for tracks in ({}, {"1": SourceKind.CAMERA}):
        kinds = guess_kinds(parsed, tracks)
        assert kinds == {"0": SourceKind.MICROPHONE, "2": SourceKind.CAMERA}


def test_only_a_line_that_ended_may_be_used_anew():
    before = parse_offer(offer(AUDIO, video(VP8).replace("m=video 9", "m=video 0")))
    recycled = parse_offer(offer(AUDIO, video(VP8, "7")).replace("BUNDLE 0 1", "BUNDLE 0 7"))
    assert continues(before, recycled) and not continues(recycled, before)
    assert not continues(before, parse_offer(offer(AUDIO)))


def test_a_data_channel_that_carries_the_bundle_is_not_rejected():
    """Where it was made before the media it comes first; libwebrtc refuses an answer that rejects the first line."""
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + TRANSPORT + "a=mid:0\r\na=sctp-port:5000\r\n"
    text = answer_to(offer(data, AUDIO.replace("a=mid:0", "a=mid:1"), video(VP8, "2")))
    assert "a=group:BUNDLE 0 1 2\r\n" in text
    section = text[text.index("m=application 9 UDP/DTLS/SCTP webrtc-datachannel") : text.index("m=audio")]
    assert "a=sctp-port:5000" in section and "a=ice-ufrag:" in section and "a=setup:active" in section


def chosen(codecs: str, level: int) -> CodecId:
    parsed = parse_offer(offer(AUDIO, video(codecs)))
    plan = plan_media(parsed, guess_kinds(parsed, {}), viewer=False, level=level)[1]
    assert plan.codec is not None
    return plan.codec.id


def test_h264_is_sent_to_decoders_that_take_its_level():
    """H264 here is offered with level 3.1: 1280x720 at 30, not 1920x1080."""
    assert chosen(H264 + VP8, 31) is CodecId.H264 and chosen(H264 + VP8, 40) is CodecId.VP8
    assert chosen(H264, 40) is CodecId.H264, "the mixer gives it a smaller picture"
    more = H264.replace("profile-level-id=42001f", "profile-level-id=42001f;max-recv-level=e02a")
    assert chosen(more + VP8, 42) is CodecId.H264
    assert chosen(H264.replace("42001f", "42001g") + VP8, 0) is CodecId.VP8, "a level that is none"


def answered(text: str) -> str:
    parsed = parse_offer(text)
    plans = plan_media(parsed, guess_kinds(parsed, {}), viewer=False)
    return write_answer(
        parsed,
        plans,
        {"0": Streams(1, 2), "1": Streams(3, 4)},
        cname="c",
        ice=parsed.ice,
        candidates=[],
        fingerprints=[],
        active=True,
        session_id=1,
        version=1,
    )


def test_reduced_size_rtcp_is_answered_where_it_was_offered():
    text = offer(AUDIO, video(VP8))
    assert "rtcp-rsize" not in answered(text) and answered(text).count("a=rtcp-mux") == 2
    assert answered(text.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-rsize\r\n")).count("a=rtcp-rsize") == 2


def test_lines_without_rtcp_mux_are_not_taken():
    with pytest.raises(NotAcceptable, match="rtcp-mux"):
        answered(offer(AUDIO, video(VP8)).replace("a=rtcp-mux\r\n", ""))
    one = answered(offer(AUDIO, video(VP8).replace("a=rtcp-mux\r\n", "")))
    assert "m=video 0 " in one and "m=audio 9 " in one
