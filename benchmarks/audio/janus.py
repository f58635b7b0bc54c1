"""Janus as Debian packages it, with its AudioBridge and nothing else, in a folder of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

COMMAND = "janus"
START_SECONDS = 15.0
MAIN = """general: {{
    configs_folder = "{folder}"
    plugins_folder = "{plugins}/plugins"
    transports_folder = "{plugins}/transports"
    debug_level = 2
    session_timeout = 0
}}
nat: {{ ice_ignore_list = "vmnet" }}
plugins: {{ disable = "{disabled}" }}
transports: {{ disable = "{others}" }}
events: {{ broadcast = false }}
"""
SOCKETS = """general: {{
    json = "compact"
    ws = true
    ws_port = {port}
    ws_ip = "127.0.0.1"
    wss = false
}}
"""


@dataclass(frozen=True, slots=True)
class JanusServer:
    """url: of its WebSocket API."""

    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system."""
        return sum(self.process.cpu_times()[:2])


def folder() -> Path | None:
    """Where its plugins are, None if it is not installed."""
    if shutil.which(COMMAND) is None:
        return None
    return next((path.parent for path in Path("/usr/lib").glob("*/janus/plugins")), None)


def available() -> bool:
    return folder() is not None


async def version() -> str:
    """As in "1.1.2"."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    text = (await process.communicate())[0].decode()
    return next((line.rsplit("(", 1)[-1].rstrip(")") for line in text.splitlines() if "ersion" in line), "unknown")


@asynccontextmanager
async def running_janus() -> AsyncIterator[JanusServer]:
    """Raises RuntimeError if it does not come up."""
    installed = folder()
    assert installed is not None
    with tempfile.TemporaryDirectory(prefix="mixdown-janus-") as place:
        port = _free_port()
        _configure(Path(place), installed, port)
        log = (Path(place) / "log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "-F", place, "-C", f"{place}/janus.jcfg"), stdout=log, stderr=log
        )
        try:
            await _until_up(port, process, Path(place) / "log")
            yield JanusServer(f"ws://127.0.0.1:{port}", psutil.Process(process.pid))
        finally:
            log.close()
            if process.returncode is None:
                process.kill()
            await process.wait()


def _configure(place: Path, installed: Path, port: int) -> None:
    main = MAIN.format(
        folder=place,
        plugins=installed,
        disabled=_all_but("audiobridge", installed / "plugins"),
        others=_all_but("websockets", installed / "transports"),
    )
    (place / "janus.jcfg").write_text(main)
    (place / "janus.transport.websockets.jcfg").write_text(SOCKETS.format(port=port))
    (place / "janus.plugin.audiobridge.jcfg").write_text("general: { }\n")


def _all_but(name: str, place: Path) -> str:
    return ",".join(path.name for path in sorted(place.glob("*.so")) if name not in path.name)


async def _until_up(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    """Raises RuntimeError with what it said."""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return
    said = await asyncio.to_thread(log.read_text)
    raise RuntimeError(f"Janus does not come up:\n{said[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
