"""The kernel's word for when a datagram came."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from mixdown.mcu import clock
from mixdown.mcu.edge.kernel_time import KernelTime


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as giver,
    ):
        taker.bind(("127.0.0.1", 0))
        taker.settimeout(5)
        giver.connect(taker.getsockname())
        yield taker, giver


def test_a_datagram_that_waited_came_when_it_came(pair: tuple[socket.socket, socket.socket]) -> None:
    """The first question switches stamping on; the kernel does it when it finds the time. Until then what it says is
    when the datagram was read."""
    taker, giver = pair
    kernel = KernelTime()
    deadline = clock.now() + 5
    found = []
    while clock.now() < deadline:
        before = clock.now()
        giver.send(b"datagram")
        after = clock.now()
        time.sleep(0.05)
        taker.recv(16)
        now = clock.now()
        arrival = kernel.arrival(taker, now)
        if before - 0.005 <= arrival <= after + 0.005:
            return
        found.append((before, arrival, now))
    if all(now - arrival < 0.005 for _, arrival, now in found):
        pytest.skip("a kernel that does not stamp")
    raise AssertionError(f"(sent, came, read): {found[-3:]}")


def test_what_the_kernel_does_not_know_came_now(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    taker, giver = pair
    kernel = KernelTime()
    assert kernel.arrival(None, 5.0) == 5.0
    assert kernel.arrival(taker, 5.0) == 5.0, "nothing was ever read"
    giver.send(b"first")
    taker.recv(16)
    for step in (3600.0, -3600.0):
        monkeypatch.setattr(clock, "since", lambda moment, step=step: time.time() + step - moment)
        assert kernel.arrival(taker, 5.0) == 5.0, "the wall clock was set"
