"""A room's sound: its sources and who listens. All methods: the control thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mixdown.mcu.engine.audio_feed import AudioFeed
from mixdown.mcu.engine.audio_run import AudioHooks
from mixdown.mcu.engine.audio_ticker import AudioTicker
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.loss_watch import LossWatch
from mixdown.mcu.engine.stage import Stage, Voices
from mixdown.mcu.link.messages import Feedback, SourceOpened, Subscribe


class AudioSide:
    """Nothing here runs while nobody listens: no decoding, no mixing, no looking for speakers."""

    def __init__(self, context: RoomContext, stage: Callable[[], Stage], voices: Callable[[Voices], None]) -> None:
        self.sources: dict[str, AudioFeed] = {}  # both replaced, not changed: other threads read them
        self.listeners: dict[str, Subscribe] = {}
        self._context = context
        self._losses = LossWatch()
        hooks = AudioHooks(stage, lambda: self.sources, lambda: self.listeners, lambda: self._losses.protected, voices)
        self.ticker = AudioTicker(context, hooks)

    def open(self, message: SourceOpened) -> None:
        known = self.sources.get(message.source)
        if known is not None and known.epoch >= message.epoch:
            return
        level = self._context.config.noise_suppression
        feed = AudioFeed(message.source, message.participant, message.kind, message.epoch, self._context.faults, level)
        self.sources = self.sources | {message.source: feed}
        feed.set_heard(self.ticker.running)

    def close_source(self, name: str, epoch: int) -> None:
        feed = self.sources.get(name)
        if feed is None or feed.epoch != epoch:
            self._context.faults.count("source_closed_unknown")
            return
        self.sources = {key: value for key, value in self.sources.items() if key != name}

    def subscribe(self, message: Subscribe) -> None:
        """The next tick answers with a Route. A second one replaces the first."""
        self.listeners = self.listeners | {message.subscriber: message}
        if not self.ticker.running:
            self._set_heard(True)
            self.ticker.start()

    def unsubscribe(self, subscriber: str) -> bool:
        """Whether it listened."""
        if subscriber not in self.listeners:
            return False
        self.listeners = {key: value for key, value in self.listeners.items() if key != subscriber}
        self._losses.forget(subscriber)
        if not self.listeners:
            self.ticker.stop()
            self._set_heard(False)
        return True

    def feedback(self, message: Feedback) -> None:
        """Once a second: who loses packets hears the encode with FEC."""
        if message.subscriber in self.listeners:
            self._losses.report(message.subscriber, message.loss)

    def _set_heard(self, heard: bool) -> None:
        for feed in self.sources.values():
            feed.set_heard(heard)

    def close(self) -> None:
        self.listeners = {}
        self.ticker.stop()
        self.sources = {}

    # ---- requests ------------------------------------------------------------------------------------------------

    def mixes_body(self) -> list[dict[str, Any]]:
        return list(self.ticker.mixes)

    def sources_body(self, now: float) -> list[dict[str, Any]]:
        return [feed.body() for feed in self.sources.values()]
