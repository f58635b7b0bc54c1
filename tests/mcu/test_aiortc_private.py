"""The contract with aiortc's and aioice's non-public names: an upgrade that moves one fails here, by name."""

from __future__ import annotations

import inspect
from collections import Counter

import aioice.ice
import pytest
from aioice import Candidate, stun
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc import sdp as rtcsdp
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from mixdown.mcu.edge.addresses import bind_udp
from mixdown.mcu.edge.aioice_private import IceConnection, MediaProtocol
from mixdown.mcu.edge.aiortc_private import Transport
from mixdown.mcu.edge.srtp import Protector
from mixdown.mcu.edge.types import EdgeConfig


def test_the_gatherers_connection_can_be_replaced_before_the_transport_is_made():
    source = inspect.getsource(RTCIceTransport.__init__)
    assert "gatherer._connection" in source
    assert hasattr(RTCIceGatherer(iceServers=[]), "_connection")


@pytest.mark.parametrize(
    "name", ["data_received", "check_incoming", "check_complete", "gather_candidates", "get_component_candidates"]
)
def test_what_is_overridden_exists_with_these_parameters(name):
    theirs = list(inspect.signature(getattr(aioice.ice.Connection, name)).parameters)
    ours = list(inspect.signature(getattr(IceConnection, name)).parameters)
    assert theirs == ours


def test_the_protocols_hooks_exist():
    assert list(inspect.signature(aioice.ice.StunProtocol.datagram_received).parameters) == ["self", "data", "addr"]
    assert "self.receiver.data_received" in inspect.getsource(aioice.ice.StunProtocol.datagram_received)
    assert issubclass(MediaProtocol, aioice.ice.StunProtocol)


def test_a_connection_has_the_attributes_that_are_read():
    connection = IceConnection(EdgeConfig(), Counter())
    for name in ("_nominated", "_queue", "_protocols", "_local_candidates", "_local_candidates_start"):
        assert hasattr(connection, name), name
    assert connection.selected is None


def test_dtls_keeps_its_srtp_sessions_and_role_where_we_look():
    source = inspect.getsource(RTCDtlsTransport)
    for name in ("self._rx_srtp = Session", "self._tx_srtp = Session", "def _set_role"):
        assert name in source, name
    assert {"_parse", "parse"} & set(dir(rtcsdp.SessionDescription))


async def test_a_transport_gathers_on_our_sockets_within_the_port_range():
    counters: Counter[str] = Counter()
    config = EdgeConfig(media_address="127.0.0.1", port_range=(41000, 41050))
    transport = Transport(config, RTCCertificate.generateCertificate(), counters)
    await transport.gatherer.gather()
    candidates = transport.gatherer.getLocalCandidates()
    assert [c.ip for c in candidates] == ["127.0.0.1"] and 41000 <= candidates[0].port <= 41050
    await transport.ice_transport.stop()


async def test_the_announced_address_replaces_the_local_one():
    config = EdgeConfig(announced_address="203.0.113.9", loopback=False)
    transport = Transport(config, RTCCertificate.generateCertificate(), Counter())
    await transport.gatherer.gather()
    addresses = {c.ip for c in transport.gatherer.getLocalCandidates() if ":" not in c.ip}
    assert addresses <= {"203.0.113.9", "127.0.0.1"}
    await transport.ice_transport.stop()


def test_a_full_port_range_gives_no_socket():
    first = bind_udp("127.0.0.1", (41100, 41100))
    assert first is not None
    assert bind_udp("127.0.0.1", (41100, 41100)) is None
    first.close()


def test_what_the_protector_encrypts_another_session_reads():
    key = bytes(range(30))
    sending = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    receiving = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    packets = [b"\x80\x60" + n.to_bytes(2, "big") + bytes(4) + b"ssrc" + b"x" * n for n in range(1, 1300, 100)]
    encrypted = Protector(sending).protect(packets)
    assert [receiving.unprotect(packet) for packet in encrypted] == packets
    with pytest.raises(ValueError):
        Protector(sending).protect([bytes(1500)])
    with pytest.raises(SrtpError):
        Protector(sending).protect([b"short"])


def remote(host: str, port: int = 4000) -> Candidate:
    return Candidate("1", 1, "udp", 1, host, port, "host")


async def test_candidates_that_a_peer_may_not_have_are_refused():
    for loopback in (False, True):
        counters: Counter[str] = Counter()
        connection = IceConnection(EdgeConfig(), counters, loopback=loopback)
        for host in ("127.0.0.1", "169.254.169.254", "a-name.local", "198.51.100.7", "224.0.0.1", "0.0.0.0", "fe80::1"):
            await connection.add_remote_candidate(remote(host))
        hosts = [candidate.host for candidate in connection.remote_candidates]
        assert hosts == ["127.0.0.1"] * loopback + ["198.51.100.7"]
        assert counters["candidates_refused"] == 6 - loopback


async def test_so_many_candidates_are_tried_and_no_more():
    counters: Counter[str] = Counter()
    connection = IceConnection(EdgeConfig(), counters)
    for port in range(1000, 1100):
        await connection.add_remote_candidate(remote("198.51.100.7", port))
    assert len(connection.remote_candidates) == 20 and counters["too_many_candidates"] == 80


class Checked:
    """A connection on 127.0.0.1 and what a peer that knows its password would send."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.connection = IceConnection(EdgeConfig(media_address="127.0.0.1", kernel_filter=False), self.counters)
        self.answers: list[bytes] = []

    async def open(self) -> None:
        await self.connection.gather_candidates()
        (self.protocol,) = self.connection._protocols
        self.protocol.send_stun = lambda message, address: self.answers.append(bytes(message))

    def check(self, host: str, port: int = 4000) -> None:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes.update({"USERNAME": f"{self.connection.local_username}:peer", "PRIORITY": 1})
        request.add_message_integrity(self.connection.local_password.encode())
        self.protocol.datagram_received(bytes(request), (host, port))


async def test_a_forged_source_is_not_answered():
    checked = Checked()
    await checked.open()
    for host in ("169.254.169.254", "224.0.0.1", "100.100.100.200"):
        checked.check(host)
    assert not checked.answers and checked.counters["forbidden_sources"] == 3
    checked.check("198.51.100.7")
    assert len(checked.answers) == 1
    await checked.connection.close()


async def test_a_flood_of_authentic_checks_is_cut():
    checked = Checked()
    await checked.open()
    for _ in range(1000):
        checked.check("198.51.100.7")
    assert 300 <= len(checked.answers) < 400 and checked.counters["stun_flood"] == 1000 - len(checked.answers)
    await checked.connection.close()


async def test_the_kernel_knows_our_requests_by_their_first_bytes():
    connection = IceConnection(EdgeConfig(media_address="127.0.0.1"), Counter())
    connection.remote_username = "peer"
    await connection.gather_candidates()
    pair = aioice.ice.CandidatePair(connection._protocols[0], remote("127.0.0.1"))
    requests = [connection.build_request(pair, nominate=False) for _ in range(50)]
    assert {request.transaction_id[:4] for request in requests} == {connection._tag}
    assert len({request.transaction_id for request in requests}) == 50
    await connection.close()
