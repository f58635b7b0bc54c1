"""glibc's allocator set for a server of many threads that comes and goes with its rooms.

As shipped, each codec thread leaves an arena behind, full of holes, and memory stays higher after joins and leaves.
The `churn` row of `make show-path` prints what is kept.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"mallopt(3)"
ARENAS = 2
MMAP_ABOVE = 64 * 1024
"Bytes: pictures and codec buffers go back to the system when they are freed."
TRIM_ABOVE = 128 * 1024


def tune() -> bool:
    """To be called before the first thread. Whether there was a mallopt to call (glibc; not musl or macOS)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    settings = ((M_ARENA_MAX, ARENAS), (M_MMAP_THRESHOLD, MMAP_ABOVE), (M_TRIM_THRESHOLD, TRIM_ABOVE))
    return all(mallopt(option, value) for option, value in settings)
