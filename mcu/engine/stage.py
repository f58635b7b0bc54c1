"""The room at one moment, as the ticks read it: replaced whole by the control thread, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from mixdown.codecs.encoded import MediaKind
from mixdown.mcu.engine.video_source import Picture, VideoSource
from mixdown.mcu.link.messages import ParticipantDocument, RoomDocument, SourceKind, ViewDocument
from mixdown.mixer.layout import parse_layout_name
from mixdown.mixer.media import Size
from mixdown.mixer.scene import Scene, SceneSource

ON_DEMAND = {"auto-speaker": "speaker", "auto-grid": "grid"}
"Views that exist in every room without being in its document, and their layouts; their canvas is main's."
MAIN = "main"
LOW = "low"
CAMERA_ASPECT = Fraction(16, 9)
"Of a tile whose source has shown nothing yet."


@dataclass(frozen=True, slots=True)
class Member:
    """What may have a tile. source: None for a participant without a camera; shown: False if its card is to be drawn
    whatever it sends; joined: the order of the seats."""

    id: str
    participant: str
    kind: SourceKind
    name: str
    source: VideoSource | None
    shown: bool
    joined: int


@dataclass(frozen=True, slots=True)
class Voices:
    """Who is heard, from the sound's side. Participant ids."""

    speaking: frozenset[str] = frozenset()
    active: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    document: RoomDocument
    members: tuple[Member, ...]
    voices: Voices = Voices()

    def view(self, name: str) -> ViewDocument | None:
        """A view of the document, or one that exists on demand."""
        views = {view.name: view for view in self.document.views}
        if name in views:
            return views[name]
        main = views.get(MAIN)
        if main is None or name not in ON_DEMAND:
            return None
        return replace(main, name=name, layout=parse_layout_name(ON_DEMAND[name]), order=(), pinned=())


def make_stage(document: RoomDocument, sources: Mapping[str, VideoSource], voices: Voices) -> Stage:
    """Everybody but viewers has a camera tile; screens and feeds follow their participant's."""
    extra: dict[str, list[VideoSource]] = {}
    for source in sources.values():
        if source.kind.media is MediaKind.VIDEO and source.kind is not SourceKind.CAMERA:
            extra.setdefault(source.participant, []).append(source)
    members: list[Member] = []
    for participant in document.participants:
        if participant.viewer:
            continue
        members.append(_camera(participant, sources, len(members)))
        if participant.connected:
            for source in extra.get(participant.id, []):
                members.append(_extra(source, participant.name, len(members)))
    known = {participant.id for participant in document.participants}
    for owner, orphans in extra.items():
        if owner not in known:
            members += [_extra(s, s.name, len(members)) for s in orphans if s.kind is SourceKind.FEED]
    return Stage(document, tuple(members), voices)


def _camera(participant: ParticipantDocument, sources: Mapping[str, VideoSource], joined: int) -> Member:
    name = f"{participant.id}-camera"
    source = sources.get(name)
    shown = source is not None and participant.connected and not participant.video_muted
    return Member(name, participant.id, SourceKind.CAMERA, participant.name, source, shown, joined)


def _extra(source: VideoSource, name: str, joined: int) -> Member:
    return Member(source.name, source.participant, source.kind, name, source, True, joined)


def pictures_of(stage: Stage, now: float, timeout: float) -> dict[str, Picture | None]:
    """By member: what it shows now, None for its card. Screens and feeds that have not sent yet are left out."""
    pictures: dict[str, Picture | None] = {}
    for member in stage.members:
        if member.source is None or not member.shown:
            pictures[member.id] = None
        elif member.kind is SourceKind.CAMERA or member.source.live:
            pictures[member.id] = member.source.picture(now, timeout)
    return pictures


def build_scene(stage: Stage, view: ViewDocument, pictures: Mapping[str, Picture | None]) -> Scene:
    pinned = tuple(f"{participant.id}-camera" for participant in stage.document.participants if participant.pinned)
    return Scene(
        canvas=Size(view.canvas.width, view.canvas.height),
        layout=view.layout,
        sources=tuple(
            _scene_source(stage, member, pictures[member.id]) for member in stage.members if member.id in pictures
        ),
        order=view.order,
        pinned=view.pinned + tuple(source for source in pinned if source not in view.pinned),
        active_speaker=stage.voices.active,
        fit=view.fit,
        show_names=view.show_names,
        background=view.background,
        hand_raised=frozenset(p.id for p in stage.document.participants if p.hand_raised),
    )


def _scene_source(stage: Stage, member: Member, picture: Picture | None) -> SceneSource:
    return SceneSource(
        id=member.id,
        participant=member.participant,
        kind=member.kind.value,
        name=member.name,
        picture=picture is not None,
        speaking=member.kind is SourceKind.CAMERA and member.participant in stage.voices.speaking,
        aspect=CAMERA_ASPECT if picture is None else picture.frame.size.aspect,
        joined=member.joined,
    )
