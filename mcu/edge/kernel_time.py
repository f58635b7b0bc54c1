"""When a datagram really came: by the kernel's stamp (SIOCGSTAMPNS), not by when the event loop got round to it.

A browser's congestion control measures its line by how far apart packets that it sent together arrive. A busy loop
reads them at once, and the line would seem as wide as memory is fast, which the browser rightly does not believe.
"""

from __future__ import annotations

import fcntl
import socket
import struct

from mixdown.mcu import clock

SIOCGSTAMPNS = 0x8907
"Linux: the stamp of the datagram that was read last from a socket. The first call switches stamping on."
OLDEST = 0.25
"Seconds that a datagram may have waited in a socket. What seems older was stamped before the wall clock was set."
_STAMP = struct.Struct("@ll")


class KernelTime:
    """Of one socket at a time. Costs a system call; asked right after a datagram was read."""

    def __init__(self) -> None:
        self._buffer = bytearray(_STAMP.size)

    def arrival(self, sock: socket.socket | None, now: float) -> float:
        """Monotonic seconds; `now` where the kernel does not know: no socket of our own (a relay), no stamp yet."""
        if sock is None:
            return now
        try:
            fcntl.ioctl(sock, SIOCGSTAMPNS, self._buffer)
        except OSError:
            return now
        seconds, nanoseconds = _STAMP.unpack(self._buffer)
        age = clock.since(seconds + nanoseconds * 1e-9)
        return clock.now() - age if 0.0 < age < OLDEST else now
