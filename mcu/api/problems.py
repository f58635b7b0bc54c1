"""Every failure as application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mixdown.mcu.errors import MixdownError

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20
"Faults of one request that are listed."


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, errors: Sequence[Any] | None = None
) -> Response:
    """`detail` is for the person who reads it. What a client sent may be in it: escapes keep it encodable."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = list(errors)
    return Response(json.dumps(body), status, headers, media_type=MEDIA_TYPE)


def from_error(error: MixdownError) -> Response:
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="mixdown"'
    return problem(error.status, error.detail, headers=headers)


def install(app: FastAPI) -> None:
    app.add_exception_handler(MixdownError, _mixdown)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _mixdown(request: Request, error: Exception) -> Response:
    assert isinstance(error, MixdownError)
    return from_error(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"loc": [str(part) for part in fault["loc"]], "msg": str(fault["msg"])} for fault in error.errors()[:MAX_ERRORS]
    ]
    first = faults[0] if faults else {"loc": [], "msg": "cannot be read"}
    detail = f"{'.'.join(first['loc'])}: {first['msg']}"
    return problem(HTTPStatus.BAD_REQUEST, detail, errors=faults)


async def _http(request: Request, error: Exception) -> Response:
    """Starlette's own: unknown paths, methods that a path does not know, bodies that cannot be read."""
    assert isinstance(error, HTTPException)
    details = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path}.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here.",
    }
    status = HTTPStatus(error.status_code)
    return problem(status, details.get(status, str(error.detail)), headers=error.headers)
