"""All that Mixdown touches of aiortc's and aioice's non-public names, in one place.

tests/mcu/test_aiortc_private.py fails when an upgrade moves any of them. What is used, and why:

- `RTCIceGatherer._connection`: replaced by our `IceConnection`, which binds its own sockets (port range, announced
  address, loopback) and remembers which addresses passed an ICE check.
- `aioice.ice.StunProtocol`: our `MediaProtocol` splits STUN, DTLS and SRTP as datagrams arrive (RFC 7983), so that a
  media packet reaches its receiver in one call, not through a queue and a task, and nothing a stranger sends does.
- `RTCDtlsTransport._rx_srtp`, `_tx_srtp`: the SRTP sessions that its handshake made.
- pylibsrtp's binding, to encrypt a frame's packets in one go.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, Connection, StunProtocol, get_host_addresses, relayed_candidate
from aioice.ice import server_reflexive_candidate as query_server_reflexive
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceServer, RTCIceTransport
from aiortc.rtcicetransport import connection_kwargs
from pylibsrtp import Error as SrtpError
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from mixdown.mcu import clock
from mixdown.mcu.edge.types import EdgeConfig

Address = tuple[str, int]

SOCKET_BUFFER = 1 << 20
"Bytes asked for both ways: a paced key frame of every room at once, or a second of a camera."
DTLS_QUEUE = 64
"Datagrams that may wait for the DTLS task; more are dropped, OpenSSL repeats what matters."
MAX_PACKET, TRAILER = 1500, 144
"Bytes; SRTP_MAX_TRAILER_LEN."
MAX_PROBES = 8
"Checks of consent that may be under way to a peer; the oldest is forgotten. Enough for a round trip of two seconds."
GATHER_DEADLINE = 2.0
"Seconds for STUN and TURN servers to answer; host candidates do not wait for more."


class MediaProtocol(StunProtocol):
    """One UDP socket of a peer. First byte 0-3 is STUN, 20-63 DTLS, 128-191 SRTP (RFC 7983)."""

    receiver: IceConnection
    sock: socket.socket | None = None

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        connection = self.receiver
        if not data:
            connection.counters["empty_datagrams"] += 1
            return
        first = data[0]
        if isinstance(first, int) and first > 3:
            if (addr[0], addr[1]) not in connection.verified:
                connection.counters["unverified_sources"] += 1
            elif 128 <= first <= 191:
                connection.on_media(data)  # type: ignore[arg-type]
            elif 20 <= first <= 63 and connection.dtls_pending < DTLS_QUEUE:
                connection.data_received(data, 1)  # type: ignore[arg-type]
            else:
                connection.counters["unknown_datagrams"] += 1
            return
        try:
            super().datagram_received(data, addr)
        except Exception:  # noqa: BLE001 - a stranger's STUN must not end anything
            connection.counters["bad_stun"] += 1


class Probe:
    """What stands in a protocol's table of transactions for one check of consent: any authentic answer will do."""

    __slots__ = ("_connection", "_key")

    def __init__(self, connection: IceConnection, key: bytes) -> None:
        self._connection = connection
        self._key = key

    def response_received(self, message: Any, addr: Address) -> None:
        if message.check_message_integrity(self._key):
            self._connection.last_check = clock.now()


class IceConnection(Connection):
    """An ICE agent of one component that binds where the configuration says.

    verified: addresses that sent an authenticated check or answered one; nothing else reaches DTLS or SRTP.
    last_check: when the last authenticated check came, or an answer to a probe, monotonic seconds.
    """

    def __init__(self, config: EdgeConfig, counters: Counter[str], **arguments: Any) -> None:
        super().__init__(ice_controlling=False, **arguments)
        self._config = config
        self.counters = counters
        self.verified: set[Address] = set()
        self.last_check = float("-inf")
        self._probes: deque[tuple[StunProtocol, bytes]] = deque()
        self.on_media: Callable[[bytes], None] = self._too_early

    def _too_early(self, data: bytes) -> None:
        self.counters["media_before_dtls"] += 1

    @property
    def dtls_pending(self) -> int:
        return int(self._queue.qsize())

    @property
    def selected(self) -> CandidatePair | None:
        """The pair that media is sent on, None until ICE is through."""
        return self._nominated.get(1)

    def data_received(self, data: bytes, component: int) -> None:
        """What aioice thinks is not STUN: only DTLS waits in its queue."""
        if data and 20 <= data[0] <= 63:
            super().data_received(data, component)

    def probe(self) -> None:
        """Sends a check of consent (RFC 7675) over the selected pair; an answer counts as `last_check`."""
        pair = self.selected
        if pair is None or self.remote_password is None or self._closing:
            return
        key = self.remote_password.encode("utf8")
        if len(self._probes) >= MAX_PROBES:
            protocol, transaction = self._probes.popleft()
            protocol.transactions.pop(transaction, None)
        request = self.build_request(pair, nominate=False)
        request.add_message_integrity(key)
        self._probes.append((pair.protocol, request.transaction_id))
        waiting: dict[bytes, Any] = pair.protocol.transactions
        waiting[request.transaction_id] = Probe(self, key)
        pair.protocol.send_stun(request, pair.remote_addr)

    def abort(self) -> None:
        """Closes the sockets of a connection that did not close by itself."""
        for protocol in self._protocols:
            protocol.transport.abort()

    def check_incoming(self, message: Any, addr: Address, protocol: StunProtocol) -> None:
        # Called for requests whose MESSAGE-INTEGRITY was right, early ones included.
        self.last_check = clock.now()
        self.verified.add((addr[0], addr[1]))
        if len(self.verified) > 64:
            self.verified = {pair.remote_addr for pair in self._nominated.values()} | {(addr[0], addr[1])}
        super().check_incoming(message, addr, protocol)

    def check_complete(self, pair: CandidatePair) -> None:
        if pair.state == CandidatePair.State.SUCCEEDED:
            self.verified.add(pair.remote_addr)
        super().check_complete(pair)

    async def gather_candidates(self) -> None:
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        self._local_candidates = await self.get_component_candidates(1, bind_addresses(self._config))
        self._local_candidates_end = True

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: float = GATHER_DEADLINE
    ) -> list[Candidate]:
        hosts = [protocol for address in addresses if (protocol := await self._bind(address)) is not None]
        self._protocols += hosts
        candidates = [protocol.local_candidate for protocol in hosts]
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(query_server_reflexive(protocol, self.stun_server))
            for protocol in hosts
            if self.stun_server and ipaddress.ip_address(protocol.transport.get_extra_info("sockname")[0]).version == 4
        ]
        if self.turn_server:
            tasks.append(asyncio.create_task(self._relay(component, self.turn_server)))
        if tasks:
            candidates += await self._collect(tasks, timeout)
        return candidates

    async def _bind(self, address: str) -> MediaProtocol | None:
        sock = bind_udp(address, self._config.port_range)
        if sock is None:
            self.counters["bind_failed"] += 1
            return None
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: MediaProtocol(self), sock=sock)
        protocol.sock = sock
        host, port = sock.getsockname()[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host"),
            host=announced(host, self._config),
            port=port,
            type="host",
        )
        return protocol

    async def _relay(self, component: int, server: Address) -> tuple[Candidate, StunProtocol]:
        return await relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: MediaProtocol(self),
            turn_server=server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )

    async def _collect(self, tasks: list[asyncio.Task[Any]], timeout: float) -> list[Candidate]:
        done, pending = await asyncio.wait(tasks, timeout=timeout)
        for task in pending:
            task.cancel()
        self.counters["ice_server_timeouts"] += len(pending)
        found = []
        for task in done:
            if task.exception() is not None:
                self.counters["ice_server_errors"] += 1
                continue
            candidate, protocol = task.result()
            found.append(candidate)
            if protocol is not None:
                self._protocols.append(protocol)
        return found


def bind_addresses(config: EdgeConfig) -> list[str]:
    """Local addresses to take media on: the configured one, or all of this machine's (with loopback if wanted)."""
    if config.media_address:
        return [config.media_address]
    addresses = [a for a in get_host_addresses(use_ipv4=True, use_ipv6=True) if not a.startswith("127.")]
    if config.loopback or not addresses:
        addresses.append("127.0.0.1")
    return addresses


def announced(host: str, config: EdgeConfig) -> str:
    """What a candidate names for a local address: the announced one, except for loopback."""
    if config.announced_address and not ipaddress.ip_address(host).is_loopback:
        return config.announced_address
    return host


def bind_udp(address: str, port_range: tuple[int, int] | None) -> socket.socket | None:
    """A non-blocking UDP socket, on the first free port of the range; None if there is none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    ports = range(port_range[0], port_range[1] + 1) if port_range else range(1)
    for port in ports:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((address, port))
        except OSError:
            sock.close()
            continue
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        return sock
    return None


class Protector:
    """Encrypts a peer's outgoing RTP with its SRTP session: libsrtp is called directly,
    which spares `Session.protect`'s work in Python for each packet."""

    def __init__(self, session: Session) -> None:
        self._session = session  # owns the C session
        self._srtp = session._srtp[0]
        self._data = ffi.new("char[]", MAX_PACKET)
        self._buffer = ffi.buffer(self._data)
        self._length = ffi.new("int *")

    def protect(self, packets: Sequence[bytes]) -> list[bytes]:
        """Of one stream, in order; each at most MAX_PACKET bytes with SRTP's trailer. Raises ValueError, SrtpError."""
        buffer, data, length, srtp = self._buffer, self._data, self._length, self._srtp
        protect = lib.srtp_protect
        encrypted = []
        for packet in packets:
            size = len(packet)
            if size > MAX_PACKET - TRAILER:
                raise ValueError("packet is too long")
            buffer[0:size] = packet
            length[0] = size
            failed = protect(srtp, data, length)
            if failed:
                raise SrtpError(f"libsrtp: status {failed}")
            encrypted.append(buffer[0 : length[0]])
        return encrypted


class Transport:
    """ICE and DTLS of one peer, bundled: one of each. Callbacks come on the event loop."""

    def __init__(self, config: EdgeConfig, certificate: RTCCertificate, counters: Counter[str]) -> None:
        servers = [
            RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
            for server in config.ice_servers
        ]
        gatherer = RTCIceGatherer(iceServers=servers)
        self.ice = IceConnection(config, counters, **connection_kwargs(servers))
        gatherer._connection = self.ice
        self.gatherer = gatherer
        self.ice_transport = RTCIceTransport(gatherer)
        self.dtls = RTCDtlsTransport(self.ice_transport, [certificate])

    def set_role(self, *, client: bool) -> None:
        """The DTLS role, before the handshake: client is `a=setup:active`."""
        self.dtls._set_role("client" if client else "server")

    def srtp_sessions(self) -> tuple[Session, Session]:
        """(receive, send), once DTLS is connected."""
        return self.dtls._rx_srtp, self.dtls._tx_srtp

    async def stop(self, deadline: float) -> bool:
        """DTLS says goodbye, ICE ends, the sockets are closed; after `deadline` seconds they are, whatever still goes
        on. Whether it all ended by itself."""
        stopping = asyncio.create_task(self._stop())
        await asyncio.wait((stopping,), timeout=deadline)
        if stopping.done() and stopping.exception() is None:
            return True
        stopping.cancel()
        self.ice.abort()
        return False

    async def _stop(self) -> None:
        try:
            await self.dtls.stop()
        finally:
            await self.ice_transport.stop()
