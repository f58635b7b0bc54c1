"""The rooms and the API without media: an edge and a mixer that only note what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from mixdown.codecs.encoded import CodecId, TierName
from mixdown.mcu.api.auth import OpenListener
from mixdown.mcu.api.services import Services
from mixdown.mcu.app import create_app
from mixdown.mcu.config import Settings
from mixdown.mcu.edge.types import JoinAnswer, JoinRequest, PeerReport, PeerState, PeerStateChanged
from mixdown.mcu.errors import BadOffer
from mixdown.mcu.link.messages import Reply, Request, RoomDocument, SourceKind, ToMixer
from mixdown.mcu.rooms.news import MixerNews
from mixdown.mcu.rooms.store import Store
from mixdown.mcu.wiring import assemble, bring_back

SECRET = "the-admin-secret"
NO_TILES = {"tick": 7, "rtp_time": 21_000, "settled": True, "tiles": [], "hidden": []}


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class NotingMixer:
    """answer: what a Request is replied to with, None for no reply."""

    def __init__(self) -> None:
        self.sent: list[ToMixer] = []
        self.answer: Callable[[Request], Reply | None] = lambda request: Reply(request.id, dict(NO_TILES))
        self.deliver: Callable[[Any], None] = lambda message: None

    def send(self, message: ToMixer) -> None:
        self.sent.append(message)
        if isinstance(message, Request) and (reply := self.answer(message)) is not None:
            asyncio.get_running_loop().call_soon(self.deliver, reply)

    def document(self, room: str) -> RoomDocument:
        """The newest of a room."""
        return [m for m in self.sent if isinstance(m, RoomDocument) and m.id == room][-1]


class NotingEdge:
    """Takes every offer but those that begin with `bad`. gate: what a join waits for, once it is set."""

    def __init__(self) -> None:
        self.joins: list[JoinRequest] = []
        self.left: list[str] = []
        self.views: list[tuple[str, str, TierName]] = []
        self.candidates: list[str] = []
        self.ended: list[tuple[str, SourceKind]] = []
        self.peers: dict[str, JoinRequest] = {}
        self.gate: asyncio.Event | None = None
        self.on_state: Callable[[PeerStateChanged], None] = lambda change: None

    async def join(self, request: JoinRequest) -> JoinAnswer:
        if self.gate:
            await self.gate.wait()
        if request.sdp.startswith("bad"):
            raise BadOffer("No m= line.")
        self.joins.append(request)
        self.peers[request.participant] = request
        return JoinAnswer("answer", CodecId.OPUS, CodecId.VP8, (SourceKind.MICROPHONE, SourceKind.CAMERA))

    def tell(self, participant: str, state: PeerState, epoch: int | None = None) -> None:
        request = self.peers[participant]
        if state is PeerState.DISCONNECTED:
            del self.peers[participant]
        self.on_state(PeerStateChanged(request.room, participant, request.epoch if epoch is None else epoch, state))

    async def renegotiate(self, participant: str, sdp: str) -> JoinAnswer:
        return JoinAnswer("answer 2", CodecId.OPUS, CodecId.VP8, (SourceKind.MICROPHONE,))

    async def add_candidates(self, participant: str, candidates: Sequence[str]) -> None:
        self.candidates.extend(candidates)

    async def leave(self, participant: str) -> None:
        self.left.append(participant)
        self.peers.pop(participant, None)

    def set_view(self, participant: str, view: str, tier: TierName) -> None:
        self.views.append((participant, view, tier))

    def end_source(self, participant: str, kind: SourceKind) -> bool:
        self.ended.append((participant, kind))
        return True

    def report(self, participant: str) -> PeerReport | None:
        if participant not in self.peers:
            return None
        codecs = (CodecId.OPUS, CodecId.VP8, TierName.FULL)
        return PeerReport(PeerState.CONNECTED, *codecs, 0.01, 20.0, None, 30, 0, 0, 0, 0)

    def counters(self) -> dict[str, int]:
        return {}

    def cpu(self, room: str) -> tuple[float, float]:
        return (0.0, 0.0)


class House:
    """A server without media and those who ask it. admin, anybody: clients on the open and on the other listener."""

    def __init__(self, services: Services, edge: NotingEdge, mixer: NotingMixer, clock: Clock) -> None:
        self.services = services
        self.edge = edge
        self.mixer = mixer
        self.clock = clock
        self.admin: httpx2.AsyncClient
        self.anybody: httpx2.AsyncClient
        self.app: Any = None

    async def join(self, name: str = "Ada", room: str = "demo", *, connect: bool = True, **more: Any) -> dict[str, Any]:
        body = {"name": name, "sdp": "offer", "type": "offer", **more}
        answer = await self.admin.post(f"/v1/rooms/{room}/participants", json=body)
        assert answer.status_code == 201, answer.text
        joined: dict[str, Any] = answer.json()
        if connect:
            self.edge.tell(joined["id"], PeerState.CONNECTED)
        return joined

    async def sweep(self) -> None:
        await self.services.presence.sweep()
        self.services.registry.sweep()

    def events(self, room: str = "demo") -> list[dict[str, Any]]:
        """From now on; the list grows."""
        log = self.services.registry.get(room).events
        noted: list[dict[str, Any]] = []
        publish = log._on_event
        log._on_event = lambda event: (noted.append(event), publish(event))[1]
        return noted


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def house(data: Path, **settings: Any) -> AsyncIterator[House]:
    """Ends as a server does: what it kept is in `data`."""
    chosen = Settings(data_dir=data, **settings)
    edge, mixer, clock = NotingEdge(), NotingMixer(), Clock()
    made: list[House] = []

    @asynccontextmanager
    async def parts(settings: Settings) -> AsyncIterator[Services]:
        store = Store(data / "rooms.db")
        services = assemble(settings, store, mixer, SECRET)
        services.registry.clock = clock
        mixer.deliver = MixerNews(services.registry, services.requests).handle
        edge.on_state = services.presence.on_state
        services.presence.attach(edge)
        bring_back(services)
        made.append(House(services, edge, mixer, clock))
        yield services
        services.registry.close()
        store.close()

    app = create_app(chosen, parts)
    async with app.router.lifespan_context(app):
        here = made[0]
        here.app = app
        local = httpx2.ASGITransport(OpenListener(app))
        lan = httpx2.ASGITransport(app)
        async with (
            httpx2.AsyncClient(transport=local, base_url="http://localhost:8080") as here.admin,
            httpx2.AsyncClient(transport=lan, base_url="https://192.0.2.7:8443") as here.anybody,
        ):
            yield here
