"""Logins of TURN servers. Those that share a secret with Mixdown (coturn's `use-auth-secret`) get one made for the
time: user "<expiry>:mixdown", password base64(HMAC-SHA1(secret, user)), as draft-uberti-behave-turn-rest-00 has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

from mixdown.mcu.clock import wall_time
from mixdown.mcu.edge.types import IceServer

USER = "mixdown"


def login(server: IceServer, moment: datetime | None = None) -> tuple[str | None, str | None]:
    """(username, credential) to be used from `moment` (now) on; (None, None) for STUN and for servers without any.

    A login made for the time is looked at when a relay is asked for, and not again while that relay is kept.
    """
    if server.secret is None:
        return server.username, server.credential
    expiry = int((moment or wall_time()).timestamp()) + server.lifetime
    username = f"{expiry}:{server.username or USER}"
    digest = hmac.digest(server.secret.encode(), username.encode(), hashlib.sha1)
    return username, base64.b64encode(digest).decode("ascii")
