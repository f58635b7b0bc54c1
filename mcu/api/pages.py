"""The pages: files of the package's `web` folder, served as they are."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

import mixdown
from mixdown.mcu.api.guard import CONTENT_POLICY
from mixdown.mcu.config import Settings

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
    """The one page that may stand in a frame, of those whom the settings name."""
    page = await _page(request, "join/index.html")
    page.headers["Content-Security-Policy"] = f"{CONTENT_POLICY}; frame-ancestors {request.app.state.embed}"
    page.headers["X-Frame-Options"] = "SAMEORIGIN"  # not looked at where the policy's frame-ancestors are known
    return page


@router.get("/admin")
@router.head("/admin")
async def admin_page(request: Request) -> Response:
    return await _page(request, "admin/index.html")


async def _page(request: Request, path: str) -> Response:
    if not (WEB / path).is_file():
        raise HTTPException(404)
    return await PAGES.get_response(path, request.scope)


def install(app: FastAPI, settings: Settings) -> None:
    app.state.embed = " ".join(settings.embed_origins) or "'none'"
    app.include_router(router)
    app.mount("/web", PAGES)


PAGES = Pages(directory=WEB)
