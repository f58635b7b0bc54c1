"""The only place that reads real clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime

NTP_EPOCH_OFFSET = 2_208_988_800
"Seconds between 1900 (NTP, RFC 5905) and 1970."


def now() -> float:
    """Seconds on the monotonic clock; steps of the wall clock do not show in it."""
    return time.monotonic()


def thread_cpu() -> float:
    """Seconds of CPU that the calling thread has used."""
    return time.thread_time()


_STARTED = time.time_ns() - time.monotonic_ns()


def ntp_time() -> int:
    """A 64 bit NTP timestamp, for RTCP sender reports only: the wall clock as it was at the start, carried on by the
    monotonic one. A receiver that is told of a step would hold its sound or its picture back for an hour."""
    nanoseconds = _STARTED + time.monotonic_ns()
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return ((seconds + NTP_EPOCH_OFFSET) << 32) | ((fraction << 32) // 1_000_000_000)


def since(moment: float) -> float:
    """Seconds since a moment of the wall clock, Unix time: for what the kernel stamped just now. A step of the clock in
    between is in it."""
    return time.time() - moment


def wall_time() -> datetime:
    """The wall clock, for logs and JSON only."""
    return datetime.now(UTC)


def rfc3339(moment: datetime | None = None) -> str:
    """Milliseconds and Z, as all times in the HTTP API."""
    return (moment or wall_time()).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def process_cpu() -> float:
    """Seconds of CPU that this process has used, all threads, user and system."""
    return time.process_time()
