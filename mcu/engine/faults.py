"""Counting, and surviving: what goes wrong on an engine's threads shows in /metrics and ends nothing."""

from __future__ import annotations

import threading
from collections import Counter
from types import TracebackType

import structlog

log = structlog.get_logger("engine")

MAX_NAMES = 256
"Names are made by code, never by input; the bound is for the day when somebody errs."
LOGGED_EACH = 5
"Tracebacks logged per name; after that only the count goes on."


class Faults:
    """Counters by name; any thread."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str, amount: int = 1) -> int:
        """Adds and returns the new count."""
        with self._lock:
            if name not in self._counts and len(self._counts) >= MAX_NAMES:
                name = "other"
            self._counts[name] += amount
            return self._counts[name]

    def snapshot(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def survive(self, where: str) -> Survive:
        """`with faults.survive("tick"):` counts an exception as `tick_error` and goes on behind the block."""
        return Survive(self, where)


class Survive:
    """A class and not a generator: it is entered for every tick and every frame."""

    __slots__ = ("_faults", "_where")

    def __init__(self, faults: Faults, where: str) -> None:
        self._faults = faults
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if self._faults.count(f"{self._where}_error") <= LOGGED_EACH:
            log.error("engine_exception", where=self._where, exc_info=error)
        return True
