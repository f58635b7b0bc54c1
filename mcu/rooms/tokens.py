"""Secrets: made at random, kept and compared as digests only."""

from __future__ import annotations

import hashlib
import hmac
import secrets

PARTICIPANT_ID_BYTES = 6
TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits, URL safe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_id() -> str:
    """A participant's id: 12 hex digits, so that source ids made from it stay readable."""
    return secrets.token_hex(PARTICIPANT_ID_BYTES)


def digest(token: str) -> str:
    """What is stored. A plain hash is enough, because a token is no password but 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "backslashreplace")).hexdigest()


def same(given: str, expected: str) -> bool:
    """Compares in constant time, whatever characters a client sent."""
    return hmac.compare_digest(digest(given), digest(expected))
