"""Real sockets through an emulated network: everything here that needs one is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
PURE = {"test_link.py", "test_rows.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.path.name not in PURE:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def network_possible() -> None:
    from support.network.emulator import missing

    if why := missing():
        pytest.skip(why)
