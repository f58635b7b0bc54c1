"""`/healthz`, `/readyz`, `/metrics`: for those who run it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from mixdown.mcu.api.services import Known
from mixdown.mcu.errors import Unavailable
from mixdown.mcu.observe.metrics import CONTENT_TYPE, render

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(known: Known) -> dict[str, str]:
    """All parts are up and calls can be taken; else 503."""
    if not known.ready:
        raise Unavailable("The server is starting or stopping.", retry_after=1)
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(known: Known) -> Response:
    """For Prometheus. No names, no ids of rooms or people."""
    return Response(render(known.metrics), media_type=CONTENT_TYPE)
