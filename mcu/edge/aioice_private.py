"""All that Mixdown touches of aioice's non-public names, in one place; aiortc's are in `aiortc_private.py`.

tests/mcu/test_aiortc_private.py fails when an upgrade moves any of them. What is used, and why:

- `aioice.ice.Connection`: our `IceConnection` binds its own sockets (port range, announced address), remembers
  which addresses passed an ICE check, refuses candidates that point at the server, and asks who is silent.
- `aioice.ice.StunProtocol`: our `MediaProtocol` splits STUN, DTLS and SRTP as datagrams arrive (RFC 7983), so that a
  media packet reaches its receiver in one call, not through a queue and a task, and nothing a stranger sends does.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, Connection, StunProtocol, relayed_candidate
from aioice.ice import server_reflexive_candidate as query_server_reflexive
from aioice.utils import random_string

from mixdown.mcu import clock
from mixdown.mcu.edge import source_filter
from mixdown.mcu.edge.addresses import announced, bind_addresses, bind_udp, is_local, may_be_peer
from mixdown.mcu.edge.budget import Budget
from mixdown.mcu.edge.types import EdgeConfig

Address = tuple[str, int]

DTLS_QUEUE = 64
"Datagrams that may wait for the DTLS task; more are dropped, OpenSSL repeats what matters."
MAX_PROBES = 8
"Checks of consent that may be under way to a peer; the oldest is forgotten. Enough for a round trip of two seconds."
MAX_REMOTE = 64
"Addresses of a peer, told and learnt. More are not learnt: its checks from there are ignored."
MAX_CANDIDATES = 20
"Candidates of a peer that are tried."
MAX_VERIFIED = 16
"Addresses that media is taken from; over it the selected one and the newest stay."
STUN_RATE, STUN_BURST = 100.0, 300.0
"Messages a second, and at once, of one peer that are looked at. A browser that connects over 6 pairs sends some 60."
MUTE = 0.25
"Seconds; short enough that a peer who stops is not taken for silent."
USER_LENGTH, TAG_LENGTH = 8, 4
"Characters of our ICE user, bytes that our transaction ids begin with: what the kernel's filter compares."
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
        if not connection.takes_stun(data, (addr[0], addr[1]), self.transactions):  # type: ignore[arg-type]
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

    def __init__(self, config: EdgeConfig, counters: Counter[str], *, loopback: bool = True, **arguments: Any) -> None:
        super().__init__(ice_controlling=False, local_username=random_string(USER_LENGTH), **arguments)
        self._config = config
        self._loopback = (loopback and config.loopback) or is_local(config.media_address or "")
        self.counters = counters
        self.verified: set[Address] = set()
        self.last_check = float("-inf")
        self._user = self.local_username.encode("ascii")
        self._tag = secrets.token_bytes(TAG_LENGTH)
        self._stun_budget = Budget(STUN_RATE, STUN_BURST)
        self._kernel_filter = config.kernel_filter
        self._muted_until = float("inf")
        self._probes: deque[tuple[StunProtocol, bytes]] = deque()
        self.on_media: Callable[[bytes], None] = self._too_early

    def takes_stun(self, data: bytes, addr: Address, waiting: Mapping[bytes, Any]) -> bool:
        """Whether a message may be looked at: it answers one of ours or names our user, and its sender may be a peer.
        Strangers are not answered: an answer to a forged source would be theirs to aim."""
        if data[8:20] not in waiting and self._user + b":" not in data:
            self.counters["foreign_stun"] += 1
        elif not may_be_peer(addr[0], loopback=self._loopback) and data[8:20] not in waiting:
            self.counters["forbidden_sources"] += 1
        elif not self._stun_budget.spend(1, clock.now()):
            self.counters["stun_flood"] += 1
        else:
            return True
        return False

    def _verify(self, addr: Address) -> None:
        """DTLS and media are taken from there from now on."""
        if addr in self.verified:
            return
        self.verified.add(addr)
        if len(self.verified) > MAX_VERIFIED:
            self.verified = {pair.remote_addr for pair in self._nominated.values()} | {addr}
        self._filter()

    def mute(self, now: float) -> None:
        """The peer floods: for MUTE seconds the kernel drops all of it, so that it costs the others no time."""
        self._muted_until = now + MUTE
        self.counters["peers_muted"] += 1
        self._filter()

    def unmute(self, now: float) -> None:
        """Ends that when it is time; to be called every few ms."""
        if now >= self._muted_until:
            self._muted_until = float("inf")
            self._filter()

    def _filter(self) -> None:
        """The kernel drops on the sockets what would be dropped here. Not on a relay's: its server is the sender."""
        if not self._kernel_filter:
            return
        muted = self._muted_until < float("inf")
        program = source_filter.NOTHING if muted else source_filter.program(self._user, self._tag, self.verified)
        for protocol in self._protocols:
            if getattr(protocol, "sock", None) is None:
                continue
            if not source_filter.attach(protocol.sock, program):  # type: ignore[attr-defined]
                self._kernel_filter = False
                self.counters["kernel_filter_refused"] += 1
                return

    def build_request(self, pair: CandidatePair, nominate: bool) -> Any:
        # The kernel's filter knows answers to our requests by what their transaction ids begin with.
        request = super().build_request(pair, nominate)
        request.transaction_id = self._tag + request.transaction_id[TAG_LENGTH:]
        return request

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        """Those that a peer may not have, and more than it needs, are left out and counted."""
        if remote_candidate is not None:
            if not may_be_peer(remote_candidate.host, loopback=self._loopback):
                self.counters["candidates_refused"] += 1
                return
            if len(self._remote_candidates) >= MAX_CANDIDATES:
                self.counters["too_many_candidates"] += 1
                return
        await super().add_remote_candidate(remote_candidate)

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
        if self._too_many(addr):
            self.counters["too_many_addresses"] += 1
            return
        self._verify((addr[0], addr[1]))
        super().check_incoming(message, addr, protocol)

    def _too_many(self, addr: Address) -> bool:
        """Whether one more address would be learnt than a peer has: each is remembered, and checks are sent to it."""
        remote = self._remote_candidates
        return len(remote) >= MAX_REMOTE and all((c.host, c.port) != (addr[0], addr[1]) for c in remote)

    def check_complete(self, pair: CandidatePair) -> None:
        if pair.state == CandidatePair.State.SUCCEEDED:
            self._verify(pair.remote_addr)
        super().check_complete(pair)

    async def gather_candidates(self) -> None:
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        addresses = bind_addresses(self._config, loopback=self._loopback)
        self._local_candidates = await self.get_component_candidates(1, addresses)
        self._local_candidates_end = True
        self._filter()  # not sooner: a STUN server's answers are not to requests of a pair

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
