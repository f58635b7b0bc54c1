"""The edge: all peers of this process, between the rooms that ask for them and the mixer that feeds them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiortc import RTCCertificate

from mixdown.codecs.encoded import EncodedFrame, MediaKind, TierName
from mixdown.mcu import clock
from mixdown.mcu.edge.addresses import is_local
from mixdown.mcu.edge.aiortc_private import Transport
from mixdown.mcu.edge.answer import MediaPlan, plan_media, write_answer
from mixdown.mcu.edge.fanout import FanOut
from mixdown.mcu.edge.half_open import HalfOpen
from mixdown.mcu.edge.liveness import Vital
from mixdown.mcu.edge.meter import Meters
from mixdown.mcu.edge.offer import Offer, guess_kinds, parse_candidate, parse_offer
from mixdown.mcu.edge.peer import CLOSE_DEADLINE, Peer
from mixdown.mcu.edge.types import (
    EdgeConfig,
    JoinAnswer,
    JoinRequest,
    PeerReport,
    PeerState,
    PeerStateChanged,
    PeerTierChanged,
)
from mixdown.mcu.errors import BadOffer, BadRequest, Conflict, NotFound, Unavailable
from mixdown.mcu.link.messages import MixerPort, Route, SourceKind, SourceWanted, StreamEnded, ToEdge

POLL_INTERVAL = 0.02
"Seconds between two rounds of repairs and reports. No round while there is no peer."
MAX_CANDIDATES_A_CALL = 20


class Edge:
    """Lives on one event loop; nothing here is thread safe. on_state: told of each peer's changes, on the loop;
    on_tier: of another step of its picture that its line made necessary, or possible."""

    def __init__(self, mixer: MixerPort, config: EdgeConfig, on_state: Callable[[PeerStateChanged], None]) -> None:
        self._mixer = mixer
        self._config = config
        self._on_state = on_state
        self.on_tier: Callable[[PeerTierChanged], None] = lambda change: None
        self._peers: dict[str, Peer] = {}
        self._certificate = RTCCertificate.generateCertificate()
        self._counters: Counter[str] = Counter()
        self._meters = Meters()
        self._fanout = FanOut(self._meters, self._counters)
        self._half_open = HalfOpen(config.max_half_open, config.max_half_open_per_caller, self._counters)
        self._parser = ThreadPoolExecutor(1, "mixdown-sdp")
        self._tasks: set[asyncio.Task[None]] = set()
        self._poller: asyncio.Task[None] | None = None
        self._closed = False

    # ---- joining -----------------------------------------------------------------------------------------------

    async def join(self, request: JoinRequest) -> JoinAnswer:
        """Answers an offer. An earlier peer of the same participant is closed once the new one is made.

        Raises BadOffer, NotAcceptable, TooMany, Unavailable.
        """
        self._half_open.enter(request.caller)
        try:
            offer, red = await self._parse(request.sdp), self._config.opus_red
            plans = plan_media(
                offer, guess_kinds(offer, request.tracks), viewer=request.viewer, red=red, level=request.level
            )
            transport = await self._transport(request.caller)
            peer = Peer(request, offer, transport, self._mixer, self._counters, self._meters.room(request.room))
            peer.bandwidth.on_change = partial(self._on_tier, peer)
            peer.bandwidth.on_drained = partial(self._resubscribe, peer)
            transport.set_role(client=peer.active)
            peer.lines.plan(plans)
            answer = self._answer(peer, offer, plans)
        except BaseException:
            self._half_open.leave(request.caller)
            raise
        earlier = self._peers.pop(request.participant, None)
        self._peers[request.participant] = peer
        if earlier is not None:  # not waited for: a caller who goes meanwhile would leave rooms and edge at odds
            self._spawn(self._dispose(earlier))
        self._spawn(self._connect(peer))
        return answer

    async def _parse(self, sdp: str) -> Offer:
        """Off the loop: the largest offer that is allowed takes some ms."""
        return await asyncio.get_running_loop().run_in_executor(self._parser, parse_offer, sdp)

    async def _transport(self, caller: str) -> Transport:
        """Its sockets bound. Raises Unavailable if no port is free: an answer without candidates helps nobody."""
        transport = Transport(self._config, self._certificate, self._counters, loopback=is_local(caller))
        await transport.gatherer.gather()
        if not transport.gatherer.getLocalCandidates():
            await transport.ice_transport.stop()
            raise Unavailable("No UDP port is free for another connection.", retry_after=5)
        return transport

    def _answer(self, peer: Peer, offer: Offer, plans: tuple[MediaPlan, ...]) -> JoinAnswer:
        transport = peer.transport
        peer.answers += 1
        sdp = write_answer(
            offer,
            plans,
            peer.lines.streams,
            cname=peer.cname,
            ice=transport.gatherer.getLocalParameters(),
            candidates=transport.gatherer.getLocalCandidates(),
            fingerprints=transport.dtls.getLocalParameters().fingerprints,
            active=peer.active,
            session_id=peer.session_id,
            version=peer.answers,
        )
        audio, video = peer.lines.sent_codec(MediaKind.AUDIO), peer.lines.sent_codec(MediaKind.VIDEO)
        return JoinAnswer(sdp, audio, video, tuple(r.kind for r in peer.lines.receivers.values()))

    async def _connect(self, peer: Peer) -> None:
        """Takes a peer through ICE and DTLS, or frees it at the deadline."""
        try:
            self._tell(peer, PeerState.CONNECTING)
            deadline = self._config.join_deadline
            await asyncio.wait_for(
                peer.connect(peer.offer.candidates, complete=peer.offer.candidates_complete), deadline
            )
        except (TimeoutError, ConnectionError) as error:
            self._counters["joins_failed" if isinstance(error, ConnectionError) else "joins_timed_out"] += 1
            await self._lose(peer)
        except Exception:  # noqa: BLE001 - one peer's transport must not take the others along
            self._counters["join_exceptions"] += 1
            await self._lose(peer)
        else:
            if not peer.closed:
                self._counters["joins"] += 1
                self._tell(peer, PeerState.CONNECTED)
                self._ensure_polling()
        finally:
            self._half_open.leave(peer.request.caller)

    async def renegotiate(self, participant: str, sdp: str) -> JoinAnswer:
        """Answers a further offer of a peer: lines added, directions changed. Raises NotFound, BadOffer, NotAcceptable,
        and Conflict for an ICE restart (join anew with the token instead)."""
        peer = self._peer(participant)
        offer = await self._parse(sdp)
        if offer.ice.usernameFragment != peer.offer.ice.usernameFragment:
            raise Conflict("ICE restart is not supported: join again with the participant's token.")
        if not _continues(peer.offer, offer):
            raise BadOffer("A further offer keeps the media sections of the first, in their order.")
        tracks = {m.mid: peer.request.tracks[m.mid] for m in offer.media if m.mid in peer.request.tracks}
        kinds = guess_kinds(offer, tracks)
        request, red = peer.request, self._config.opus_red
        plans = plan_media(offer, kinds, viewer=request.viewer, red=red, level=request.level)
        peer.offer = offer
        for sender in peer.lines.plan(plans):
            self._fanout.leave(peer, sender)
        return self._answer(peer, offer, plans)

    async def add_candidates(self, participant: str, candidates: Sequence[str]) -> None:
        """Each as in `a=candidate:` (RFC 8839, 5.1); an empty one ends them. Raises NotFound, BadRequest."""
        peer = self._peer(participant)
        if len(candidates) > MAX_CANDIDATES_A_CALL:
            raise BadRequest(f"At most {MAX_CANDIDATES_A_CALL} candidates in one call.")
        for candidate in [parse_candidate(text) for text in candidates if text.strip()]:
            if candidate is not None:
                await peer.transport.ice_transport.addRemoteCandidate(candidate)

    # ---- leaving -----------------------------------------------------------------------------------------------

    async def leave(self, participant: str) -> None:
        """Closes a peer within a deadline; unknown ones are ignored. No PeerStateChanged follows."""
        peer = self._peers.pop(participant, None)
        if peer is not None:
            await self._dispose(peer)

    async def _lose(self, peer: Peer) -> None:
        """A peer that ended by itself: freed, and the rooms are told."""
        if self._peers.get(peer.request.participant) is peer:
            del self._peers[peer.request.participant]
        told = not peer.closed
        await self._dispose(peer)
        if told:
            self._tell(peer, PeerState.DISCONNECTED)

    async def _dispose(self, peer: Peer) -> None:
        self._fanout.forget(peer)
        await peer.close()
        if not any(other.request.room == peer.request.room for other in self._peers.values()):
            self._meters.forget(peer.request.room)

    async def close(self) -> None:
        """Every peer, in parallel, and every task."""
        self._closed = True
        peers, self._peers = list(self._peers.values()), {}
        await asyncio.gather(*(self._dispose(peer) for peer in peers))
        tasks = list(self._tasks)
        if tasks:  # one that frees a lost peer must not be cut short: its sockets would stay open
            await asyncio.wait(tasks, timeout=2 * CLOSE_DEADLINE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._parser.shutdown(wait=False)

    # ---- what goes on ------------------------------------------------------------------------------------------

    def set_view(self, participant: str, view: str, tier: TierName) -> None:
        """Subscribes a peer's picture anew, at the tier or at what its line carries of it."""
        peer = self._peers.get(participant)
        if peer is None:
            return
        peer.lines.view = view
        peer.bandwidth.choose(tier)
        self._resubscribe(peer)

    def _resubscribe(self, peer: Peer) -> None:
        """The old picture plays on until the new one's first key frame, but ends at once where the line cannot carry
        it, or where sound alone is wanted: the mixer ends a stream only when nobody else watches it. While the line has
        yet to carry what is queued on it, there is no picture at all; the mixer hears nothing of that, or it would stop
        decoding where nobody else watches."""
        sender = peer.senders.get(MediaKind.VIDEO)
        if not peer.connected or sender is None:
            return
        if not peer.wants(MediaKind.VIDEO):
            self._fanout.leave(peer, sender)
        elif peer.bandwidth.starved:
            sender.current = None
        if not peer.bandwidth.draining:
            peer.lines.subscribe(MediaKind.VIDEO)

    def _on_tier(self, peer: Peer) -> None:
        """A peer's line became too thin for what it was sent, or wide enough for more."""
        self._resubscribe(peer)
        request, limit = peer.request, peer.bandwidth.limited_by.value
        self.on_tier(PeerTierChanged(request.room, request.participant, request.epoch, peer.lines.tier, limit))

    def end_source(self, participant: str, kind: SourceKind) -> bool:
        """Ends a screen share (or another source) from this side, at once. Whether there was one."""
        peer = self._peers.get(participant)
        return peer is not None and peer.lines.end_source(kind)

    def handle(self, message: ToEdge) -> None:
        """Takes what comes from the mixer, on the event loop, in order."""
        if isinstance(message, EncodedFrame):
            self._fanout.send(message)
        elif isinstance(message, Route):
            peer = self._peers.get(message.subscriber)
            if peer is not None:
                self._fanout.route(peer, message)
        elif isinstance(message, StreamEnded):
            self._fanout.end(message.stream)
        elif (owner := self._owner(message.source)) is None:
            self._counters["wants_of_nobody"] += 1
        elif isinstance(message, SourceWanted):
            owner.want(message.source, message.height)
        else:
            owner.want_key_frame(message.source)

    def _owner(self, source: str) -> Peer | None:
        for kind_suffix in ("-camera", "-screen"):
            peer = self._peers.get(source.removesuffix(kind_suffix))
            if peer is not None:
                return peer
        return None

    def report(self, participant: str) -> PeerReport | None:
        peer = self._peers.get(participant)
        if peer is None:
            return None
        return PeerReport(
            state=peer.state,
            audio=peer.lines.sent_codec(MediaKind.AUDIO),
            video=peer.lines.sent_codec(MediaKind.VIDEO),
            tier=peer.lines.tier,
            limited_by=peer.bandwidth.limited_by.value,
            loss=peer.control.loss,
            rtt_ms=peer.control.rtt * 1000 if peer.control.rtt is not None else None,
            remb_bps=peer.control.remb,
            level_dbov=peer.level,
            packets_sent=peer.sent[0],
            bytes_sent=peer.sent[1],
            packets_received=peer.received[0],
            bytes_received=peer.received[1],
        )

    def counters(self) -> dict[str, int]:
        """Everything that was dropped, survived or refused, by reason, since the start; for /metrics."""
        return dict(self._counters) | {"packets_fanned_out": self._fanout.packets}

    def cpu(self, room: str) -> tuple[float, float]:
        """CPU seconds spent so far on receiving from and sending to a room's peers, apportioned by packets."""
        return self._meters.cpu(room)

    @property
    def peers(self) -> int:
        return len(self._peers)

    # ---- housekeeping ------------------------------------------------------------------------------------------

    def _ensure_polling(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = self._spawn(self._poll())

    async def _poll(self) -> None:
        while self._peers and not self._closed:
            now = clock.now()
            for peer in list(self._peers.values()):
                if not peer.connected:
                    continue
                try:
                    self._look_after(peer, now)
                except Exception:  # noqa: BLE001 - one peer's state must not stop the others' reports
                    self._counters["poll_exceptions"] += 1
            await asyncio.sleep(POLL_INTERVAL)

    def _look_after(self, peer: Peer, now: float) -> None:
        away = peer.away
        vital = peer.judge(now)
        if peer.ended or vital is Vital.GONE:
            self._counters["peers_lost"] += 1
            self._spawn(self._lose(peer))
            return
        peer.poll(now)
        if vital is Vital.AWAY and not away:
            self._counters["peers_away"] += 1
            self._tell(peer, PeerState.DISCONNECTED)
        elif vital is Vital.LIVE and away:
            self._counters["peers_back"] += 1
            self._tell(peer, PeerState.CONNECTED)
            peer.resume()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _tell(self, peer: Peer, state: PeerState) -> None:
        request = peer.request
        self._on_state(PeerStateChanged(request.room, request.participant, request.epoch, state))

    def _peer(self, participant: str) -> Peer:
        peer = self._peers.get(participant)
        if peer is None:
            raise NotFound("This participant has no connection.")
        return peer


def _continues(before: Offer, offer: Offer) -> bool:
    """Whether a further offer keeps the media sections, in their order; one that was rejected may be used anew for
    another mid (RFC 8829, 5.2.2)."""
    if len(offer.media) < len(before.media):
        return False
    pairs = zip(before.media, offer.media, strict=False)
    return all(old.rejected or old.mid == new.mid for old, new in pairs)
