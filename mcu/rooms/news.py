"""What the mixer tells the rooms."""

from __future__ import annotations

from mixdown.mcu.link.messages import ActiveSpeaker, LayoutChanged, Reply, Speaking
from mixdown.mcu.rooms.registry import Registry
from mixdown.mcu.rooms.requests import MixerRequests


class MixerNews:
    """Turns it into state and events. News of rooms and participants that are gone is late, and ignored."""

    def __init__(self, registry: Registry, requests: MixerRequests) -> None:
        self._registry = registry
        self._requests = requests

    def handle(self, message: Speaking | ActiveSpeaker | LayoutChanged | Reply) -> None:
        match message:
            case Reply():
                self._requests.handle(message)
            case Speaking():
                self._speaking(message)
            case ActiveSpeaker():
                self._active(message)
            case LayoutChanged():
                self._layout(message)

    def _speaking(self, message: Speaking) -> None:
        room = self._registry.find(message.room)
        one = room.participants.get(message.participant) if room else None
        if room is None or one is None or one.speaking == message.speaking:
            return
        one.speaking = message.speaking
        kind = "speaking_started" if message.speaking else "speaking_stopped"
        room.events.publish(kind, participant=one.id)

    def _active(self, message: ActiveSpeaker) -> None:
        room = self._registry.find(message.room)
        if room is None or room.active_speaker == message.participant:
            return
        room.active_speaker = message.participant
        room.events.publish("active_speaker", participant=message.participant)

    def _layout(self, message: LayoutChanged) -> None:
        room = self._registry.find(message.room)
        if room is None or message.view not in room.views:
            return
        room.tiles[message.view] = message.tiles
        fit = room.views[message.view].fit
        room.events.publish("layout_changed", **{"view": message.view, "fit": fit, **message.tiles})
