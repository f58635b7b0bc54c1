"""All that Mixdown touches of aiortc's non-public names, in one place; aioice's are in `aioice_private.py`.

tests/mcu/test_aiortc_private.py fails when an upgrade moves any of them. What is used, and why:

- `RTCIceGatherer._connection`: replaced by our `IceConnection`.
- `RTCDtlsTransport._rx_srtp`, `_tx_srtp`: the SRTP sessions that its handshake made.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceServer, RTCIceTransport
from aiortc.rtcicetransport import connection_kwargs
from pylibsrtp import Session

from mixdown.mcu.edge.aioice_private import IceConnection
from mixdown.mcu.edge.turn import login
from mixdown.mcu.edge.types import EdgeConfig


class Transport:
    """ICE and DTLS of one peer, bundled: one of each. Callbacks come on the event loop. loopback: the peer is on this
    machine, and may be reached over 127.0.0.1."""

    def __init__(
        self, config: EdgeConfig, certificate: RTCCertificate, counters: Counter[str], *, loopback: bool = True
    ) -> None:
        logins = [(server.url, *login(server)) for server in config.ice_servers]
        servers = [RTCIceServer(urls=url, username=user, credential=word) for url, user, word in logins]
        gatherer = RTCIceGatherer(iceServers=servers)
        self.ice = IceConnection(config, counters, loopback=loopback, **connection_kwargs(servers))
        gatherer._connection = self.ice
        self.gatherer = gatherer
        self.ice_transport = RTCIceTransport(gatherer)
        self.dtls = RTCDtlsTransport(self.ice_transport, [certificate])

    def set_role(self, *, client: bool) -> None:
        """The DTLS role, before the handshake: client is `a=setup:active`."""
        self.dtls._set_role("client" if client else "server")

    def srtp_sessions(self) -> tuple[Session, Session]:
        """(receive, send), once DTLS is connected."""
        return self.dtls._rx_srtp, self.dtls._tx_srtp

    async def stop(self, deadline: float) -> bool:
        """DTLS says goodbye, ICE ends, the sockets are closed; after `deadline` seconds they are, whatever still goes
        on. Whether it all ended by itself."""
        stopping = asyncio.create_task(self._stop())
        await asyncio.wait((stopping,), timeout=deadline)
        if stopping.done() and stopping.exception() is None:
            return True
        stopping.cancel()
        self.ice.abort()
        return False

    async def _stop(self) -> None:
        try:
            await self.dtls.stop()
        finally:
            await self.ice_transport.stop()
