"""The command as a user runs it: two listeners, what it prints, how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import ssl
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

import mixdown
from mixdown.mcu import cli
from mixdown.mcu.cli import qr_code
from mixdown.mcu.datadir import DataDir
from mixdown.mcu.errors import Conflict
from mixdown.mcu.serve import is_loopback, listen

COMMAND = str(Path(sys.executable).with_name("mixdown"))
DEADLINE = 30


class Running:
    def __init__(self, process: asyncio.subprocess.Process, printed: str) -> None:
        self.process = process
        self.printed = printed

    def url(self, scheme: str) -> str:
        found = re.search(rf"{scheme}://\S+", self.printed)
        assert found, self.printed
        return found[0]


@asynccontextmanager
async def running(data: Path, *options: str) -> AsyncIterator[Running]:
    """Printed so far: up to the line that comes last at the start."""
    process = await asyncio.create_subprocess_exec(
        *(COMMAND, "serve", "--port", "0", "--lan-port", "0", "--data-dir", str(data), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = ""
    try:
        async with asyncio.timeout(DEADLINE):
            assert process.stdout is not None
            while "Ctrl-C" not in printed and (line := await process.stdout.readline()):
                printed += line.decode()
        yield Running(process, printed)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            await process.communicate()


async def test_two_listeners_a_secret_and_a_clean_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running(data) as server:
        secret_file = data / "admin-secret"
        secret = secret_file.read_text().strip()
        assert secret in server.printed and "█" in server.printed
        assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"{server.url('http')}/v1/rooms")).status_code == 200
        trusting = ssl.create_default_context(cafile=str(data / "certificate.pem"))
        port = server.url("https").rsplit(":", 1)[1].rstrip("/")
        async with httpx2.AsyncClient(verify=trusting, base_url=f"https://localhost:{port}") as client:
            assert (await client.get("/v1/rooms")).status_code == 401
            assert (await client.get("/v1/rooms", headers={"Authorization": f"Bearer {secret}"})).status_code == 200
            assert (await client.get("/")).status_code == 200
        second = await asyncio.create_subprocess_exec(
            *(COMMAND, "serve", "--port", "0", "--no-lan", "--data-dir", str(data)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await second.communicate()
        assert second.returncode == 1 and b"Another server uses" in told and b"Traceback" not in told
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            rest, _ = await server.process.communicate()
        assert server.process.returncode == 0 and b"Traceback" not in rest
    async with running(data, "--no-lan") as server:
        assert secret not in server.printed and "https" not in server.printed


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    (taken,) = [bound for bound in listen("127.0.0.1", 0) if bound.family.name == "AF_INET"]
    with taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *(COMMAND, "serve", "--port", port, "--no-lan", "--data-dir", str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        assert process.returncode == 1 and port.encode() in told and b"Traceback" not in told


def test_the_commands_that_end_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXDOWN_DATA_DIR", str(tmp_path))
    runner = CliRunner()
    assert runner.invoke(cli.app, ["version"]).output.strip() == mixdown.__version__
    examined = runner.invoke(cli.app, ["doctor", "--json", "--port", "0", "--lan-port", "0"])
    report = json.loads(examined.output)
    assert examined.exit_code == 0 and report["ok"]
    subjects = {finding["subject"] for finding in report["findings"]}
    assert {"video", "sound", "sending", "names", "data", "certificate", "ports", "network", "pages"} <= subjects
    wrong = runner.invoke(cli.app, ["serve", "--port", "70000"])
    assert wrong.exit_code == 1 and "http_port" in wrong.output
    assert runner.invoke(cli.app, ["serve", "--config", "/nowhere.toml"]).exit_code == 1


def test_the_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    runner = CliRunner()
    (tmp_path / "file").write_text("")
    with listen("127.0.0.1", 0)[0] as taken:
        port = str(taken.getsockname()[1])
        options = ["doctor", "--json", "--port", port, "--lan-port", "0", "--data-dir", str(tmp_path / "file")]
        examined = runner.invoke(cli.app, options)
    report = json.loads(examined.output)
    assert examined.exit_code == 1 and not report["ok"]
    failed = {f["subject"]: f["advice"] for f in report["findings"] if f["verdict"] == "failed"}
    assert failed.keys() == {"data", "ports"} and all(failed.values())


def test_one_server_holds_the_data(tmp_path: Path) -> None:
    first, second = DataDir(tmp_path), DataDir(tmp_path)
    first.hold()
    with pytest.raises(Conflict):
        second.hold()
    first.release()
    second.hold()
    second.release()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("192.0.2.1", False), ("box", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_qr_code_in_half_blocks() -> None:
    rows = qr_code("https://192.0.2.2:8443").split("\n")
    assert len(rows) == (25 + 4 + 1) // 2 and {len(row) for row in rows} == {25 + 4}
    assert set("".join(rows)) <= set(" ▀▄█")
