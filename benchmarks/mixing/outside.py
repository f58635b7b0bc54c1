"""Other people's mixers, looked at from outside: where their output arrives, and what their process spends."""

from __future__ import annotations

import socket
import subprocess
import time

import psutil

MAX_PAYLOAD = 1200
"Bytes of a packet, as the server's."


class Outputs:
    """UDP sockets on loopback, one for each receiver."""

    def __init__(self, count: int) -> None:
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for sock in self._sockets:
            sock.bind(("127.0.0.1", 0))

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *error: object) -> None:
        for sock in self._sockets:
            sock.close()

    @property
    def ports(self) -> list[int]:
        return [sock.getsockname()[1] for sock in self._sockets]

    def heard(self, seconds: float) -> tuple[int, int]:
        """Pictures (by RTP's marker) and bytes that reach the first one in so many seconds; what waited before is
        thrown away."""
        sock = self._sockets[0]
        sock.setblocking(False)
        try:
            while sock.recv(2048):
                pass
        except BlockingIOError:
            pass
        end, pictures, size = time.monotonic() + seconds, 0, 0
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                packet = sock.recv(2048)
            except TimeoutError:
                break
            pictures, size = pictures + (packet[1] >> 7), size + len(packet)
        return pictures, size


def cores_and_pictures(process: subprocess.Popen[bytes], outputs: Outputs, seconds: float) -> dict[str, float]:
    """cores: CPU seconds a second of the process; fps, kbps: of the first output. RuntimeError with what it said if
    nothing came."""
    watched = psutil.Process(process.pid)
    times, begun = watched.cpu_times(), time.monotonic()
    pictures, size = outputs.heard(seconds)
    after, elapsed = watched.cpu_times(), time.monotonic() - begun
    if not pictures:
        process.kill()
        said = process.stderr.read() if process.stderr else b""
        raise RuntimeError(f"no picture came: {said.decode(errors='replace')[-1000:]}")
    cores = (sum(after[:2]) - sum(times[:2])) / elapsed
    return {"cores": cores, "fps": pictures / elapsed, "kbps": size * 8 / 1000 / elapsed}
