"""Python and the scheduler set for a server whose sound must not wait.

A tick of sound gives up Python's lock some hundred times. A thread that computes in Python (an offer being parsed, say)
then keeps the lock for the switch interval each time: at Python's own 5 ms one such thread silenced a room of 64. The
`crowd` rows of `make show-sound` print how late ticks are with a thread like that, and on a loaded machine.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable

SWITCH_INTERVAL = 0.0005
"Seconds for which a thread that computes in Python keeps the lock from one that asks for it."
SERVER_NICE = -5
"Of all threads: whoever is put off while he holds the lock holds up the sound."
SOUND_PRIORITY = 1
"Of the threads that mix: the lowest of those that go before all others, in turns with their like (SCHED_RR)."


def tune() -> bool:
    """To be called before the first thread. Whether the system let this thread, and those that it starts, go before
    other programs: root may, and whoever has a limit for it (RLIMIT_NICE). Who was started with `nice` stays nice."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    return not _is_nice() and _allowed(lambda: os.setpriority(os.PRIO_PROCESS, 0, SERVER_NICE))


def settle() -> None:
    """To be called once all is loaded: what is there now is never looked through for rubbish again. A full collection
    of a fresh server takes longer than a tick may be late."""
    gc.collect()
    gc.freeze()


def sound_first() -> bool:
    """To be called by a thread that mixes. Whether the system lets it go first (RLIMIT_RTPRIO, as in `tune`)."""
    if sys.platform != "linux" or _is_nice():
        return False
    return _allowed(lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(SOUND_PRIORITY)))


def _is_nice() -> bool:
    return os.getpriority(os.PRIO_PROCESS, 0) > 0


def _allowed(change: Callable[[], None]) -> bool:
    try:
        change()
    except OSError:
        return False
    return True
