"""What the rooms need of the edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.types import JoinAnswer, JoinRequest, PeerReport
from mixdown.mcu.link.messages import SourceKind


class EdgePort(Protocol):
    """`mcu.edge.edge.Edge`, as far as the rooms and the API see it."""

    async def join(self, request: JoinRequest) -> JoinAnswer: ...

    async def renegotiate(self, participant: str, sdp: str) -> JoinAnswer: ...

    async def add_candidates(self, participant: str, candidates: Sequence[str]) -> None: ...

    async def leave(self, participant: str) -> None: ...

    def set_view(self, participant: str, view: str, tier: TierName) -> None: ...

    def end_source(self, participant: str, kind: SourceKind) -> bool: ...

    def report(self, participant: str) -> PeerReport | None: ...

    def counters(self) -> dict[str, int]: ...

    def cpu(self, room: str) -> tuple[float, float]: ...
