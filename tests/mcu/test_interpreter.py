"""What the server asks of Python and of the scheduler. Each in a process of its own: it cannot be taken back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mixdown.mcu import interpreter

NICE = os.getpriority(os.PRIO_PROCESS, 0) > 0
unless_nice = pytest.mark.skipif(NICE, reason="these tests were started with nice")


def run(script: str) -> str:
    head = "import gc, os, sys, threading\nfrom mixdown.mcu import interpreter\n"
    done = subprocess.run([sys.executable, "-c", head + script], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


def allowed(change: str) -> bool:
    """Whether the system lets a process of ours do it: not every container lets its root."""
    return (
        run(f"""
try:
    {change}
    print(True)
except OSError:
    print(False)
""")
        == "True"
    )


def test_a_thread_that_computes_gives_the_lock_back_soon() -> None:
    assert run("interpreter.tune(); print(sys.getswitchinterval())") == "0.0005"


@unless_nice
def test_the_server_goes_before_other_programs_where_it_may() -> None:
    may = allowed(f"os.setpriority(os.PRIO_PROCESS, 0, {interpreter.SERVER_NICE})")
    expected = f"True {interpreter.SERVER_NICE}" if may else f"False {os.getpriority(os.PRIO_PROCESS, 0)}"
    assert run("print(interpreter.tune(), os.getpriority(os.PRIO_PROCESS, 0))") == expected


@unless_nice
def test_only_the_thread_that_asks_goes_first() -> None:
    script = """
def mix():
    print(interpreter.sound_first(), os.sched_getscheduler(0) == os.SCHED_RR)
thread = threading.Thread(target=mix)
thread.start()
thread.join()
print(os.sched_getscheduler(0) == os.SCHED_OTHER)
"""
    may = str(allowed("os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"))
    assert run(script).split() == [may, may, "True"]


@unless_nice
def test_who_was_started_nice_stays_nice() -> None:
    script = "os.nice(5); print(interpreter.tune(), interpreter.sound_first(), os.getpriority(os.PRIO_PROCESS, 0))"
    assert run(script) == "False False 5"


def test_a_refusal_is_survived() -> None:
    """An ordinary user's process without limits for it."""
    script = """
import resource
resource.setrlimit(resource.RLIMIT_NICE, (0, 0))
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
if os.geteuid() == 0:
    os.setuid(65534)
print(interpreter.tune(), interpreter.sound_first())
"""
    assert run(script) == "False False"


def test_what_is_there_at_the_start_is_not_looked_through_again() -> None:
    assert int(run("interpreter.settle(); print(gc.get_freeze_count())")) > 1000
