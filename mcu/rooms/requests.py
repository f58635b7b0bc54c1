"""Questions to the mixer, each answered by one Reply within a deadline."""

from __future__ import annotations

import asyncio
from typing import Any

from mixdown.mcu.errors import NotFound, Unavailable
from mixdown.mcu.link.messages import MixerPort, Reply, Request, RequestKind

DEADLINE = 2.0
"Seconds."
MAX_PENDING = 64
"Questions under way; one more is refused."


class MixerRequests:
    """Lives on the event loop. late: replies that nobody waited for any more."""

    def __init__(self, mixer: MixerPort, deadline: float = DEADLINE) -> None:
        self._mixer = mixer
        self._deadline = deadline
        self._pending: dict[int, asyncio.Future[Reply]] = {}
        self._last = 0
        self.late = 0
        self.timeouts = 0

    async def ask(self, kind: RequestKind, room: str, view: str = "main", width: int = 0) -> Any:
        """The reply's value. Raises Unavailable if the mixer is silent or busy, NotFound with its reason if it has
        nothing to tell."""
        if len(self._pending) >= MAX_PENDING:
            raise Unavailable("Too many questions to the mixer are under way.", retry_after=1)
        self._last += 1
        request = Request(self._last, kind, room, view, width)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[request.id] = future
        try:
            self._mixer.send(request)
            async with asyncio.timeout(self._deadline):
                reply = await future
        except TimeoutError:
            self.timeouts += 1
            raise Unavailable("The mixer did not answer in time.", retry_after=1) from None
        finally:
            self._pending.pop(request.id, None)
        if reply.value is None:
            raise NotFound(reply.error or "The mixer has nothing to tell about that.")
        return reply.value

    def handle(self, reply: Reply) -> None:
        future = self._pending.get(reply.id)
        if future is None or future.done():
            self.late += 1
            return
        future.set_result(reply)
