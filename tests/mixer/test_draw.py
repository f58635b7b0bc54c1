"""These hold whichever fonts the machine has, even none."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from mixdown.mixer import draw, fonts, text
from mixdown.mixer.media import Size

NAMES = [
    "Ada Lovelace",
    "محمد علي",
    "שלום",
    "王小明",
    "김철수",
    "Zoë 😀👩‍👩‍👧",
    "अनुष्का",
    "",
    "\u202e\x00\n",
    "x" * 1000,
    "𒀀𒀀",
]
TILE = Size(314, 174)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tile", [TILE, Size(1280, 720), Size(100, 56), Size(40, 300), Size(2, 2)])
def test_labels_fit_into_their_tiles(name, tile):
    made = draw.label(name, tile)
    if made is not None:
        assert made.width <= tile.width - 2 * draw.margin(tile) + 2 and made.height < tile.height
        assert made.width % 2 == made.height % 2 == 0
        assert made.chroma_add.shape == (2, made.height // 2, made.width // 2)


def test_a_label_for_a_name_and_none_for_no_name():
    assert draw.label("Ada", TILE) is not None
    assert draw.label("", TILE) is None and draw.label("\u200b\n\x07", TILE) is None
    assert draw.label("Ada", Size(100, 30)) is None, "no room"
    assert draw.label("", TILE, hand=True) is not None


def test_labels_are_made_once():
    assert draw.label("Grace", TILE) is draw.label("Grace", TILE)


def test_weights_never_overflow_a_pixel():
    for name in NAMES:
        if (made := draw.label(name, TILE)) is not None:
            for keep, add in ((made.keep, made.add), (made.chroma_keep, made.chroma_add)):
                assert int((keep.astype(int) * 255 + add).max()) >> 8 <= 255 and keep.max() <= 256
                assert int((keep.astype(int) * 255 + add).max()) <= 65535


def test_long_names_end_in_an_ellipsis():
    shown = text.shortened(text.clean("x" * 1000), 14, 200)
    assert shown.endswith("…") and 5 < len(shown) < 100 and text.width(shown, 14) <= 200
    assert text.shortened("Ada", 14, 200) == "Ada"
    assert text.shortened("Ada", 14, 3) == ""


@given(st.text(max_size=60), st.integers(0, 300))
def test_any_text_is_shortened_to_fit(raw, limit):
    shown = text.shortened(text.clean(raw), 14, limit)
    assert text.width(shown, 14) <= limit or shown == ""
    assert text.draw(shown, 14, (255, 255, 255)).height == 20


@given(st.text(max_size=300))
def test_clean_names_are_one_line_without_controls(raw):
    cleaned = text.clean(raw)
    assert len(cleaned) <= text.MAX_CHARACTERS and cleaned == cleaned.strip() and "  " not in cleaned
    assert not set(cleaned) & set("\n\r\t\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u0000\ufeff")
    assert "".join(text.clusters(cleaned)) == cleaned


@given(st.text(max_size=60))
def test_runs_hold_all_of_the_text_once(raw):
    cleaned = text.clean(raw)
    assert sorted("".join(run.text for run in text.runs(cleaned))) == sorted(cleaned)


def test_heaps_of_marks_are_cut():
    assert len(text.clean("a" + "\u0301" * 100)) <= 5


def test_right_to_left_names_are_laid_out_from_the_right():
    levels = [(run.text.strip(), run.level) for run in text.runs("Ali محمد Smith") if run.text.strip()]
    assert levels == [("Ali", 0), ("محمد", 1), ("Smith", 0)]
    levels = [(run.text.strip(), run.level) for run in text.runs("محمد Ali علي") if run.text.strip()]
    assert levels == [("علي", 1), ("Ali", 2), ("محمد", 1)], "the first word stands rightmost"
    assert {run.level for run in text.runs("محمد علي")} == {1}


def test_what_belongs_together_stays_together():
    assert text.clusters("e\u0301👩‍👩‍👧👍🏽🇩🇪🇫🇷x") == ["e\u0301", "👩‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷", "x"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", "AL"),
        ("grace brewster hopper", "GH"),
        ("Иван Петров", "ИП"),
        ("Linus", "L"),
        ("王小明", "王"),
        ("محمد علي", "م"),
        ("(guest) bob", "GB"),
        ("😀 Zoë", "😀"),
        ("", ""),
        ("\n\u202e", ""),
    ],
)
def test_initials(name, expected):
    assert text.initials(name) == expected


def test_a_disc_keeps_its_colour_and_has_letters():
    one = draw.disc("p1", "Ada Lovelace", TILE)
    assert one is draw.disc("p1", "Ada Lovelace", TILE)
    assert one.y.shape == (74, 74) and one.chroma.shape == (2, 37, 37)
    assert one.y.max() > 180, "white ink"
    colours = {tuple(draw.disc(f"p{i}", "A", TILE).chroma[:, 18, 6]) for i in range(40)}
    assert len(colours) > 6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tile", [Size(2, 2), Size(16, 10), TILE])
def test_every_name_has_a_disc(name, tile):
    assert draw.disc("p", name, tile).y.shape[0] % 2 == 0


def test_the_chain_ends_with_a_font_that_is_always_there(monkeypatch):
    chain = fonts.faces()
    assert chain[-1].path is None and "A" in chain[-1].coverage
    monkeypatch.setattr(fonts, "faces", lambda: chain[-1:])
    monkeypatch.setattr(text, "face_for", fonts.face_for.__wrapped__)
    assert text.width("Ada", 14) > 10
    assert np.asarray(text.draw("Ada", 14, (255, 255, 255)))[..., 3].max() > 200


def test_coverage_agrees_with_what_a_font_draws():
    """A character that is not covered draws the same as one that no font has."""
    for face in (face for face in fonts.faces()[:3] if face.path and not face.emoji):
        drawn = ImageFont.truetype(face.path, 24, layout_engine=ImageFont.Layout.BASIC)
        missing = bytes(drawn.getmask("\U000ffffe"))
        assert all((bytes(drawn.getmask(c)) != missing) == (c in face.coverage) for c in "Aéжعש中가😀अ")


def test_broken_fonts_are_refused():
    for data in (b"", b"ttcf", b"\0\1\0\0\0\1" + bytes(6) + b"head" + bytes(12), b"x" * 400):
        with pytest.raises(ValueError):
            fonts.read_coverage(io.BytesIO(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_font_or_a_value_error(data):
    table = b"\0\1\0\0\0\1" + bytes(6) + b"cmap" + bytes(4) + struct.pack(">II", 28, len(data)) + data
    try:
        fonts.read_coverage(io.BytesIO(table))
    except ValueError:
        return


def test_unreadable_files_are_counted(tmp_path: Path):
    bad = tmp_path / "Bad.ttf"
    bad.write_bytes(b"nothing")
    before = len(fonts.skipped)
    assert list(fonts._open({"Bad": bad}, ["Bad"], emoji=False)) == []
    assert fonts.skipped[before:] == ["Bad"]


def test_what_doctor_shows():
    found = draw.fonts_available()
    assert isinstance(found["text"], str) and found["faces"] == len(fonts.faces()) - 1
