"""The server as a user starts it: the `mixdown serve` command in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from support.http import Api
from support.net import free_port

COMMAND = Path(sys.executable).with_name("mixdown")
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class Server:
    """One data directory and one port, over restarts. lan: the address to serve HTTPS on as well."""

    def __init__(self, folder: Path, *options: str, lan: str | None = None) -> None:
        self.folder = folder
        self.options = options
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.lan = ("--lan-host", lan, "--lan-port", str(free_port())) if lan else ("--no-lan",)
        self.lan_url = f"https://{lan}:{self.lan[-1]}"
        self.log = folder / "log"
        self.api = Api(self.url)
        self.environment: Mapping[str, str] = {}  # beside this process's own
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def cpu_seconds(self) -> float:
        """User and system, of the server and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in family)

    async def start(self) -> None:
        arguments = [
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            *self.lan,
            "--data-dir",
            str(self.folder),
        ]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                COMMAND,
                *arguments,
                "--log-format",
                "json",
                *self.options,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
            )
        async with asyncio.timeout(START_SECONDS):
            while not await self._ready():
                if self._process.returncode is not None:
                    raise RuntimeError(f"the server ended at its start:\n{self.log.read_text()}")
                await asyncio.sleep(0.05)

    async def _ready(self) -> bool:
        try:
            return (await self.api.raw("GET", "/readyz")).status_code == 200
        except OSError:
            return False
        except Exception as error:
            if type(error).__name__ in ("ConnectError", "ReadError", "RemoteProtocolError"):
                return False
            raise

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code. A server that does not end in time is killed, and that is an error."""
        process = self._process
        assert process is not None
        if process.returncode is None:
            process.send_signal(sign)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise RuntimeError(f"the server did not end within {STOP_SECONDS} s") from None

    def check_log(self) -> None:
        text = self.log.read_text()
        assert "Traceback" not in text, text[-8000:]
        assert "never retrieved" not in text, text[-8000:]


@asynccontextmanager
async def running_server(*options: str, lan: str | None = None) -> AsyncIterator[Server]:
    """Started, and at the end: stopped in time, exit code 0, no traceback in its log."""
    with tempfile.TemporaryDirectory(prefix="mixdown-test-") as folder:
        server = Server(Path(folder), *options, lan=lan)
        try:
            await server.start()
            yield server
            assert await server.stop() == 0, server.log.read_text()[-4000:]
            server.check_log()
        finally:
            await server.api.close()
            if server._process is not None and server._process.returncode is None:
                server._process.kill()
                await server._process.wait()
