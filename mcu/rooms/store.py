"""What the server remembers over a restart: one small SQLite database, written off the event loop."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

Key = tuple[str, str]
"Room and participant; _LAYOUTS instead of a room, since no room is called that."
Record = dict[str, Any]

_LAYOUTS = "%layouts"

SCHEMA = 1
_CREATE = """
CREATE TABLE IF NOT EXISTS record (
    room TEXT NOT NULL,
    participant TEXT NOT NULL,  -- '' for the room's own record
    body TEXT NOT NULL,         -- JSON
    PRIMARY KEY (room, participant)
) WITHOUT ROWID
"""


class Store:
    """Keeps the newest record of each room and participant.

    Writes are gathered by key (newest wins, so the backlog is bounded by the number of rooms and participants) and
    committed by one thread; what was put in the last milliseconds before a crash is lost, nothing else.
    """

    def __init__(self, path: Path, on_error: Callable[[], None] = lambda: None) -> None:
        """Raises OSError or sqlite3.Error if the file cannot be used."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._migrate()
        self._on_error = on_error
        self._lock = Lock()
        self._pending: dict[Key, str | None] = {}
        self._writer = ThreadPoolExecutor(1, "store")
        self._writing = False

    def _migrate(self) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA):
            raise sqlite3.DatabaseError(f"rooms.db was written by another version of Mixdown (schema {version}).")
        self._database.execute(_CREATE)
        self._database.execute(f"PRAGMA user_version = {SCHEMA}")

    def load(self) -> tuple[list[Record], dict[str, list[Record]]]:
        """The rooms, and each one's participants by its id. Called once, before anything is put."""
        rooms: list[Record] = []
        people: dict[str, list[Record]] = {}
        for room, participant, body in self._database.execute("SELECT room, participant, body FROM record"):
            if room == _LAYOUTS:
                continue
            if participant:
                people.setdefault(room, []).append(json.loads(body))
            else:
                rooms.append(json.loads(body))
        return rooms, people

    def load_layouts(self) -> list[Record]:
        found = self._database.execute("SELECT body FROM record WHERE room = ?", (_LAYOUTS,))
        return [json.loads(body) for (body,) in found]

    def put_layout(self, name: str, record: Record) -> None:
        self.put(_LAYOUTS, record, name)

    def drop_layout(self, name: str) -> None:
        self.drop(_LAYOUTS, name)

    def put(self, room: str, record: Record, participant: str = "") -> None:
        self._queue((room, participant), json.dumps(record, separators=(",", ":")))

    def drop(self, room: str, participant: str = "") -> None:
        """Forgets one participant; without one, the room's own record (its participants are dropped one by one)."""
        self._queue((room, participant), None)

    def _queue(self, key: Key, body: str | None) -> None:
        with self._lock:
            self._pending[key] = body
            if self._writing:
                return
            self._writing = True
        self._writer.submit(self._write)

    def _write(self) -> None:
        while True:
            with self._lock:
                batch, self._pending = self._pending, {}
                self._writing = bool(batch)
            if not batch:
                return
            try:
                self._commit(batch)
            except sqlite3.Error:
                self._on_error()

    def _commit(self, batch: dict[Key, str | None]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for (room, participant), body in batch.items():
                if body is None:
                    self._database.execute("DELETE FROM record WHERE room = ? AND participant = ?", (room, participant))
                else:
                    self._database.execute("REPLACE INTO record VALUES (?, ?, ?)", (room, participant, body))
        except sqlite3.Error:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Blocks until everything is written."""
        self._writer.shutdown(wait=True)
        self._database.close()
