"""Who calls, as far as the network tells, and how often one may guess a secret."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from mixdown.mcu.clock import now
from mixdown.mcu.edge.addresses import is_local, network_of
from mixdown.mcu.edge.budget import Budget
from mixdown.mcu.errors import TooMany

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

GUESSES, SECONDS_A_GUESS = 20, 3
"Wrong secrets of one address: so many at once, then one in so many seconds."
MAX_CALLERS = 4096
"Addresses whose wrong secrets are remembered; who guessed longest ago is forgotten first."


def caller_of(connection: HTTPConnection, proxies: Iterable[Network] = ()) -> str:
    """The address that a call came from; '' where it came through a proxy of this machine that is not in `proxies`.

    `X-Forwarded-For` is believed from trusted proxies only, and of it the last address that is not one of theirs:
    what stands before that a caller can have written himself.
    """
    address = connection.client.host if connection.client else ""
    if not _among(address, proxies):
        forwarded = "forwarded" in connection.headers or "x-forwarded-for" in connection.headers
        return "" if forwarded and is_local(address) else address
    told = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    hops = [hop.strip() for hop in told if hop.strip()] or [address]
    return next((hop for hop in reversed(hops) if not _among(hop, proxies)), hops[0])


def _among(address: str, networks: Iterable[Network]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip.version == network.version and ip in network for network in networks)


@dataclass(slots=True)
class Guesses:
    """Wrong secrets, by caller. clock: seconds, monotonic."""

    clock: Callable[[], float] = now
    refused: int = 0
    _budgets: OrderedDict[str, Budget] = field(default_factory=OrderedDict)

    def check(self, caller: str) -> None:
        """Before a secret is looked at. Raises TooMany if this caller guessed too often."""
        budget = self._budgets.get(network_of(caller))
        wait = budget.wait(1, self.clock()) if budget else 0.0
        if wait > 0:
            self.refused += 1
            raise TooMany("Too many wrong secrets from this address.", retry_after=math.ceil(wait))

    def counted(self) -> dict[str, float]:
        return {"refused": self.refused}

    def wrong(self, caller: str) -> None:
        network = network_of(caller)
        budget = self._budgets.setdefault(network, Budget(1 / SECONDS_A_GUESS, GUESSES))
        self._budgets.move_to_end(network)
        if len(self._budgets) > MAX_CALLERS:
            self._budgets.popitem(last=False)
        budget.spend(1, self.clock())
