"""Answers to what the server asks: stats, tiles, snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from mixdown.mcu import clock
from mixdown.mcu.engine.meter import Work
from mixdown.mcu.engine.room_engine import RoomEngine
from mixdown.mcu.engine.view import View
from mixdown.mcu.link.messages import Reply, Request, RequestKind
from mixdown.mixer.media import I420Frame
from mixdown.mixer.picture import to_bgr

JPEG_QUALITY = 85
MAX_WIDTH = 3840
"Pixels; a snapshot is not enlarged beyond this."


class RequestError(Exception):
    """Becomes a Reply's `error`."""


def answer(room: RoomEngine, request: Request, deliver: Callable[[Reply], None]) -> None:
    """On the control thread. A snapshot is drawn on the decoders' pool and answered from there."""
    if request.kind is RequestKind.SNAPSHOT:
        view = room.video.view(request.view)
        room.context.pool.submit(lambda: _reply_snapshot(room, view, request, deliver))
    elif request.kind is RequestKind.TILES:
        reply(request, deliver, lambda: tiles(room, request.view))
    else:
        reply(request, deliver, lambda: stats(room))


def _reply_snapshot(room: RoomEngine, view: View | None, request: Request, deliver: Callable[[Reply], None]) -> None:
    try:
        reply(request, deliver, lambda: snapshot(room, view, request.width))
    finally:
        room.context.cpu.lap(Work.COMPOSE)


def reply(request: Request, deliver: Callable[[Reply], None], make: Callable[[], Any]) -> None:
    """Exactly one Reply, whatever happens."""
    try:
        deliver(Reply(request.id, make()))
    except RequestError as error:
        deliver(Reply(request.id, None, str(error)))
    except Exception as error:
        deliver(Reply(request.id, None, f"the mixer failed at this: {error!r}"))
        raise


# ---- tiles and snapshot ------------------------------------------------------------------------------------------


def tiles(room: RoomEngine, name: str) -> dict[str, Any]:
    """As drawn at the newest tick, or as they would be drawn now if nobody watches."""
    view = room.video.view(name)
    if view is None:
        raise RequestError(f"the room has no view {name!r}")
    now = clock.now()
    watched = room.video.is_watched(view)
    tick = view.tick if watched and view.tick >= 0 else view.plan.due(now, room.context.origin)
    body = view.tiles(room.stage, now, tick, draw=not watched)
    if body is None:
        raise RequestError(f"the room has no view {name!r}")
    return body


def snapshot(room: RoomEngine, view: View | None, width: int) -> bytes:
    """JPEG. width: pixels, 0 for the canvas's."""
    picture = None if view is None else _canvas(room, view)
    if picture is None:
        raise RequestError("the room has no such view")
    bgr = to_bgr(picture)
    if width and width != bgr.shape[1]:
        width = max(2, min(width, MAX_WIDTH))
        height = max(2, round(bgr.shape[0] * width / bgr.shape[1]))
        bgr = np.asarray(cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise RequestError("the picture could not be written as JPEG")
    return bytes(data)


def _canvas(room: RoomEngine, view: View) -> I420Frame | None:
    """The newest one if somebody watches, else one composed for this."""
    watched = room.video.is_watched(view)
    if watched and (latest := view.latest) is not None:
        return latest
    drawn = view.draw(room.stage, clock.now())
    if not watched:
        view.release()
    return None if drawn is None else drawn.picture


# ---- stats -------------------------------------------------------------------------------------------------------


def stats(room: RoomEngine) -> dict[str, Any]:
    """The body of `GET .../stats`, less what the edge and the server know: cpu_cores receive, send, rest and total."""
    now = clock.now()
    context, video, audio = room.context, room.video, room.audio
    return {
        "room": context.room,
        "uptime_s": round(now - context.origin, 3),
        "cpu_cores": {kind: round(cores, 4) for kind, cores in context.cpu.cores(now).items()},
        "ticks": {"video": video.ticker.meter.body(), "audio": audio.ticker.meter.body()},
        "latency_ms": {"video": context.video_latency.body(), "audio": context.audio_latency.body()},
        "renditions": [
            rendition.body(now, view.canvas)
            for key, rendition in list(video.renditions.items())
            if (view := video.views.get(key.view)) is not None
        ],
        "mixes": audio.mixes_body(),
        "sources": _video_sources(room, now) + audio.sources_body(now),
    }


def _video_sources(room: RoomEngine, now: float) -> list[dict[str, Any]]:
    """jitter_ms and loss of pictures are the edge's to know."""
    return [
        {
            "id": source.name,
            "participant": source.participant,
            "kind": source.kind.value,
            "codec": source.codec.value if source.codec else None,
            "width": source.size.width if source.size else 0,
            "height": source.size.height if source.size else 0,
            "fps": source.fps(now),
            "decoded": source.decoded,
            "skipped": source.skipped,
            "concealed_ms": 0,
            "jitter_ms": None,
            "loss": None,
        }
        for source in room.video.sources.values()
    ]
