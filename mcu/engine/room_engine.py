"""One room's engine: its document, its sound and its pictures. All methods: the control thread, unless said."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu.engine.audio_side import AudioSide
from mixdown.mcu.engine.context import RoomContext
from mixdown.mcu.engine.lip_sync import RoomSync
from mixdown.mcu.engine.stage import Stage, Voices, make_stage
from mixdown.mcu.engine.video_side import VideoSide
from mixdown.mcu.link.messages import (
    Feedback,
    KeyFrameRequest,
    RoomDocument,
    SenderReport,
    SourceClosed,
    SourceFrame,
    SourceOpened,
    Subscribe,
    Unsubscribe,
)

MAX_SOURCES = 1024
MAX_SUBSCRIBERS = 4096
"Per room; more are refused and counted. The server's own limits are lower."


class RoomEngine:
    """post: runs an action on the control thread later."""

    def __init__(
        self, document: RoomDocument, context: RoomContext, post: Callable[[Callable[[], None]], None]
    ) -> None:
        self.context = context
        self.document = document
        self.stage: Stage = make_stage(document, {}, Voices())
        self.video = VideoSide(context, lambda: self.stage, post)
        self.audio = AudioSide(context, lambda: self.stage, lambda voices: post(partial(self._heard, voices)))
        self.sync = RoomSync(lambda: context.video_latency.usual)
        self._voices = Voices()

    def _restage(self) -> None:
        self.stage = make_stage(self.document, self.video.sources, self._voices)

    def _heard(self, voices: Voices) -> None:
        self._voices = voices
        self._restage()

    def update(self, document: RoomDocument) -> None:
        """Takes a newer document; older ones come late and are dropped."""
        if document.revision < self.document.revision:
            self.context.faults.count("document_stale")
            return
        self.document = document
        self._restage()
        self.video.refresh()

    # ---- sources -------------------------------------------------------------------------------------------------

    def open_source(self, message: SourceOpened) -> None:
        if len(self.video.sources) + len(self.audio.sources) >= MAX_SOURCES:
            self.context.faults.count("too_many_sources")
            return
        if message.kind.media is MediaKind.VIDEO:
            self.video.open(message)
            self._restage()
        else:
            self.audio.open(message)

    def close_source(self, message: SourceClosed) -> None:
        self.sync.forget(message.source)
        if message.source in self.audio.sources:
            self.audio.close_source(message.source, message.epoch)
        else:
            self.video.close_source(message.source, message.epoch)
            self._restage()

    def takes(self, source: str, epoch: int) -> bool:
        """Any thread. Whether the source is open in that epoch."""
        known = self.video.sources.get(source) or self.audio.sources.get(source)
        return known is not None and known.epoch >= epoch

    def frame(self, message: SourceFrame) -> None:
        """Any thread: hands a frame to its source."""
        name = message.frame.stream
        source = self.video.sources.get(name) or self.audio.sources.get(name)
        if source is None:
            self.context.faults.count("frame_unknown_source")
        elif source.kind.media is not message.frame.codec.kind:
            self.context.faults.count("frame_wrong_kind")
        else:
            source.offer(message.frame)

    # ---- subscribers ---------------------------------------------------------------------------------------------

    def subscribe(self, message: Subscribe) -> None:
        if message.codec.kind is not message.kind:
            self.context.faults.count("subscribe_wrong_codec")
        elif len(self.video.watching) + len(self.audio.listeners) >= MAX_SUBSCRIBERS:
            self.context.faults.count("too_many_subscribers")
        elif message.kind is MediaKind.VIDEO:
            self.video.subscribe(message)
        else:
            self.audio.subscribe(message)

    def unsubscribe(self, message: Unsubscribe) -> None:
        side = self.video if message.kind is MediaKind.VIDEO else self.audio
        if not side.unsubscribe(message.subscriber):
            self.context.faults.count("unsubscribe_unknown")

    def request_key(self, message: KeyFrameRequest) -> None:
        if not self.video.request_key(message.subscriber):
            self.context.faults.count("key_request_unknown")

    def feedback(self, message: Feedback) -> None:
        """What a subscriber's transport reports of the way to it."""
        self.audio.feedback(message)
        self.sync.update(message.subscriber, self.audio.sources, self.video.sources)

    def sender_report(self, message: SenderReport) -> None:
        """When what a source sends was captured."""
        source = self.audio.sources.get(message.source) or self.video.sources.get(message.source)
        if source is None:
            self.context.faults.count("report_unknown_source")
            return
        self.sync.report(message, source.codec, source.epoch)

    def close(self) -> None:
        self.video.close()
        self.audio.close()
