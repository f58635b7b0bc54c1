from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from mixdown.mixer.layout import Fit, LayoutSpec, SlotRole, SlotSpec, parse_layout_name
from mixdown.mixer.media import Rect, Size
from mixdown.mixer.scene import Placement, Scene, SceneSource
from mixdown.mixer.slots import Seats

HD = Size(1280, 720)


def source(name: str, joined: int = 0, **more) -> SceneSource:
    return SceneSource(id=f"{name}-camera", participant=name, kind="camera", name=name, joined=joined, **more)


def screen(name: str, joined: int = 0) -> SceneSource:
    return SceneSource(id=f"{name}-screen", participant=name, kind="screen", name=name, joined=joined)


def people(count: int, speaking=()) -> tuple[SceneSource, ...]:
    return tuple(source(f"p{i}", i, speaking=i in speaking) for i in range(count))


def scene(layout: str, sources, **more) -> Scene:
    return Scene(HD, parse_layout_name(layout), tuple(sources), **more)


def seats_of(placement: Placement) -> dict[str, Rect]:
    return {tile.source: tile.rect for tile in placement.tiles}


def names(placement: Placement) -> list[str]:
    return [tile.participant for tile in placement.tiles]


def test_speaking_moves_nobody_in_the_grid():
    seats = Seats()
    before = seats_of(seats.place(scene("grid", people(7))))
    for speaker in range(7):
        placement = seats.place(scene("grid", people(7, {speaker}), active_speaker=f"p{speaker}"))
        assert seats_of(placement) == before
        assert [tile.speaking for tile in placement.tiles] == [i == speaker for i in range(7)]


def test_a_newcomer_takes_the_seat_of_who_left():
    seats = Seats()
    before = seats_of(seats.place(scene("grid", people(4))))
    now = [s for s in people(4) if s.participant != "p1"] + [source("new", 9)]
    after = seats_of(seats.place(scene("grid", now)))
    assert after.pop("new-camera") == before.pop("p1-camera")
    assert after == before


def test_when_one_leaves_the_others_keep_their_order():
    seats = Seats()
    seats.place(scene("grid", people(5)))
    placement = seats.place(scene("grid", [s for s in people(5) if s.participant != "p2"]))
    assert names(placement) == ["p0", "p1", "p3", "p4"]


def test_order_overrides_and_leaves_holes():
    everybody = people(3)
    placement = Seats().place(scene("2x2", everybody, order=("p2-camera", None, "gone", "p0-camera")))
    cells = seats_of(Seats().place(scene("2x2", people(4))))
    first, second, third, fourth = cells.values()
    assert seats_of(placement) == {"p2-camera": first, "p0-camera": third, "p1-camera": fourth}
    assert second not in seats_of(placement).values()


def test_a_hole_widens_the_grid():
    placement = Seats().place(scene("grid", people(3), order=(None,)))
    assert len(placement.tiles) == 3
    assert set(seats_of(placement).values()) < set(seats_of(Seats().place(scene("grid", people(4)))).values())


def test_pinned_come_first():
    assert names(Seats().place(scene("grid", people(4), pinned=("p3-camera", "gone", "p2-camera")))) == [
        *("p3", "p2", "p0", "p1")
    ]
    assert names(Seats().place(scene("speaker", people(4), pinned=("p3-camera",), active_speaker="p1")))[0] == "p3"


def test_the_active_speaker_trades_places_with_the_one_before():
    seats = Seats()
    one = seats.place(scene("speaker", people(5), active_speaker="p0"))
    two = seats.place(scene("speaker", people(5), active_speaker="p3"))
    assert names(one) == ["p0", "p1", "p2", "p3", "p4"]
    assert names(two) == ["p3", "p1", "p2", "p0", "p4"]


def test_the_last_speaker_stays_large_in_silence():
    seats = Seats()
    seats.place(scene("speaker", people(3), active_speaker="p2"))
    assert names(seats.place(scene("speaker", people(3))))[0] == "p2"


def test_before_anybody_spoke_the_first_with_a_picture_is_large():
    first, *others = people(3)
    dark = replace(first, picture=False)
    placement = Seats().place(scene("single-speaker", [dark, *others]))
    assert names(placement) == ["p1"]
    assert placement.hidden == ("p0-camera", "p2-camera")


def test_single_speaker_follows_even_without_a_camera():
    quiet, talker = people(2)
    placement = Seats().place(scene("single-speaker", [quiet, replace(talker, picture=False)], active_speaker="p1"))
    assert names(placement) == ["p1"] and not placement.tiles[0].picture


def test_screens_go_first_and_are_never_cropped():
    for layout in ("speaker", "presentation", "lecture", "horizontalPresentation", "side-by-side", "pip"):
        crowd = [*people(3), screen("p1", 5), screen("p2", 7)]
        tile = Seats().place(scene(layout, crowd, active_speaker="p0")).tiles[0]
        assert (tile.source, tile.fit) == ("p2-screen", Fit.LETTERBOX), layout


def test_side_by_side_shows_the_screen_and_the_speaker():
    placement = Seats().place(scene("side-by-side", [*people(4), screen("p1", 5)], active_speaker="p3"))
    assert [tile.source for tile in placement.tiles] == ["p1-screen", "p3-camera"]


def test_the_inset_shows_who_spoke_before():
    seats = Seats()
    seats.place(scene("pip", people(4), active_speaker="p2"))
    assert names(seats.place(scene("pip", people(4), active_speaker="p3"))) == ["p3", "p0"], "the inset stays"
    assert names(seats.place(scene("pip", people(4), active_speaker="p0"))) == ["p0", "p3"]


def test_beyond_49_talkers_get_a_seat_and_the_others_keep_theirs():
    seats = Seats()
    before = seats_of(seats.place(scene("grid", people(60))))
    assert len(before) == 49
    placement = seats.place(scene("grid", people(60, {55})))
    after = seats_of(placement)
    assert "p55-camera" in after and len(after) == 49 and len(placement.hidden) == 11
    assert sum(after.get(i) == rect for i, rect in before.items()) == 48
    assert seats_of(seats.place(scene("grid", people(60)))) == after, "silence costs nobody the seat"


def test_when_all_seats_talk_a_further_talker_waits():
    seats = Seats()
    seats.place(scene("2x1", people(3, {0, 1})))
    placement = seats.place(scene("2x1", people(3, {0, 1, 2})))
    assert names(placement) == ["p0", "p1"] and placement.hidden == ("p2-camera",)


def test_custom_slots_by_role():
    half = Fraction(1, 2)
    zero = Fraction(0)
    spec = LayoutSpec(
        "mine",
        (
            SlotSpec("a", zero, zero, half, half),
            SlotSpec("b", half, zero, half, half, SlotRole.SPEAKER, Fit.LETTERBOX),
            SlotSpec("c", zero, half, half, half, SlotRole.SCREEN, Fit.CROP),
            SlotSpec("d", half, half, half, half, SlotRole.PINNED, z=2),
        ),
    )
    crowd = (*people(4), screen("p0", 3))
    placement = Seats().place(Scene(HD, spec, crowd, pinned=("p3-camera",), active_speaker="p2"))
    assert [tile.source for tile in placement.tiles] == ["p0-camera", "p2-camera", "p0-screen", "p3-camera"]
    assert [tile.fit for tile in placement.tiles] == [Fit.CROP, Fit.LETTERBOX, Fit.CROP, Fit.CROP]
    assert placement.hidden == ("p1-camera",) and placement.tiles[-1].z == 2


def test_options_reach_the_tiles():
    options = {"show_names": False, "fit": "letterbox", "hand_raised": frozenset({"p1"})}
    one, two = Seats().place(scene("grid", people(2), **options)).tiles
    assert (one.show_name, one.fit, one.hand_raised, two.hand_raised) == (False, "letterbox", False, True)


crowds = st.lists(
    st.tuples(st.integers(0, 70), st.booleans(), st.booleans()), max_size=70, unique_by=lambda person: person[0]
)
layouts = st.sampled_from(["grid", "speaker", "single-speaker", "presentation", "side-by-side", "pip", "3x2", "1x1"])


@settings(max_examples=60)
@given(st.lists(st.tuples(crowds, layouts, st.integers(0, 70)), min_size=1, max_size=6))
def test_everybody_is_seated_once_or_hidden(steps):
    seats = Seats()
    for crowd, layout, active in steps:
        sources = [source(f"p{i}", i, speaking=talks) if camera else screen(f"p{i}", i) for i, talks, camera in crowd]
        order = (f"p{active}-camera", None) if active % 3 == 0 else ()
        placement = seats.place(scene(layout, sources, active_speaker=f"p{active}", order=order))
        seated = [tile.source for tile in placement.tiles]
        assert sorted([*seated, *placement.hidden]) == sorted(s.id for s in sources)
        assert len({(tile.rect, tile.z) for tile in placement.tiles}) == len(seated)
