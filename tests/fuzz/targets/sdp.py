"""Offers: BadOffer or NotAcceptable and nothing else, and an answer that is as well formed as ours always are."""

from __future__ import annotations

import contextlib

from aiortc import RTCDtlsFingerprint, RTCIceParameters
from aiortc import sdp as rtcsdp

from mixdown.mcu.edge.answer import Streams, plan_media, write_answer
from mixdown.mcu.edge.offer import MAX_CANDIDATES, MAX_MEDIA, Offer, guess_kinds, parse_offer
from mixdown.mcu.errors import BadOffer, NotAcceptable

KNOWN_LINES = ("v=", "o=", "s=", "t=", "m=", "c=", "a=")


def run(data: bytes) -> None:
    with contextlib.suppress(BadOffer, NotAcceptable):
        offer = parse_offer(data.decode("utf-8", "surrogateescape"))
        assert 1 <= len(offer.media) <= MAX_MEDIA and len(offer.candidates) <= MAX_CANDIDATES
        _answer(offer)


def _answer(offer: Offer) -> None:
    plans = plan_media(offer, guess_kinds(offer, {}), viewer=False)
    sent = {plan.media.mid: Streams(1, 2) for plan in plans if plan.sends}
    text = write_answer(
        offer, plans, sent, cname="mixdown-x", ice=RTCIceParameters("abcd", "x" * 24), candidates=[],
        fingerprints=[RTCDtlsFingerprint("sha-256", "AB")], active=True, session_id=1, version=1,
    )  # fmt: skip
    lines = text.split("\r\n")
    assert lines[-1] == "" and all(line.startswith(KNOWN_LINES) for line in lines[:-1]), "an injected line"
    assert not any(character in text.replace("\r\n", "") for character in "\r\n\0"), "an injected line end"
    assert sum(line.startswith("m=") for line in lines) == len(offer.media)
    assert len(rtcsdp.SessionDescription.parse(text).media) == len(offer.media)
