"""The OpenAPI document: FastAPI's own, with failures as they really are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mixdown.mcu.api.problems import MEDIA_TYPE
from mixdown.mcu.api.schemas import Problem

_REFERENCE = {"$ref": "#/components/schemas/Problem"}
_FAILURE = {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": _REFERENCE}}}
_OPEN = frozenset(
    ("/healthz", "/readyz", "/metrics", "/v1/layouts", "/v1/layouts/{name}", "/v1/layouts/{name}/preview.svg")
)


def install(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The admin secret, or a participant's token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "mixdown_session"},
    }
    for path, operation in _operations(document):
        operation["responses"].pop("422", None)
        operation["responses"]["4XX"] = _FAILURE
        operation["responses"]["5XX"] = _FAILURE
        if path not in _OPEN:
            operation["security"] = [{}, {"bearer": []}, {"session": []}]
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation
