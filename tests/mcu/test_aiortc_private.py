"""The contract with aiortc's and aioice's non-public names: an upgrade that moves one fails here, by name."""

from __future__ import annotations

import inspect
from collections import Counter

import aioice.ice
import pytest
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc import sdp as rtcsdp
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from mixdown.mcu.edge.aiortc_private import IceConnection, MediaProtocol, Protector, Transport, bind_udp
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
    addresses = {c.ip for c in transport.gatherer.getLocalCandidates()}
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
