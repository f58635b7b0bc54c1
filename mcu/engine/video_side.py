"""A room's pictures: sources, views, renditions and who watches them. All methods: the control thread, unless said."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from mixdown.codecs.encoded import CodecId, MediaKind, TierName
from mixdown.codecs.h264 import level_of
from mixdown.mcu import clock
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.renditions import Rendition, RenditionKey
from mixdown.mcu.engine.stage import LOW, MAIN, Stage
from mixdown.mcu.engine.tiers import DIVISORS, rates_of, tier_of
from mixdown.mcu.engine.video_source import VideoSource
from mixdown.mcu.engine.video_ticker import TickerHooks, VideoTicker, Watched
from mixdown.mcu.engine.view import View
from mixdown.mcu.link.messages import (
    Canvas,
    LayoutChanged,
    Route,
    SourceKeyFrameWanted,
    SourceOpened,
    SourceWanted,
    Subscribe,
)


class VideoSide:
    """Nothing here runs while nobody watches: no tick, no decoder, no encoder."""

    def __init__(
        self, context: RoomContext, stage: Callable[[], Stage], post: Callable[[Callable[[], None]], None]
    ) -> None:
        self.sources: dict[str, VideoSource] = {}  # replaced, not changed: other threads read it
        self.views: dict[str, View] = {}
        self.renditions: dict[RenditionKey, Rendition] = {}
        self.watching: dict[str, RenditionKey] = {}  # subscriber -> what it is routed to
        self._context = context
        self._stage = stage
        self._post = post
        self._epochs = itertools.count().__next__
        self._watched: tuple[Watched, ...] = ()
        self._wanted: dict[str, int] = {}
        self._subscribed: dict[str, Subscribe] = {}
        self._canvases: dict[str, Canvas | None] = {}  # of the views that are watched, as the edge was told
        hooks = TickerHooks(stage, lambda: self._watched, self._placed, self._recast)
        self.ticker = VideoTicker(context.room, context.origin, hooks, context.crew, context.faults, context.cpu)

    # ---- sources -------------------------------------------------------------------------------------------------

    def open(self, message: SourceOpened) -> None:
        source = self.sources.get(message.source)
        if source is not None:
            if message.epoch > source.epoch:
                source.reopen(message.epoch)
                if message.source in self._wanted:  # its new transport has heard of no tile yet
                    self._context.deliver(SourceWanted(message.source, self._wanted[message.source]))
            return
        context = self._context
        source = VideoSource(
            message.source,
            message.participant,
            message.kind,
            message.epoch,
            context.pool,
            context.faults,
            context.cpu,
            lambda name: context.deliver(SourceKeyFrameWanted(name)),
        )
        self.sources = self.sources | {message.source: source}
        if self.ticker.running:
            source.set_visible(True)  # so that its first key frame is not missed; the next tick knows better

    def close_source(self, name: str, epoch: int) -> None:
        source = self.sources.get(name)
        if source is None or source.epoch != epoch:
            self._context.faults.count("source_closed_unknown")
            return
        self.sources = {key: value for key, value in self.sources.items() if key != name}
        source.close()

    # ---- watchers ------------------------------------------------------------------------------------------------

    def subscribe(self, message: Subscribe) -> None:
        """Routes to the rendition, made if need be. What was watched before goes on until the new one's key frame."""
        if message.tier is TierName.AUDIO:
            self.unsubscribe(message.subscriber)
            return
        view, tier = (MAIN, TierName.LOW) if message.view == LOW else (message.view, message.tier)
        if self._stage().view(view) is None:
            self._context.faults.count("subscribe_unknown_view")
            return
        self._subscribed[message.subscriber] = message
        self._route(message.subscriber, RenditionKey(view, message.codec, self._fitting(view, tier, message)))

    def _fitting(self, view: str, tier: TierName, message: Subscribe) -> TierName:
        """The best step from `tier` down that the watcher's H.264 decoder takes; the lowest if it takes none."""
        canvas = self._canvas(view)
        if message.codec is not CodecId.H264 or not message.level or canvas is None:
            return tier
        steps = list(DIVISORS)
        steps = steps[steps.index(tier) :]
        return next((step for step in steps if level_of(tier_of(canvas, step)) <= message.level), steps[-1])

    def _route(self, subscriber: str, key: RenditionKey) -> None:
        before = self.watching.get(subscriber)
        rendition = self.renditions.get(key)
        fresh = rendition is None
        if rendition is None:
            rendition = self.renditions[key] = self._make(key)
        rendition.watchers.add(subscriber)
        self.watching[subscriber] = key
        self._announce(subscriber, key)
        if before is not None and before != key:
            rendition.after_key(lambda: self._post(lambda: self._leave(subscriber, before)))
        rendition.welcome(subscriber)
        if fresh:
            rendition.start(self._context.crew)
        self._arrange()

    def _announce(self, subscriber: str, key: RenditionKey) -> None:
        canvas = self._canvas(key.view)
        self._canvases[key.view] = canvas
        kbps = () if canvas is None else rates_of(canvas)
        self._context.deliver(Route(subscriber, MediaKind.VIDEO, key.stream(self._context.room), kbps))

    def _canvas(self, view: str) -> Canvas | None:
        document = self._stage().view(view)
        return None if document is None else document.canvas

    def _make(self, key: RenditionKey) -> Rendition:
        context = self._context
        return Rendition(
            context.room, key, self._epochs, context.deliver, context.faults, context.cpu, context.video_latency
        )

    def _leave(self, subscriber: str, key: RenditionKey) -> None:
        """Takes a subscriber off a rendition that it no longer watches; the last one ends it."""
        rendition = self.renditions.get(key)
        if rendition is None or self.watching.get(subscriber) == key:
            return
        rendition.watchers.discard(subscriber)
        rendition.forget(subscriber)
        if not rendition.watchers:
            del self.renditions[key]
            rendition.end()
            self._arrange()

    def unsubscribe(self, subscriber: str) -> bool:
        """Whether it watched anything."""
        self._subscribed.pop(subscriber, None)
        if self.watching.pop(subscriber, None) is None:
            return False
        for key in [key for key, rendition in self.renditions.items() if subscriber in rendition.watchers]:
            self._leave(subscriber, key)
        return True

    def request_key(self, subscriber: str) -> bool:
        key = self.watching.get(subscriber)
        rendition = None if key is None else self.renditions.get(key)
        if rendition is None:
            return False
        rendition.request_key(subscriber)
        return True

    # ---- the room changes ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """The document changed: watchers of a view that is gone get main instead; the tick takes up canvases."""
        stage = self._stage()
        told = dict(self._canvases)
        for subscriber, key in list(self.watching.items()):
            if stage.view(key.view) is None:
                self._context.faults.count("view_removed_under_watcher")
                self._route(subscriber, RenditionKey(MAIN, key.codec, key.tier))
            elif told.get(key.view) != (canvas := self._canvas(key.view)) and canvas is not None:
                self._refit(subscriber, key)
        self._canvases = {key.view: self._canvas(key.view) for key in self.watching.values()}
        for name in [name for name in self.views if stage.view(name) is None]:
            del self.views[name]
        self._arrange()

    def _refit(self, subscriber: str, key: RenditionKey) -> None:
        """Another canvas: other rates, and perhaps another step that a decoder takes."""
        message = self._subscribed.get(subscriber)
        tier = key.tier if message is None else self._fitting(key.view, message.tier, message)
        if tier is key.tier or message is None or message.view == LOW:
            self._announce(subscriber, key)
        else:
            self._route(subscriber, RenditionKey(key.view, key.codec, tier))

    def view(self, name: str) -> View | None:
        """A view by name, made at its first use. None: the room has none such."""
        name = MAIN if name == LOW else name
        view = self.views.get(name)
        if view is None and self._stage().view(name) is not None:
            view = self.views[name] = View(name, self._context.config.picture_timeout)
        if view is not None and not self.is_watched(view):
            view.adopt(self._stage(), clock.now() - self._context.origin)
        return view

    def is_watched(self, view: View) -> bool:
        return any(watched.view is view for watched in self._watched)

    def _arrange(self) -> None:
        """Makes the ticker's list anew; starts it with the first watcher and stops it with the last."""
        groups: dict[str, list[Rendition]] = {}
        for key, rendition in self.renditions.items():
            groups.setdefault(key.view, []).append(rendition)
        before = {watched.view for watched in self._watched}
        self._watched = tuple(
            Watched(view, tuple(renditions)) for name, renditions in groups.items() if (view := self.view(name))
        )
        if self._watched:
            self.ticker.start()
            gone = before - {watched.view for watched in self._watched}
        else:
            self.ticker.stop()
            self._recast()
            gone = set(self.views.values())  # also those that a tick under way drew once more
        for view in gone:
            view.release()

    def close(self) -> None:
        for rendition in self.renditions.values():
            rendition.end()
        self.renditions.clear()
        self.watching.clear()
        self._arrange()
        for source in self.sources.values():
            source.close()
        self.sources = {}

    # ---- the ticker's thread -------------------------------------------------------------------------------------

    def _placed(self, view: View, stage: Stage, now: float) -> None:
        body = view.tiles(stage, now, view.tick, draw=False)
        if body is not None:
            self._context.deliver(LayoutChanged(self._context.room, view.name, body))
        self._want()

    def _recast(self) -> None:
        """Decodes what has a tile in a watched view, and nothing else. With no view watched: the control thread's."""
        visible: set[str] = set()
        for watched in self._watched:
            visible |= watched.view.visible()
        shown = {member.id for member in self._stage().members if member.shown}
        for name, source in self.sources.items():
            source.set_visible(name in visible and name in shown)
        self._want()

    def _want(self) -> None:
        """Tells the edge what sources are worth sending at, where that changed."""
        heights: dict[str, int] = {}
        for watched in self._watched:
            for name, height in watched.view.heights().items():
                heights[name] = max(heights.get(name, 0), height)
        wanted = {name: heights.get(name, 0) for name in self.sources}
        for name, height in wanted.items():
            if self._wanted.get(name) != height:
                self._context.deliver(SourceWanted(name, height))
        self._wanted = wanted
