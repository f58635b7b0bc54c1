"""A few threads for many decoders: they come when there is work and leave when there has been none for a while."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mixdown.mcu.engine.crew import Crew
from mixdown.mcu.engine.faults import Faults

Job = Callable[[], None]


class DecoderPool:
    """Runs jobs in the order of their submission on at most `size` threads.

    Unbounded itself: each source has at most one job in it (see VideoSource), each request likewise.
    """

    def __init__(self, crew: Crew, faults: Faults, size: int, idle_seconds: float) -> None:
        self._crew = crew
        self._faults = faults
        self._size = size
        self._idle_seconds = idle_seconds
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._closed = False
        self._serial = 0

    def submit(self, job: Job) -> None:
        """Never blocks for longer than it takes to start a thread. After close() jobs are dropped."""
        with self._lock:
            if self._closed:
                return
            self._jobs.put(job)
            if self._idle >= self._jobs.qsize() or self._threads >= self._size:
                return
            self._threads += 1
            self._serial += 1
            name = f"decode-{self._serial}"
        self._crew.start(name, self._work)

    def close(self) -> None:
        """Jobs already submitted are still run; the threads end after them."""
        with self._lock:
            self._closed = True
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            with self._faults.survive("decode"):
                job()

    def _next(self) -> Job | None:
        """The next job, or None when this thread is to end."""
        with self._lock:
            self._idle += 1
        job: Job | None
        try:
            job = self._jobs.get(timeout=self._idle_seconds)
        except queue.Empty:
            job = None
        with self._lock:
            self._idle -= 1
            if job is None and not self._closed and not self._jobs.empty():
                job = self._jobs.get()  # it came while this thread was giving up, and counted on it
            if job is None:
                self._threads -= 1
        return job
