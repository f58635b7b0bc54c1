"""The lines that the studio shows for a shell: what a shell makes of them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from playwright.async_api import Browser
from support.server import Server
from support.studio import Studio, studio

HOSTILE = """it's $HOME `id` "quoted" \\ ; rm -rf / & \n<img>"""
SECRET = "s3cret with 'quotes'"


async def line(page: Studio, call: dict[str, Any], *, open_: bool) -> str:
    script = "([call, open]) => import('/web/admin/curl.js').then(({ curl }) => curl(call, 'http://localhost:1', open))"
    return str(await page.page.evaluate(script, [call, open_]))


def words(command: str) -> list[str]:
    """What a shell gives to curl."""
    _, _, rest = command.partition("curl ")
    script = f"printf '%s\\0' {rest}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env={"MIXDOWN_SECRET": SECRET})
    return done.stdout.decode().split("\0")[:-1]


async def test_a_shell_reads_what_was_sent(server: Server, browser: Browser) -> None:
    page = await studio(browser, server.url)
    await page.open()
    body = {"name": HOSTILE}
    command = await line(page, {"method": "PATCH", "path": "/v1/rooms/a", "body": body}, open_=True)
    *rest, data = words(command)
    assert rest == ["-X", "PATCH", "http://localhost:1/v1/rooms/a", "-H", "Content-Type: application/json", "-d"]
    assert json.loads(data) == body

    command = await line(page, {"method": "DELETE", "path": "/v1/rooms/a"}, open_=False)
    assert "$MIXDOWN_SECRET" in command
    assert words(command) == ["-X", "DELETE", "http://localhost:1/v1/rooms/a", "-H", f"Authorization: Bearer {SECRET}"]
    await page.close()
