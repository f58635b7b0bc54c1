"""Rooms, participants and sources as the API and the events show them: plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from mixdown.mcu.edge.types import PeerReport, PeerState
from mixdown.mcu.link.messages import SourceKind
from mixdown.mcu.rooms.participant import Participant
from mixdown.mcu.rooms.room import MAIN, Room
from mixdown.mcu.rooms.views import resolve

Json = dict[str, Any]
SILENT = 127
_NO_PICTURE: Json = {"width": 0, "height": 0, "fps": 0}


def room(room: Room) -> Json:
    main = room.views[MAIN]
    return {
        "id": room.id,
        "created_at": room.created_at,
        "layout": main.layout.name,
        "order": list(main.order),
        "pinned": list(main.pinned),
        "fit": main.fit,
        "show_names": main.show_names,
        "background": main.background,
        "canvas": asdict(main.canvas),
        "max_participants": room.settings.max_participants,
        "empty_timeout": room.settings.empty_timeout,
        "locked": room.settings.locked,
        "participants": len(room.participants),
        "active_speaker": room.active_speaker,
        "views": list(room.views),
    }


def participant(room: Room, one: Participant, report: PeerReport | None, measured: Mapping[str, Json]) -> Json:
    """measured: per source id, what the mixer's stats said of it last."""
    seen = resolve(one.view, one.max_bitrate)
    away = report is None or one.state is PeerState.DISCONNECTED
    picture = _NO_PICTURE if away else measured.get(f"{one.id}-camera", _NO_PICTURE)
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role.value,
        "joined_at": one.joined_at,
        "state": one.state.value,
        "view": one.view,
        "tier": (report.tier if report else seen.tier).value,
        "limited_by": report.limited_by if report else None,
        "audio": {
            "codec": report.audio.value if report and report.audio else None,
            "muted": one.audio_muted,
            "muted_by": one.muted_by.value if one.muted_by else None,
            "level_dbov": report.level_dbov if report else SILENT,
            "speaking": one.speaking,
        },
        "video": {
            "codec": report.video.value if report and report.video else None,
            "muted": one.video_muted,
            "muted_by": one.video_muted_by.value if one.video_muted_by else None,
            "width": picture.get("width") or 0,
            "height": picture.get("height") or 0,
            "fps": picture.get("fps") or 0,
            "visible": _has_tile(room, f"{one.id}-camera"),
        },
        "screen": _has_tile(room, f"{one.id}-screen"),
        "gain_db": one.gain_db,
        "pinned": one.pinned,
        "hand_raised": one.hand_raised,
        "loss": report.loss if report else 0.0,
        "rtt_ms": report.rtt_ms if report else None,
    }


def sources(room: Room) -> Iterator[Json]:
    """Everything with a tile or a voice, in the order of the seats."""
    for one in room.seated():
        if one.viewer or not one.joined:
            continue
        for kind in SourceKind:
            if kind is SourceKind.CAMERA or kind in one.sources:
                yield _source(room, one, kind)


def _source(room: Room, one: Participant, kind: SourceKind) -> Json:
    source = f"{one.id}-{kind.value}"
    live = one.state is PeerState.CONNECTED and kind in one.sources
    if kind is SourceKind.SCREEN:
        live = live and _has_tile(room, source)
    muted = {SourceKind.CAMERA: one.video_muted, SourceKind.MICROPHONE: one.audio_muted}.get(kind, False)
    return {
        "id": source,
        "participant": one.id,
        "kind": kind.value,
        "name": one.name,
        "live": live and not muted,
        "muted": muted,
        "visible": _has_tile(room, source),
    }


def _has_tile(room: Room, source: str) -> bool:
    tiles = room.tiles.get(MAIN, {}).get("tiles", ())
    return any(tile.get("source") == source for tile in tiles)
