"""axe-core in a page: what would keep somebody with a screen reader, a keyboard or weak eyes out."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
from playwright.async_api import Page

FOLDER = Path(sys.prefix) / "node"
"Beside the environment's own packages: gone with it."
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
VERSION = "axe-core@4"
INSTALL_SECONDS = 120
BAD = ("serious", "critical")


async def serious(page: Page) -> list[str]:
    """What axe finds that is serious or worse: rule, what it means, where. Skips the test where axe cannot be had."""
    await page.evaluate(await _script())  # by way of the debugger, which a content security policy does not stop
    found = await page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"
    )
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]} ({(node.get('failureSummary') or '')[:300]})"
        for violation in found
        if violation["impact"] in BAD
        for node in violation["nodes"]
    ]


async def _script() -> str:
    if not SCRIPT.exists():
        await _install()
    return SCRIPT.read_text() + "; undefined"


async def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so there is no axe-core: apt-get install npm")
    arguments = ("install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--silent", VERSION)
    FOLDER.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        npm,
        *arguments,
        env={**os.environ, "npm_config_update_notifier": "false"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), INSTALL_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.skip("axe-core could not be installed: npm did not answer in time")
    if process.returncode != 0 or not SCRIPT.exists():
        pytest.skip(f"axe-core could not be installed by npm: {output.decode(errors='replace')[-300:]}")
