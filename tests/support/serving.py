"""A whole server in this process, on ports of the system's choice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from mixdown.mcu.api.auth import OpenListener
from mixdown.mcu.api.services import Services
from mixdown.mcu.app import create_app
from mixdown.mcu.config import Settings
from mixdown.mcu.serve import listen, listener


class Served:
    """url: open to everybody who is on this machine."""

    def __init__(self, url: str, services: Services) -> None:
        self.url = url
        self.services = services


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """The URL of an app behind uvicorn as `mixdown serve` sets it up; its lifespan is the caller's affair."""
    server = listener(OpenListener(app))
    sockets = listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets))
    await server.up.wait()
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def served(data: Path, **settings: Any) -> AsyncIterator[Served]:
    app = create_app(Settings(data_dir=data, **settings))
    async with app.router.lifespan_context(app), listening(app) as url:
        yield Served(url, app.state.services)
