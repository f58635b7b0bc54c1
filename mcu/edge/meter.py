"""CPU that the packet path spends, by room: sending is timed frame by frame, receiving by samples of packets."""

from __future__ import annotations

from dataclasses import dataclass

SAMPLE_EVERY = 16
"Received packets per timed one: reading the thread's CPU clock costs a system call."


@dataclass(slots=True)
class RoomMeter:
    """Seconds of CPU and counts since the room's first packet."""

    send_cpu: float = 0.0
    received: int = 0
    sampled: int = 0
    sampled_cpu: float = 0.0

    @property
    def receive_cpu(self) -> float:
        return self.sampled_cpu / self.sampled * self.received if self.sampled else 0.0


class Meters:
    def __init__(self) -> None:
        self._rooms: dict[str, RoomMeter] = {}

    def room(self, room: str) -> RoomMeter:
        return self._rooms.setdefault(room, RoomMeter())

    def sent(self, room: str, cpu: float) -> None:
        if room:
            self.room(room).send_cpu += cpu

    def cpu(self, room: str) -> tuple[float, float]:
        """(receiving, sending), seconds so far."""
        meter = self._rooms.get(room)
        return (meter.receive_cpu, meter.send_cpu) if meter else (0.0, 0.0)

    def forget(self, room: str) -> None:
        self._rooms.pop(room, None)
