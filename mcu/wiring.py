"""The parts of one server, wired: link, engine and edge, the rooms, and the housekeeping."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from mixdown.codecs import noise
from mixdown.mcu.api.callers import Guesses
from mixdown.mcu.api.services import Services
from mixdown.mcu.config import Settings
from mixdown.mcu.datadir import DataDir
from mixdown.mcu.edge.edge import Edge
from mixdown.mcu.engine.engine import Engine
from mixdown.mcu.link.inprocess import InProcessLink
from mixdown.mcu.link.messages import FromMixerHandlers, MixerPort
from mixdown.mcu.observe.metrics import Readings, new_registry
from mixdown.mcu.observe.stats import StatsCollector
from mixdown.mcu.rooms.layouts import Layouts
from mixdown.mcu.rooms.news import MixerNews
from mixdown.mcu.rooms.presence import Presence
from mixdown.mcu.rooms.registry import Registry, RoomLimits
from mixdown.mcu.rooms.requests import MixerRequests
from mixdown.mcu.rooms.store import Store

log = structlog.get_logger("server")

HOUSEKEEPING = 1.0
"Seconds between two looks for who is late, lost or gone."


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """Everything but HTTP: the data directory held, link, engine and edge running, the rooms back."""
    if settings.noise_suppression and not noise.available():
        log.warning("- noise suppression is set, but webrtc-noise-gain is not installed: telephones stay as they are")
    data = DataDir(settings.data_dir)
    data.hold()
    try:
        link = InProcessLink(asyncio.get_running_loop())
        engine = Engine(link.deliver, settings.engine())
        try:
            async with _rooms(settings, data, link, engine) as services:
                yield services
        finally:
            stuck = await asyncio.to_thread(engine.close)
            if stuck:
                log.warning("- threads did not end", threads=stuck)
    finally:
        data.release()


@asynccontextmanager
async def _rooms(settings: Settings, data: DataDir, link: InProcessLink, engine: Engine) -> AsyncIterator[Services]:
    errors: Counter[str] = Counter()
    store = Store(data.rooms, lambda: errors.update(["store"]))
    services = assemble(settings, store, link, data.admin_secret(_configured(settings)).value)
    edge = Edge(link, settings.edge(), services.presence.on_state)
    edge.on_tier = services.presence.on_tier
    handlers = FromMixerHandlers(edge=edge.handle, rooms=MixerNews(services.registry, services.requests).handle)
    link.attach(engine, handlers)
    services.presence.attach(edge)
    services.readings.counter("edge_events", "Dropped, survived or refused by the edge.", "reason", edge.counters)
    services.readings.counter("engine_events", "Dropped, survived or ignored by the mixer.", "reason", engine.counters)
    services.readings.counter("link_dropped", "Messages the link dropped.", "reason", lambda: handlers.dropped)
    services.readings.counter("server_errors", "Faults that were survived.", "where", lambda: errors)
    restored = bring_back(services)
    if restored:
        log.info("- rooms restored", rooms=restored)
    housekeeping = asyncio.create_task(_housekeep(services, errors), name="housekeeping")
    try:
        yield services
    finally:
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping
        services.registry.close()
        await edge.close()
        await asyncio.to_thread(store.close)


def _configured(settings: Settings) -> str | None:
    return settings.admin_secret.get_secret_value() if settings.admin_secret else None


def assemble(settings: Settings, store: Store, mixer: MixerPort, admin_secret: str | None) -> Services:
    """The rooms and what the API needs around them; the edge is attached to `presence` afterwards."""
    limits = RoomLimits(
        settings.auto_create_rooms, settings.max_rooms, settings.max_participants, settings.empty_timeout
    )
    registry = Registry(mixer, store, limits)
    presence = Presence(registry)
    requests = MixerRequests(mixer)
    stats = StatsCollector(registry, requests, lambda: presence.edge)
    presence.measured = stats.measured
    readings = Readings()
    readings.gauge("population", "Rooms and people now.", "what", lambda: _population(registry))
    guesses = Guesses()
    readings.counter("secrets", "Wrong secrets that were not even compared.", "what", guesses.counted)
    readings.counter("rooms_events", "What the rooms counted.", "what", lambda: _counted(registry, presence, requests))
    return Services(
        registry=registry,
        presence=presence,
        requests=requests,
        stats=stats,
        layouts=Layouts(store),
        readings=readings,
        metrics=new_registry(readings),
        admin_secret=admin_secret,
        open_join=settings.open_join,
        trusted_proxies=settings.trusted_proxies,
        guesses=guesses,
        ice_servers=settings.for_clients(),
        turn_lifetime=settings.turn_lifetime,
    )


def bring_back(services: Services) -> int:
    """What the store knows, before the first call. Returns the number of rooms."""
    services.layouts.restore()
    restored = services.registry.restore()
    services.presence.restore()
    return restored


def _population(registry: Registry) -> dict[str, float]:
    people = [one for room in registry for one in room.participants.values()]
    return {
        "rooms": len(registry),
        "participants": len(people),
        "connected": sum(one.state == "connected" for one in people),
        "listeners": sum(room.events.listeners for room in registry),
    }


def _counted(registry: Registry, presence: Presence, requests: MixerRequests) -> dict[str, float]:
    return {
        "events": registry.events.published,
        "listeners_too_slow": registry.events.overflowed,
        "joins_failed": presence.failed_joins,
        "states_stale": presence.stale_states,
        "mixer_timeouts": requests.timeouts,
        "mixer_replies_late": requests.late,
    }


async def _housekeep(services: Services, errors: Counter[str]) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING)
        try:
            services.stats.sample()
            await services.presence.sweep()
            services.registry.sweep()
        except Exception:
            errors["housekeeping"] += 1
            log.exception("x housekeeping")
