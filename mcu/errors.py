"""Every error that a caller of Mixdown can meet.

MixdownError                    500  (never raised itself)
  BadRequest                    400  something in the request cannot be meant
    BadOffer                    400  SDP that cannot be answered
  NotAuthorised                 401
  Forbidden                     403
  NotFound                      404
  NotAcceptable                 406  no common codec
  Conflict                      409
  Gone                          410  the room was ended by an admin
  PayloadTooLarge               413
  Locked                        423  the room takes nobody in
  TooMany                       429
  Unavailable                   503  overloaded, or the mixer does not answer
"""

from __future__ import annotations

from http import HTTPStatus


class MixdownError(Exception):
    """`detail` is written for the person who reads it; it becomes the body of an application/problem+json answer."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class BadRequest(MixdownError):
    status = HTTPStatus.BAD_REQUEST


class BadOffer(BadRequest):
    pass


class NotAuthorised(MixdownError):
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(MixdownError):
    status = HTTPStatus.FORBIDDEN


class NotFound(MixdownError):
    status = HTTPStatus.NOT_FOUND


class NotAcceptable(MixdownError):
    status = HTTPStatus.NOT_ACCEPTABLE


class Conflict(MixdownError):
    status = HTTPStatus.CONFLICT


class Gone(MixdownError):
    status = HTTPStatus.GONE


class PayloadTooLarge(MixdownError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Locked(MixdownError):
    status = HTTPStatus.LOCKED


class TooMany(MixdownError):
    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(MixdownError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
