"""A few threads for many decoders: they come when there is work and leave when there has been none for a while."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from mixdown.mcu import clock
from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.faults import Faults

Job = Callable[[], None]

HUNG_AFTER = 2.0
"Seconds in one job (a few frames, some ms each), after which another thread takes the place of the one that is in it."
MAX_HUNG = 16
"Threads that are given up at most; a thread cannot be ended from outside."


class DecoderPool:
    """Runs jobs in the order of their submission on at most `size` threads, not counting those that hang: a codec that
    does not come back costs the source whose job it was, and nobody else.

    Of the threads that wait, the one that worked last is woken: one that keeps up alone has its caches to itself.
    Unbounded itself: each source has at most one job in it (see VideoSource), each request likewise.
    """

    def __init__(self, crew: Crew, faults: Faults, size: int, idle_seconds: float) -> None:
        self._crew = crew
        self._faults = faults
        self._size = size
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._waiting: list[threading.Lock] = []
        "Of each thread that waits, the lock that it sleeps on; who was last to lie down is at the end."
        self._threads = 0
        self._closed = False
        self._serial = 0
        self._busy: dict[int, float] = {}
        "When each thread at work, by its ident, began its job."
        self._hung: set[int] = set()

    def submit(self, job: Job) -> None:
        """Never blocks for longer than it takes to start a thread. After close() jobs are dropped."""
        with self._lock:
            if self._closed:
                return
            self._jobs.append(job)
            name = self._rouse()
        if name:
            self._crew.start(name, self._work)

    def relieve(self) -> None:
        """Somebody's job waits for long: makes another thread if those that there are hang."""
        with self._lock:
            name = self._rouse() if self._jobs and not self._closed else ""
        if name:
            self._crew.start(name, self._work)

    @property
    def waiting(self) -> int:
        """Threads without work."""
        return len(self._waiting)

    def close(self) -> None:
        """Jobs already submitted are still run; the threads end after them."""
        with self._lock:
            self._closed = True
            while self._waiting:
                self._waiting.pop().release()

    def _rouse(self) -> str:
        """Wakes a thread, or counts in another, which the caller is to start by the name returned; holding the lock."""
        if self._waiting:
            self._waiting.pop().release()
            return ""
        if not self._room_for_another():
            return ""
        self._threads += 1
        self._serial += 1
        return f"decode-{self._serial}"

    def _room_for_another(self) -> bool:
        if self._threads - len(self._hung) < self._size:
            return True
        self._write_off(clock.now())
        return self._threads - len(self._hung) < self._size

    def _write_off(self, now: float) -> None:
        for thread, since in list(self._busy.items()):
            if now - since > HUNG_AFTER and thread not in self._hung and len(self._hung) < MAX_HUNG:
                self._hung.add(thread)
                self._faults.count("decoder_hung")

    def _work(self) -> None:
        me = threading.get_ident()
        bell = threading.Lock()
        bell.acquire()
        while (job := self._next(bell)) is not None:
            self._busy[me] = clock.now()
            with self._faults.survive("decode"):
                job()
            del self._busy[me]
            if me in self._hung and self._came_back(me):
                return

    def _came_back(self, thread: int) -> bool:
        """A job that hung has ended after all. Whether its thread is one too many now."""
        with self._lock:
            self._hung.discard(thread)
            surplus = self._threads - len(self._hung) > self._size
            if surplus:
                self._threads -= 1
            return surplus

    def _next(self, bell: threading.Lock) -> Job | None:
        """The next job, or None when this thread is to end. bell: held by the thread, which sleeps on it; released by
        who takes it from `_waiting`."""
        while True:
            with self._lock:
                if self._jobs:
                    return self._jobs.popleft()
                if self._closed:
                    self._threads -= 1
                    return None
                self._waiting.append(bell)
            if not bell.acquire(timeout=self._idle_seconds):
                with self._lock:
                    if bell in self._waiting:
                        self._waiting.remove(bell)
                        self._threads -= 1
                        return None
                bell.acquire()  # rung while this thread was giving up
