"""Who makes a call: bearer tokens, the admin's cookie, and the listener on loopback that is open."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from mixdown.mcu.api.callers import caller_of
from mixdown.mcu.api.services import Services, services
from mixdown.mcu.errors import Forbidden, NotAuthorised
from mixdown.mcu.rooms.policy import ADMIN, ANYBODY, Actor, Rank
from mixdown.mcu.rooms.tokens import same

OPEN = "mixdown.open"
"Key of the ASGI scope: the connection came over the listener that needs no secret."
COOKIE = "mixdown_session"
SUBPROTOCOL = "bearer."
_LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))


@dataclass(frozen=True, slots=True)
class OpenListener:
    """ASGI middleware around the app on the one listener whose callers are the machine's own users."""

    app: ASGIApp
    hosts: frozenset[str] = field(default=frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[OPEN] = self.hosts | _LOCAL_NAMES
        await self.app(scope, receive, send)


def identify(connection: HTTPConnection, known: Services) -> Actor:
    """Raises NotAuthorised for a token that is none, TooMany after too many, Forbidden for a stranger's page in a local
    user's browser."""
    token = _bearer(connection)
    if token is not None:
        return _by_token(token, caller_of(connection, known.trusted_proxies), known)
    session = connection.cookies.get(COOKIE)
    if session and known.sessions.valid(session):
        _require_own_page(connection)
        return ADMIN
    if _is_open(connection):
        _require_own_page(connection)
        return ADMIN
    return ANYBODY


def _by_token(token: str, caller: str, known: Services) -> Actor:
    """A participant's token is too long to be guessed, so it holds wherever others guess from the same address."""
    found = known.presence.whose(token)
    if found is not None:
        room, participant = found
        return Actor(Rank.MEMBER, room.id, participant.id, participant.role)
    known.guesses.check(caller)
    if known.admin_secret and same(token, known.admin_secret):
        return ADMIN
    known.guesses.wrong(caller)
    raise NotAuthorised("This token is not known here.")


def _bearer(connection: HTTPConnection) -> str | None:
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    offered = subprotocol(connection)
    return offered.removeprefix(SUBPROTOCOL) if offered else None


def subprotocol(connection: HTTPConnection) -> str | None:
    """The `bearer.<token>` among the subprotocols that a WebSocket offers; a browser can send no header there."""
    offered = connection.scope.get("subprotocols", ())
    return next((name for name in offered if name.startswith(SUBPROTOCOL)), None)


def _is_open(connection: HTTPConnection) -> bool:
    """A forwarded call comes from a proxy: whoever is behind it is not on this machine."""
    hosts = connection.scope.get(OPEN)
    if hosts is None or "forwarded" in connection.headers or "x-forwarded-for" in connection.headers:
        return False
    host = _host_name(connection.headers.get("host", ""))
    if host not in hosts:
        # a name that a stranger's DNS points at 127.0.0.1 ("DNS rebinding") is not ours
        raise Forbidden(f"This server is not called {host!r}. Add the name to allowed_hosts if it is.")
    return True


def _require_own_page(connection: HTTPConnection) -> None:
    """A right that comes without a token is for our own pages and for programs, not for other pages' scripts."""
    origin = connection.headers.get("origin")
    if origin is not None and _net_location(origin) != connection.headers.get("host", "").lower():
        raise Forbidden("A page of another origin may not call this server.")
    if connection.headers.get("sec-fetch-site") == "cross-site" and connection.scope.get("method") not in (
        "GET",
        "HEAD",
    ):
        raise Forbidden("A page of another site may not call this server.")


def is_local_name(host: str) -> bool:
    """Whether only this machine is called so, from its own point of view."""
    return host in _LOCAL_NAMES


def _host_name(host: str) -> str:
    """Host header without its port; '' if it cannot be read."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return str(ipaddress.ip_address(name)) if ":" in name else name
    except ValueError:
        return ""


def _net_location(origin: str) -> str | None:
    """Host and port of an Origin header; None if it cannot be read."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def current_actor(connection: HTTPConnection, known: Annotated[Services, Depends(services)]) -> Actor:
    return identify(connection, known)


Who = Annotated[Actor, Depends(current_actor)]
