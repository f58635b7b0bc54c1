"""A room's numbered events, and those who listen to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from mixdown.mcu.clock import rfc3339

Event = dict[str, Any]

QUEUE_LENGTH = 256
"Events a listener may be behind. One more and it is dropped: it comes back and gets a new snapshot."


class Subscription:
    """One listener's queue. `next` gives the events in order, then None once it is closed."""

    def __init__(self, limit: int = QUEUE_LENGTH) -> None:
        self._events: deque[Event] = deque()
        self._limit = limit
        self._wake = asyncio.Event()
        self.closed = False
        self.overflowed = False

    def put(self, event: Event) -> bool:
        """False if it overflowed; what was queued is thrown away then, since a gap helps nobody."""
        if self.closed:
            return True
        if len(self._events) >= self._limit:
            self.overflowed = True
            self._events.clear()
            self.close()
            return False
        self._events.append(event)
        self._wake.set()
        return True

    def close(self) -> None:
        """What is queued is still delivered."""
        self.closed = True
        self._wake.set()

    async def next(self) -> Event | None:
        while not self._events:
            if self.closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._events.popleft()


class EventLog:
    """Numbers what happens in one room from 1 and hands it to the room's listeners. Lives on the event loop.

    on_event is told of each as well; on_overflow of each listener that was dropped for being slow."""

    def __init__(
        self,
        room: str,
        on_event: Callable[[Event], None] = lambda event: None,
        on_overflow: Callable[[], None] = lambda: None,
    ) -> None:
        self.room = room
        self.sequence = 0
        self._on_event = on_event
        self._on_overflow = on_overflow
        self._listeners: set[Subscription] = set()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def publish(self, kind: str, **values: Any) -> Event:
        self.sequence += 1
        event = self.stamp(kind, values)
        for listener in tuple(self._listeners):
            if not listener.put(event):
                self._listeners.discard(listener)
                self._on_overflow()
        self._on_event(event)
        return event

    def stamp(self, kind: str, values: dict[str, Any]) -> Event:
        """An event with the number of the last one that was published; for snapshots."""
        return {"seq": self.sequence, "time": rfc3339(), "type": kind, "room": self.room, **values}

    def subscribe(self, limit: int = QUEUE_LENGTH) -> Subscription:
        subscription = Subscription(limit)
        self._listeners.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._listeners.discard(subscription)

    def close(self) -> None:
        """Ends all listeners once they have had what is queued."""
        for listener in tuple(self._listeners):
            listener.close()
        self._listeners.clear()
