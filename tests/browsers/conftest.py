"""Real clients against a real server: everything here is slow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser
from support.chromium import EXECUTABLE, chromium
from support.server import Server, running_server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running_server() as started:
        yield started


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if not Path(EXECUTABLE).exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    async with chromium() as started:
        yield started
