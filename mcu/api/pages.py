"""The pages: files of the package's `web` folder, served as they are."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

import mixdown

WEB = Path(mixdown.__file__).parent / "web"


class Pages(StaticFiles):
    """Files with an ETag, asked for again each time: an upgrade shows at the next reload."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


router = APIRouter(include_in_schema=False)


@router.get("/")
@router.head("/")
async def join_page(request: Request) -> Response:
    return await _page(request, "join/index.html")


@router.get("/admin")
@router.head("/admin")
async def admin_page(request: Request) -> Response:
    return await _page(request, "admin/index.html")


async def _page(request: Request, path: str) -> Response:
    if not (WEB / path).is_file():
        raise HTTPException(404)
    return await PAGES.get_response(path, request.scope)


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.mount("/web", PAGES)


PAGES = Pages(directory=WEB)
