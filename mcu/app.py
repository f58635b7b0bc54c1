"""The application: the parts of one server, wired, and the HTTP API in front of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

import mixdown
from mixdown.mcu.api import (
    docs,
    events,
    health,
    ice,
    invitations,
    layouts,
    openapi,
    pages,
    participants,
    problems,
    rooms,
    session,
    views,
)
from mixdown.mcu.api.guard import Guard
from mixdown.mcu.api.services import Services
from mixdown.mcu.config import Settings
from mixdown.mcu.wiring import running

Parts = Callable[[Settings], AbstractAsyncContextManager[Services]]


def create_app(settings: Settings, parts: Parts | None = None) -> FastAPI:
    """parts: what runs behind the API, for tests; it starts and ends with the app."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (parts or running)(settings) as services:
            services.responses = responses
            services.readings.counter("http_responses", "HTTP responses.", "status", lambda: _by_name(responses))
            app.state.services = services
            services.ready = True
            try:
                yield
            finally:
                services.ready = False
                del app.state.services

    responses: Counter[int] = Counter()
    app = FastAPI(
        title="Mixdown",
        version=mixdown.__version__,
        summary="A conference server that mixes.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    for module in (rooms, invitations, participants, views, layouts, session, ice, health, events, docs):
        app.include_router(module.router)
    pages.install(app, settings)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(Guard, responses=responses)
    return app


def _by_name(counter: Counter[int]) -> dict[str, float]:
    return {str(key): float(count) for key, count in counter.items()}
