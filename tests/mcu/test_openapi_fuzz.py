"""Every call of the OpenAPI document, with odd bodies and parameters: never a 500, and every failure a problem."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from support.serving import served

from mixdown.mcu.app import create_app
from mixdown.mcu.config import Settings
from mixdown.mcu.link.messages import ViewDocument
from mixdown.mcu.observe.events import EventLog
from mixdown.mcu.rooms.participant import Participant, Role
from mixdown.mcu.rooms.room import Room, RoomSettings
from mixdown.mcu.rooms.store import Store
from mixdown.mixer.layout import LayoutSpec

EXAMPLES = 30
ALLOWED = (503,)
"The server may say that it is full."


class Background:
    """A whole server on a thread of its own, since the fuzzer is synchronous."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.url = ""

    async def _serve(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        async with served(self._data) as server:
            self.url = server.url
            self._up.set()
            await self._done.wait()

    def __enter__(self) -> Background:
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(20)


schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
FOUND = sorted((found.ok() for found in schema.get_all_operations()), key=lambda found: found.method == "delete")
OPERATIONS = {f"{found.method.upper()} {found.path}": found for found in FOUND}
THERE = {"room": "demo", "participant": "ada", "view": "main"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With a room and somebody in it, so that calls get further than to a 404."""
    data = tmp_path_factory.mktemp("fuzz")
    store = Store(data / "rooms.db")
    kept = RoomSettings(empty_timeout=3600)
    room = Room("demo", "", kept, {"main": ViewDocument("main", LayoutSpec("grid"))}, 0.0, EventLog("demo"))
    store.put("demo", room.record())
    store.put("demo", Participant("ada", "Ada", Role.PARTICIPANT, "digest", 0, "").record(), "ada")
    store.close()
    with Background(data) as server:
        yield server.url


@pytest.mark.parametrize("there", [True, False], ids=["there", "anywhere"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_call_makes_the_server_fail(operation: str, there: bool, url: str) -> None:
    @given(case=OPERATIONS[operation].as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def call(case: schemathesis.Case) -> None:
        for name in case.path_parameters if there else ():
            case.path_parameters[name] = THERE.get(name, case.path_parameters[name])
        answer = case.call(base_url=url)
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
        assert answer.status_code < 500 or answer.status_code in ALLOWED, answer.text

    call()
