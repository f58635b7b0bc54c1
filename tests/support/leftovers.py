"""Network namespaces that a killed run left behind: they hold addresses, routes, and browsers that nobody ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress

OURS = re.compile(r"(?:mx|mixdown-)(\d+)(?:[a-z-].*)?")
"Whoever makes a namespace puts its process id there."


def owner(namespace: str) -> int | None:
    """The process that made it; None: none of ours."""
    match = OURS.fullmatch(namespace)
    return int(match[1]) if match else None


def clear_leftovers() -> list[str]:
    """Deletes the namespaces of processes that are no more, and ends what still runs in them; their names."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    dead = [name for name in names if (pid := owner(name)) is not None and not os.path.exists(f"/proc/{pid}")]
    for name in dead:
        inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
        for pid in inside.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    _clear_addresses()
    return dead


def label() -> str:
    """For an address on lo that this process puts there."""
    return f"lo:{os.getpid()}"


def _clear_addresses() -> None:
    command = ["ip", "-o", "-4", "address", "show", "dev", "lo"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    for address, pid in re.findall(r"inet (\S+) .*\blo:(\d+)\b", shown.stdout):
        if not os.path.exists(f"/proc/{pid}"):
            subprocess.run(["ip", "address", "delete", address, "dev", "lo"], capture_output=True, check=False)
