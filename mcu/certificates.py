"""The server's own certificate, so that browsers on the local network may use camera and microphone."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mixdown.mcu.clock import wall_time
from mixdown.mcu.datadir import write_private

VALIDITY = timedelta(days=397)
"More than 398 days is what browsers refuse."
RENEWAL = timedelta(days=30)
"Before its end a certificate is made anew."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Names:
    """What this machine is called: host names and addresses."""

    hosts: frozenset[str]
    addresses: frozenset[Address]


def own_addresses() -> list[Address]:
    """Of all interfaces, those of the local network first; no link-local ones, which need a zone to be reached."""
    found = {_address(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips}
    usable = (address for address in found if not address.is_link_local)
    return sorted(usable, key=lambda a: (a.is_loopback, a.version, not a.is_private, int(a)))


def _address(value: str | tuple[str, int, int]) -> Address:
    return ipaddress.ip_address(value if isinstance(value, str) else value[0])


def lan_addresses() -> list[Address]:
    """Where others may reach this machine, likeliest first. The route to the outside says which that is."""
    reachable = [address for address in own_addresses() if not address.is_loopback]
    preferred = _route_address()
    return sorted(reachable, key=lambda address: address != preferred)


def _route_address() -> Address | None:
    """The address that packets to the internet would leave from; nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
            return ipaddress.ip_address(probe.getsockname()[0])
        except OSError:  # no route: then there is no preference
            return None


def own_names(addresses: Iterable[Address] | None = None) -> Names:
    host = socket.gethostname().lower()
    short = host.split(".", 1)[0]
    names = {"localhost", host, short, f"{short}.local"}
    loopback = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    hosts = frozenset(name for name in names if _is_dns_name(name))
    return Names(hosts, frozenset(own_addresses() if addresses is None else addresses) | loopback)


def _is_dns_name(name: str) -> bool:
    return name.isascii() and all(
        label and len(label) < 64 and label.replace("-", "").isalnum() for label in name.split(".")
    )


def ensure(certificate: Path, key: Path, names: Names | None = None, now: datetime | None = None) -> bool:
    """Makes certificate and key (PEM) unless those there still fit. Returns whether they were made. Raises OSError."""
    names = names or own_names()
    now = now or wall_time()
    if key.is_file() and fits(certificate, names, now):
        return False
    private = ec.generate_private_key(ec.SECP256R1())
    write_private(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    write_private(certificate, _sign(private, names, now).public_bytes(serialization.Encoding.PEM))
    return True


def fits(certificate: Path, names: Names, now: datetime) -> bool:
    """Whether it covers all names, and for some time to come."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False  # missing or damaged: it is made anew
    hosts = set(alternatives.get_values_for_type(x509.DNSName))
    addresses = set(alternatives.get_values_for_type(x509.IPAddress))
    return found.not_valid_after_utc - now > RENEWAL and names.hosts <= hosts and names.addresses <= addresses


def _sign(private: ec.EllipticCurvePrivateKey, names: Names, now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mixdown on the local network")])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted(names.hosts)]
    alternatives += [x509.IPAddress(address) for address in sorted(names.addresses, key=str)]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
