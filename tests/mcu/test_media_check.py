"""What the doctor says of the media's addresses, ports and servers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from mixdown.mcu import media_check
from mixdown.mcu.config import load
from mixdown.mcu.edge import addresses
from mixdown.mcu.findings import Verdict


def found(**settings: object) -> list[tuple[Verdict, str]]:
    return [(one.verdict, one.text()) for one in media_check.media(load(None, **settings))]


def test_ports_of_the_range_that_are_taken_are_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ((verdict, text),) = found(media_address="127.0.0.1", port_range=f"{port}-{port}")
        assert verdict is Verdict.FAILED and f"{port}-{port}" in text and "0 free" in text
    ((verdict, text),) = found(media_address="127.0.0.1", port_range=f"{port}-{port}")
    assert verdict is Verdict.OK and "1 free" in text


def test_an_address_of_another_machine_is_told():
    ((verdict, text),) = found(media_address="203.0.113.9")
    assert verdict is Verdict.FAILED and "203.0.113.9" in text


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "get_host_addresses", lambda **versions: ["192.0.2.1", "192.0.2.2", "2001:db8::1"])


def test_an_announced_address_needs_one_that_it_stands_for(two_addresses: None):
    _, (verdict, text) = found(announced_address="203.0.113.9")
    assert verdict is Verdict.WARNING and "192.0.2.1, 192.0.2.2" in text and "media_address" in text
    _, (verdict, text) = found(announced_address="2001:db8::9")
    assert verdict is Verdict.OK and "instead of 2001:db8::1" in text


@pytest.fixture
def stun_server() -> Iterator[int]:
    """Answers one request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def answer() -> None:
            request, caller = server.recvfrom(1500)
            server.sendto(b"\x01\x01\x00\x00" + request[4:20], caller)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_servers_that_answer_and_others(stun_server: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(media_check, "PATIENCE", 0.05)
    servers = (f"stun:127.0.0.1:{stun_server}", "turn:u:p@127.0.0.1:1", "turns:c:5349?transport=tcp")
    _, *told = found(client_ice_servers=servers, media_address="127.0.0.1")
    assert [verdict for verdict, _ in told] == [Verdict.OK, Verdict.WARNING, Verdict.OK]
    assert "does not answer" in told[1][1] and "u:p" not in told[1][1]
