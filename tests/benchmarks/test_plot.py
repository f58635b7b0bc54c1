"""Plots: their scale, and that what they draw is where the values say."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.plot import BOTTOM, HEIGHT, TOP, Bars, Lines, svg, ticks

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*panels):
    return ElementTree.fromstring(svg(panels))


def heights(picture):
    """Of the bars: rectangles in a panel that are no key of the legend."""
    return [float(r.get("height")) for r in picture.iter(f"{SVG}rect") if r.get("fill") and not r.get("rx")]


def texts(picture):
    return [text.text for text in picture.iter(f"{SVG}text")]


@given(st.floats(1e-6, 1e9))
def test_a_scale_reaches_from_zero_over_the_highest_value_in_few_even_steps(top):
    scale = ticks(top)
    assert scale[0] == 0
    assert scale[-1] >= top * (1 - 1e-6)
    assert scale[-2] < top * (1 + 1e-6)
    assert 3 <= len(scale) <= 8
    assert scale[1] - scale[0] == pytest.approx(scale[-1] - scale[-2], rel=1e-6)


def test_a_bar_is_as_high_as_its_value():
    small, large = heights(drawn(Bars("t", "y", ["a"], {"one": [1.0], "two": [4.0]})))
    assert large == pytest.approx(HEIGHT - TOP - BOTTOM, abs=0.2)
    assert small == pytest.approx(large / 4, abs=0.2)


def test_stacked_parts_add_up_and_a_missing_value_is_no_bar():
    stacked = heights(drawn(Bars("t", "y", ["a"], {"one": [1.0], "two": [3.0]}, stacked=True)))
    assert sum(stacked) == pytest.approx(HEIGHT - TOP - BOTTOM, abs=0.3)
    assert len(heights(drawn(Bars("t", "y", ["a", "b"], {"one": [1.0, None], "two": [None, None]})))) == 1


def test_lines_go_through_their_points_in_order_of_x():
    picture = drawn(Lines("t", "x", "y", {"one": [(16, 2.0), (4, 1.0), (64, 3.0)]}, log=True))
    line = next(picture.iter(f"{SVG}polyline"))
    points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    xs, ys = zip(*points, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)  # each four times the one before
    assert {"4", "16", "64"} <= set(texts(picture))


def test_a_limit_has_its_name_and_the_scale_reaches_it():
    picture = drawn(Bars("t", "y", ["a"], {"one": [1.0]}, limits={"target": 8.0}))
    assert "target" in texts(picture)
    assert heights(picture)[0] < (HEIGHT - TOP - BOTTOM) / 7


def test_names_are_escaped_and_both_colour_schemes_are_there():
    picture = svg([Bars("a < b & c", "y", ["<g>"], {"<s>": [1.0]})])
    assert "a < b & c" in texts(ElementTree.fromstring(picture))
    assert "prefers-color-scheme:dark" in picture


def test_without_values_there_is_an_empty_picture():
    assert heights(drawn(Bars("t", "y", [], {}))) == []
    assert drawn(Lines("t", "x", "y", {})) is not None
