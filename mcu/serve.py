"""Two listeners, one event loop: http://localhost for this machine, HTTPS for the local network."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from mixdown.mcu import certificates
from mixdown.mcu.api.auth import OpenListener
from mixdown.mcu.app import create_app
from mixdown.mcu.config import Settings
from mixdown.mcu.datadir import AdminSecret, DataDir
from mixdown.mcu.errors import Conflict

log = structlog.get_logger("server")

CERTIFICATE_CHECK = 60.0
"Seconds between two looks whether the machine has other addresses by now."
GRACE = 3
"Seconds that calls under way are given at the end."
MAX_EVENT_MESSAGE = 65_536
"Bytes that a listener of events may send at once."


@dataclass(frozen=True, slots=True)
class Started:
    """What the console tells. local, lan: URLs; open: calls over `local` need no secret."""

    local: str
    lan: tuple[str, ...]
    secret: AdminSecret
    open: bool


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What HTTPS is served with. own: made and renewed by this server; else it is somebody's, and only read."""

    certificate: Path
    key: Path
    own: bool

    @classmethod
    def of(cls, settings: Settings, data: DataDir) -> TlsFiles:
        if settings.certificate is not None and settings.private_key is not None:
            return cls(settings.certificate, settings.private_key, own=False)
        return cls(data.certificate, data.key, own=True)

    def ensure(self) -> bool:
        """Whether the files were made anew just now."""
        return self.own and certificates.ensure(self.certificate, self.key)


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to us and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> list[socket.socket]:
    """Bound sockets; for 127.0.0.1 on ::1 as well, since `localhost` means either. Raises Conflict."""
    sockets = [_bind(host, port)]
    if host in ("127.0.0.1", "localhost"):
        with suppress(Conflict):  # no IPv6 on this machine, or taken: browsers fall back to IPv4
            sockets.append(_bind("::1", sockets[0].getsockname()[1]))
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        bound.listen(512)
    except OSError as error:
        bound.close()
        raise Conflict(f"Cannot listen on {host} port {port}: {error.strerror}. Another port can be set.") from None
    return bound


def listener(app: ASGIApp, tls: TlsFiles | None = None) -> Listener:
    """A server for the app, over TLS if there is `tls`; the app's lifespan is the caller's affair."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=30,
        ws_max_size=MAX_EVENT_MESSAGE,
        ws_max_queue=8,
        ws_ping_interval=15,
        ws_ping_timeout=15,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
    )
    config.load()
    return Listener(config)


async def serve(settings: Settings, started: Callable[[Started], None]) -> None:
    """Until SIGINT or SIGTERM. started: told once both listeners are up. Raises Conflict, OSError."""
    data = DataDir(settings.data_dir)
    tls = TlsFiles.of(settings, data)
    configured = settings.admin_secret.get_secret_value() if settings.admin_secret else None
    open_listener = configured is None and is_loopback(settings.http_host)
    local_sockets = listen(settings.http_host, settings.http_port)
    lan_sockets = listen(settings.lan_host, settings.lan_port) if settings.lan else []
    secret = data.admin_secret(configured)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        outer: ASGIApp = OpenListener(app, frozenset(settings.allowed_hosts)) if open_listener else app
        running: list[tuple[Listener, list[socket.socket]]] = [(listener(outer), local_sockets)]
        if settings.lan:
            tls.ensure()
            running.append((listener(app, tls), lan_sockets))
            app.state.services.lan_urls = lambda: _lan_urls(settings, lan_sockets)
        told = Started(_local_url(local_sockets), _lan_urls(settings, lan_sockets), secret, open_listener)
        await _run(running, tls, lambda: started(told))


async def _run(running: list[tuple[Listener, list[socket.socket]]], tls: TlsFiles, started: Callable[[], None]) -> None:
    listeners = [listener for listener, _ in running]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, listeners)
    async with asyncio.TaskGroup() as group:
        served = [group.create_task(listener.serve(sockets)) for listener, sockets in running]
        watching = group.create_task(_renew(listeners[-1], tls)) if len(listeners) > 1 and tls.own else None
        announcing = group.create_task(_announce(listeners, started))
        await asyncio.wait(served)
        announcing.cancel()
        if watching:
            watching.cancel()


def _stop(listeners: list[Listener]) -> None:
    """A second signal does not wait for calls under way."""
    for listener in listeners:
        listener.force_exit = listener.should_exit
        listener.should_exit = True


async def _announce(listeners: list[Listener], started: Callable[[], None]) -> None:
    for listener in listeners:
        await listener.up.wait()
    started()


async def _renew(listener: Listener, tls: TlsFiles) -> None:
    """A machine that moves to another network gets a certificate for its new address; who is in stays in."""
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK)
        if await asyncio.to_thread(tls.ensure) and listener.config.ssl:
            listener.config.ssl.load_cert_chain(tls.certificate, tls.key)
            log.info("- certificate renewed")


def _local_url(sockets: list[socket.socket]) -> str:
    host, port = sockets[0].getsockname()[:2]
    return f"http://{'localhost' if is_loopback(host) else host}:{port}"


def _lan_urls(settings: Settings, sockets: list[socket.socket]) -> tuple[str, ...]:
    if not sockets:
        return ()
    port = sockets[0].getsockname()[1]
    host = ipaddress.ip_address(settings.lan_host)
    addresses = certificates.lan_addresses() if host.is_unspecified else [host]
    same_family = [address for address in addresses if address.version == host.version]
    return tuple(f"https://{f'[{a}]' if a.version == 6 else a}:{port}" for a in same_family)
