"""The data directory: what the server keeps between two starts."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from mixdown.mcu.errors import Conflict
from mixdown.mcu.rooms.tokens import new_token


@dataclass(frozen=True, slots=True)
class AdminSecret:
    """path: where it is kept, None if it was configured. fresh: made just now."""

    value: str
    path: Path | None = None
    fresh: bool = False


class DataDir:
    """Made with mode 0700. One server at a time holds it."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self.path = path
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock: int | None = None

    @property
    def rooms(self) -> Path:
        return self.path / "rooms.db"

    @property
    def certificate(self) -> Path:
        return self.path / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.path / "certificate.key"

    def hold(self) -> None:
        """Raises Conflict if another server uses it: two would overwrite each other's rooms."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise Conflict(f"Another server uses {self.path}. Give this one its own with --data-dir.") from None
        self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def admin_secret(self, configured: str | None) -> AdminSecret:
        """The configured one, else the one kept here, made at the first start and readable by its owner only."""
        if configured:
            return AdminSecret(configured)
        path = self.path / "admin-secret"
        if path.is_file() and (kept := path.read_text().strip()):
            return AdminSecret(kept, path)
        made = new_token()
        write_private(path, made.encode() + b"\n")
        return AdminSecret(made, path, fresh=True)


def write_private(path: Path, content: bytes) -> None:
    """Written whole or not at all, mode 0600 from the start."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    scratch.replace(path)
