"""Who calls, and what becomes of those who guess secrets."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import httpx2
from starlette.requests import HTTPConnection
from support.rooms import SECRET, Clock, bearer, house

from mixdown.mcu.api.callers import GUESSES, MAX_CALLERS, SECONDS_A_GUESS, Guesses, caller_of
from mixdown.mcu.errors import TooMany

PROXIES = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8"))


def connection(client: str | None, **headers: str) -> HTTPConnection:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "client": (client, 1) if client else None, "headers": pairs})


def test_a_proxy_tells_who_calls_only_if_it_is_trusted() -> None:
    assert caller_of(connection("192.0.2.1")) == "192.0.2.1"
    assert caller_of(connection("192.0.2.1", x_forwarded_for="127.0.0.1"), PROXIES) == "192.0.2.1"
    assert caller_of(connection("127.0.0.1", x_forwarded_for="192.0.2.1")) == ""
    assert caller_of(connection("127.0.0.1", forwarded="for=192.0.2.1")) == ""
    assert caller_of(connection("127.0.0.1", x_forwarded_for="192.0.2.1"), PROXIES) == "192.0.2.1"
    assert caller_of(connection("127.0.0.1", x_forwarded_for="6.6.6.6, 192.0.2.1, 10.1.1.1"), PROXIES) == "192.0.2.1"
    assert caller_of(connection("127.0.0.1"), PROXIES) == caller_of(connection("127.0.0.1")) == "127.0.0.1"
    assert caller_of(connection("127.0.0.1", x_forwarded_for="10.9.9.9, 10.1.1.1"), PROXIES) == "10.9.9.9"
    assert caller_of(connection(None)) == ""


def refused(guesses: Guesses, caller: str) -> int | None:
    try:
        guesses.check(caller)
    except TooMany as error:
        return error.retry_after
    return None


def test_wrong_secrets_are_counted_by_address_and_forgiven_in_time() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(GUESSES):
        assert refused(guesses, "192.0.2.1") is None
        guesses.wrong("192.0.2.1")
    assert refused(guesses, "192.0.2.1") == SECONDS_A_GUESS and refused(guesses, "192.0.2.2") is None
    clock.now += SECONDS_A_GUESS
    assert refused(guesses, "192.0.2.1") is None and guesses.refused == 1


def test_the_memory_of_guesses_is_bounded() -> None:
    guesses = Guesses(Clock())
    for n in range(MAX_CALLERS + 100):
        guesses.wrong(str(ipaddress.ip_address(n + (1 << 24))))
    assert len(guesses._budgets) == MAX_CALLERS


async def test_who_guesses_waits_and_participants_beside_him_do_not(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        here.services.guesses.clock = here.clock
        path = "/v1/rooms/demo"
        for n in range(GUESSES):
            wrong = (
                await here.anybody.post("/v1/session", json={"secret": f"x{n}"})
                if n % 2
                else await here.anybody.get(path, headers=bearer(f"x{n}"))
            )
            assert wrong.status_code == 401
        late = [
            await here.anybody.post("/v1/session", json={"secret": SECRET}),
            await here.anybody.get(path, headers=bearer(SECRET)),
        ]
        for answer in late:
            assert answer.status_code == 429 and int(answer.headers["retry-after"]) == SECONDS_A_GUESS
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await here.anybody.get(path, headers=bearer(ada["token"]))).status_code == 200
        elsewhere = httpx2.ASGITransport(here.app, client=("192.0.2.9", 1))
        async with httpx2.AsyncClient(transport=elsewhere, base_url="https://lan") as other:
            assert (await other.get(path, headers=bearer(SECRET))).status_code == 200
        here.clock.now += SECONDS_A_GUESS
        assert (await here.anybody.post("/v1/session", json={"secret": SECRET})).status_code == 204


async def test_a_join_tells_the_edge_who_calls(tmp_path: Path) -> None:
    async with house(tmp_path, trusted_proxies=["127.0.0.0/8"], open_join=True) as here:
        body = {"name": "Ada", "sdp": "offer"}
        header = {"X-Forwarded-For": "192.0.2.7"}
        await here.anybody.post("/v1/rooms/demo/participants", json=body, headers=header)
        assert here.edge.joins[-1].caller == "192.0.2.7"
