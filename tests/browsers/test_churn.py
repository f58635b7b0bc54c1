from __future__ import annotations

from support.leaks import holdings, run_churn, settled
from support.server import Server

WARM_UP = 40
COUNT = 200
MEMORY_MB = 20


async def test_two_hundred_come_and_go_and_leave_nothing(server: Server) -> None:
    await run_churn(server, "churn", WARM_UP)
    before = await settled(server, holdings(server), timeout=2)
    await run_churn(server, "churn", COUNT)
    after = await settled(server, before)
    assert after.threads <= before.threads, (before, after)
    assert after.descriptors <= before.descriptors, (before, after)
    assert after.memory_mb <= before.memory_mb + MEMORY_MB, (before, after)
