"""What the API's calls work on, found by way of the app's state."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from prometheus_client import CollectorRegistry
from starlette.requests import HTTPConnection

from mixdown.mcu.api.callers import Guesses, Network
from mixdown.mcu.clock import now
from mixdown.mcu.edge.types import IceServer
from mixdown.mcu.errors import Unavailable
from mixdown.mcu.observe.metrics import Readings
from mixdown.mcu.observe.stats import StatsCollector
from mixdown.mcu.rooms.layouts import Layouts
from mixdown.mcu.rooms.presence import Presence
from mixdown.mcu.rooms.registry import Registry
from mixdown.mcu.rooms.requests import MixerRequests

SESSION_SECONDS = 12 * 3600.0
MAX_SESSIONS = 256
"Admins' browsers at once; the oldest session ends first."


class Sessions:
    """Admins' cookies. They end with the server."""

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def open(self) -> str:
        if len(self._until) >= MAX_SESSIONS:
            del self._until[next(iter(self._until))]
        session = secrets.token_urlsafe(32)
        self._until[session] = self._clock() + SESSION_SECONDS
        return session

    def valid(self, session: str) -> bool:
        return self._until.get(session, 0.0) > self._clock()

    def close(self, session: str) -> None:
        self._until.pop(session, None)


@dataclass(slots=True)
class Services:
    """admin_secret: None if every call is open. trusted_proxies: whose X-Forwarded-For is believed. ready: all parts
    are up. responses: by HTTP status.
    ice_servers: what pages are told to use; turn_lifetime: seconds that logins made for them are good for.
    lan_urls: where the local network finds this server now."""

    registry: Registry
    presence: Presence
    requests: MixerRequests
    stats: StatsCollector
    layouts: Layouts
    readings: Readings = field(default_factory=Readings)
    admin_secret: str | None = None
    open_join: bool = True
    ice_servers: tuple[IceServer, ...] = ()
    turn_lifetime: int = 86_400
    sessions: Sessions = field(default_factory=Sessions)
    guesses: Guesses = field(default_factory=Guesses)
    trusted_proxies: tuple[Network, ...] = ()
    responses: Counter[int] = field(default_factory=Counter)
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    ready: bool = False
    lan_urls: Callable[[], tuple[str, ...]] = tuple


def services(connection: HTTPConnection) -> Services:
    """Raises Unavailable while the server is starting or stopping."""
    known = getattr(connection.app.state, "services", None)
    if not isinstance(known, Services):
        raise Unavailable("The server is starting or stopping.", retry_after=1)
    return known


Known = Annotated[Services, Depends(services)]
