"""`/v1/session`: the admin's cookie."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from mixdown.mcu.api.auth import COOKIE
from mixdown.mcu.api.callers import caller_of
from mixdown.mcu.api.schemas import SessionBody
from mixdown.mcu.api.services import SESSION_SECONDS, Known
from mixdown.mcu.errors import NotAuthorised
from mixdown.mcu.rooms.tokens import same

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post("", status_code=HTTPStatus.NO_CONTENT)
async def open_session(body: SessionBody, request: Request, response: Response, known: Known) -> None:
    """Trades the admin secret for a cookie that the browser sends along."""
    caller = caller_of(request, known.trusted_proxies)
    known.guesses.check(caller)
    if known.admin_secret is None or not same(body.secret, known.admin_secret):
        known.guesses.wrong(caller)
        raise NotAuthorised("This is not the admin secret.")
    response.set_cookie(
        COOKIE,
        known.sessions.open(),
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
async def close_session(request: Request, response: Response, known: Known) -> None:
    known.sessions.close(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
