"""`/docs`: the OpenAPI document as one page. Without scripts, so that nobody else's run beside the admin's rights."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response

router = APIRouter(include_in_schema=False)
Json = dict[str, Any]


@router.get("/docs")
async def docs(request: Request) -> Response:
    return Response(page(request.app.openapi()), media_type="text/html")


def page(document: Json) -> str:
    """HTML, whole."""
    schemas = document["components"]["schemas"]
    calls = "".join(
        _call(path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()
    )
    shapes = "".join(_shape(name, schema) for name, schema in sorted(schemas.items()))
    title = f"{escape(document['info']['title'])} {escape(document['info']['version'])}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}: HTTP API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/web/shared/docs.css">'
        f'<main><h1>{title}</h1><p>For programs: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<h2>Calls</h2>{calls}<h2>Shapes</h2>{shapes}</main></html>"
    )


def _call(path: str, method: str, operation: Json) -> str:
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({p['in']}): {_type(p['schema'])}</li>"
        for p in operation.get("parameters", ())
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = "".join(f"<li>{status}: {_answer(answer)}</li>" for status, answer in operation["responses"].items())
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary>"
        f"<p>{escape(operation.get('description') or operation.get('summary') or '')}</p><ul>{parameters}"
        f"{f'<li>body: {_type(body)}</li>' if body else ''}{answers}</ul></details>"
    )


def _answer(answer: Json) -> str:
    types = [_type(content.get("schema", {})) or escape(name) for name, content in answer.get("content", {}).items()]
    return ", ".join(types) or escape(answer.get("description", ""))


def _shape(name: str, schema: Json) -> str:
    members = "".join(
        f"<li><code>{escape(member)}</code>: {_type(of)}</li>" for member, of in schema.get("properties", {}).items()
    )
    values = " ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", ()))
    text = escape(schema.get("description", ""))
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3><p>{text}</p>{values}<ul>{members}</ul></section>'


def _type(schema: Json) -> str:
    """What a value may be, in few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    limits = ", ".join(_limits(schema))
    return escape(str(schema.get("type", schema.get("const", "")))) + (f" ({escape(limits)})" if limits else "")


def _limits(schema: Json) -> Iterator[str]:
    for key in ("minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern", "const", "default"):
        if key in schema:
            yield f"{key} {schema[key]}"
