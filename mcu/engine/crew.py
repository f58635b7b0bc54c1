"""The engine's threads: named for humans, guarded, and all of them joined at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mixdown.mcu import clock
from mixdown.mcu.engine.faults import Faults


class Crew:
    """Starts threads and remembers those that live. Daemons: a hung codec cannot keep the process from ending."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._living: set[threading.Thread] = set()

    def start(self, name: str, target: Callable[[], None]) -> threading.Thread:
        """Runs `target` on a thread `mixdown-<name>`; what it raises is counted as `<first word of name>_thread`."""
        kind = name.split("-", 1)[0]

        def run() -> None:
            with self._faults.survive(f"{kind}_thread"):
                target()
            with self._lock:
                self._living.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=f"mixdown-{name}", daemon=True)
        with self._lock:
            self._living.add(thread)
            thread.start()
        return thread

    def names(self) -> list[str]:
        with self._lock:
            return sorted(thread.name for thread in self._living)

    def join(self, deadline: float) -> list[str]:
        """Waits until clock.now() reaches `deadline`; returns the names of those that still run. Threads that come up
        meanwhile are waited for too."""
        while living := self._others():
            left = deadline - clock.now()
            if left <= 0:
                break
            living[0].join(left)
        return [thread.name for thread in living]

    def _others(self) -> list[threading.Thread]:
        with self._lock:
            self._living = {thread for thread in self._living if thread.is_alive()}
            return [thread for thread in self._living if thread is not threading.current_thread()]
