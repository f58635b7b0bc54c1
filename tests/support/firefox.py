"""Debian's Firefox ESR through WebDriver BiDi, one process per client."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.bidi import Bidi, evaluate
from support.namespace import Namespace
from support.net import free_port
from support.page_client import PageClient, init_script
from support.sources import Source

EXECUTABLE = "/usr/bin/firefox-esr"
PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-manager.url": "",
    "media.gmp-provider.enabled": False,
    "dom.timeout.enable_budget_timer_throttling": False,
    "dom.min_background_timeout_value": 4,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.newtabpage.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


def _literal(value: bool | int | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{value}"'


class FirefoxPage:
    def __init__(self, session: Bidi, context: str) -> None:
        self.session = session
        self.context = context

    async def goto(self, url: str) -> None:
        await self.session.command(
            "browsingContext.navigate", {"context": self.context, "url": url, "wait": "complete"}
        )

    async def evaluate(self, expression: str) -> Any:
        return await evaluate(self.session, self.context, expression)

    async def press(self, x: float, y: float) -> None:
        steps = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": steps}
        await self.session.command("input.performActions", {"context": self.context, "actions": [mouse]})

    async def screenshot(self) -> bytes:
        """PNG, of what is to be seen."""
        answer = await self.session.command("browsingContext.captureScreenshot", {"context": self.context})
        return base64.b64decode(answer["data"])

    async def close(self) -> None:
        """The page goes with its browser."""


@asynccontextmanager
async def firefox_client(
    source: Source, *, focused: bool = False, place: Namespace | None = None
) -> AsyncIterator[PageClient]:
    """focused: in a window that has the focus, which the first one of a headless Firefox has not; for full screen.
    place: where it runs, instead of here."""
    with tempfile.TemporaryDirectory(prefix="mixdown-firefox-", ignore_cleanup_errors=True) as folder:
        source = replace(source, fake_microphone=True)
        preferences = PREFERENCES | {"media.navigator.audio.fake_frequency": source.tone}
        if focused:
            preferences["full-screen-api.allow-trusted-requests-only"] = False  # a script's click will do
        lines = [f'user_pref("{name}", {_literal(value)});' for name, value in preferences.items()]
        await asyncio.to_thread(Path(folder, "user.js").write_text, "\n".join(lines))
        port = free_port()
        program = place.command(EXECUTABLE) if place else (EXECUTABLE,)
        process = await asyncio.create_subprocess_exec(
            *program, "--headless", "--no-remote", "--profile", folder, f"--remote-debugging-port={port}",
            "--width=640", "--height=420", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "MOZ_DISABLE_CONTENT_SANDBOX": "1", "HOME": folder},
        )  # fmt: skip
        session = None
        try:
            session = await Bidi.start(port, place)
            context = await _window(session, focused)
            script = "() => {" + init_script(source) + "}"
            await session.command("script.addPreloadScript", {"functionDeclaration": script})
            yield PageClient(FirefoxPage(session, context), source)
        finally:
            if session is not None:
                await session.close()
            await _end(process)


async def _window(session: Bidi, focused: bool) -> str:
    if not focused:
        tree = await session.command("browsingContext.getTree", {})
        return str(tree["contexts"][0]["context"])
    context = (await session.command("browsingContext.create", {"type": "window"}))["context"]
    viewport = {"width": 640, "height": 420}
    await session.command("browsingContext.setViewport", {"context": context, "viewport": viewport})
    return str(context)


async def _end(process: asyncio.subprocess.Process) -> None:
    """The whole session of processes that was started here, and only that."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:
            os.killpg(process.pid, sign)
        try:
            async with asyncio.timeout(5):
                await process.wait()
            return
        except TimeoutError:
            continue
