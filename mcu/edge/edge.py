"""The edge's face to the rooms. PLACEHOLDER until the transport lands; the signatures below hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mixdown.codecs.encoded import EncodedFrame, TierName
from mixdown.mcu.edge.types import EdgeConfig, JoinAnswer, JoinRequest, PeerReport, PeerStateChanged
from mixdown.mcu.link.messages import MixerPort, Route, SourceKeyFrameWanted, StreamEnded


class Edge:
    """All peers of this process. Lives on one event loop; nothing here is thread safe."""

    def __init__(self, mixer: MixerPort, config: EdgeConfig, on_state: Callable[[PeerStateChanged], None]) -> None:
        raise NotImplementedError

    async def join(self, request: JoinRequest) -> JoinAnswer:
        """Answers an offer. A peer of the same participant with an older epoch is closed once the new one is made.

        Raises BadOffer, NotAcceptable, TooMany.
        """
        raise NotImplementedError

    async def renegotiate(self, participant: str, sdp: str) -> JoinAnswer:
        """Answers a further offer of a peer. Raises NotFound, BadOffer, NotAcceptable."""
        raise NotImplementedError

    async def add_candidates(self, participant: str, candidates: Sequence[str]) -> None:
        """Each as in `a=candidate:` (RFC 8839, 5.1). Raises NotFound, BadRequest."""
        raise NotImplementedError

    async def leave(self, participant: str) -> None:
        """Closes a peer within a deadline; unknown ones are ignored. No PeerStateChanged follows."""
        raise NotImplementedError

    def set_view(self, participant: str, view: str, tier: TierName) -> None:
        """Subscribes a peer's picture anew; the old one plays on until the new one's first key frame."""
        raise NotImplementedError

    def report(self, participant: str) -> PeerReport | None:
        raise NotImplementedError

    def counters(self) -> dict[str, int]:
        """Everything that was dropped, survived or refused, by reason, since the start; for /metrics."""
        raise NotImplementedError

    def cpu(self, room: str) -> tuple[float, float]:
        """CPU seconds spent so far on receiving from and sending to a room's peers, apportioned by packets."""
        raise NotImplementedError

    def handle(self, message: EncodedFrame | Route | StreamEnded | SourceKeyFrameWanted) -> None:
        """Takes what comes from the mixer, on the event loop, in order."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
