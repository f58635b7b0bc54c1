"""Logins of TURN servers, and what pages are told of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.rooms import SECRET, bearer, house

from mixdown.mcu.config import load
from mixdown.mcu.edge.turn import login
from mixdown.mcu.edge.types import IceServer

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_shared_secret_makes_a_login_for_the_time():
    server = IceServer("turn:turn.example:3478", secret="north", lifetime=600)
    username, credential = login(server, MOMENT)
    assert username == f"{int(MOMENT.timestamp()) + 600}:mixdown"
    expected = hmac.new(b"north", username.encode(), hashlib.sha1).digest()
    assert credential == base64.b64encode(expected).decode()
    assert login(IceServer("turn:turn.example", "ann", secret="north"), MOMENT)[0].endswith(":ann")


def test_a_fixed_login_stays_and_stun_has_none():
    assert login(IceServer("turn:turn.example", "ann", "word"), MOMENT) == ("ann", "word")
    assert login(IceServer("stun:stun.example"), MOMENT) == (None, None)


def test_the_secret_is_for_turn_servers_without_a_credential():
    settings = load(
        None,
        turn_secret="north",
        turn_lifetime=600,
        ice_servers=("turn:a:3478",),
        client_ice_servers=("turn:u:p@b:3478", "turns:c:5349?transport=tcp", "stun:d"),
    )
    (own,) = settings.edge().ice_servers
    assert (own.secret, own.lifetime) == ("north", 600)
    assert [s.secret for s in settings.for_clients()] == [None, "north", None]
    assert settings.for_clients()[0].credential == "p"


@pytest.fixture
def given() -> dict[str, Any]:
    servers = ("stun:stun.example:3478", "turn:turn.example:3478?transport=udp")
    return {"client_ice_servers": servers, "turn_secret": "north", "turn_lifetime": 600}


async def test_pages_are_told(tmp_path: Path, given: dict[str, Any]) -> None:
    async with house(tmp_path, **given) as here:
        answer = await here.anybody.get("/v1/ice-servers")
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert body["lifetime"] == 600
        stun, turn = body["ice_servers"]
        assert stun == {"urls": ["stun:stun.example:3478"]}
        assert turn["urls"] == ["turn:turn.example:3478?transport=udp"]
        assert turn["username"].endswith(":mixdown") and len(base64.b64decode(turn["credential"])) == 20
        assert "north" not in answer.text


async def test_only_who_may_join_is_told(tmp_path: Path, given: dict[str, Any]) -> None:
    async with house(tmp_path, open_join=False, **given) as here:
        assert (await here.anybody.get("/v1/ice-servers")).status_code == 401
        assert (await here.anybody.get("/v1/ice-servers", headers=bearer(SECRET))).status_code == 200
