"""The server's own certificate: whom it names, when it is made anew, that TLS takes it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from mixdown.mcu.certificates import RENEWAL, VALIDITY, Names, ensure, fits, lan_addresses, own_names

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HERE = Names(frozenset({"localhost", "box.local"}), frozenset({ipaddress.ip_address("192.0.2.7")}))


def test_it_names_all_hosts_and_addresses(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "c.key"
    assert ensure(certificate, key, HERE, NOW)
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == HERE.hosts
    assert set(names.get_values_for_type(x509.IPAddress)) == HERE.addresses
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert made.not_valid_before_utc < NOW < made.not_valid_after_utc <= NOW + VALIDITY


def test_it_is_made_anew_only_when_it_no_longer_fits(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "c.key"
    ensure(certificate, key, HERE, NOW)
    before = certificate.read_bytes()
    fewer = Names(frozenset({"localhost"}), frozenset())
    assert not ensure(certificate, key, fewer, NOW) and certificate.read_bytes() == before
    assert not ensure(certificate, key, HERE, NOW + VALIDITY - RENEWAL - timedelta(minutes=1))
    assert ensure(certificate, key, HERE, NOW + VALIDITY - RENEWAL)
    moved = Names(HERE.hosts, frozenset({ipaddress.ip_address("198.51.100.9")}))
    assert ensure(certificate, key, moved, NOW + VALIDITY) and fits(certificate, moved, NOW + VALIDITY)
    certificate.write_text("damaged")
    assert ensure(certificate, key, moved, NOW)
    key.unlink()
    assert ensure(certificate, key, moved, NOW)


def test_tls_takes_it(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "c.key"
    ensure(certificate, key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    ours, theirs = socket.socketpair()

    def greet() -> None:
        with serving.wrap_socket(ours, server_side=True) as secure:
            secure.sendall(b"hello")

    thread = threading.Thread(target=greet)
    thread.start()
    trusting = ssl.create_default_context(cafile=str(certificate))
    with trusting.wrap_socket(theirs, server_hostname="localhost") as secure:
        assert secure.recv(5) == b"hello"
    thread.join(5)


def test_this_machine_has_names() -> None:
    names = own_names()
    assert "localhost" in names.hosts and ipaddress.ip_address("127.0.0.1") in names.addresses
    assert not any(address.is_loopback for address in lan_addresses())
