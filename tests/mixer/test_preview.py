from __future__ import annotations

from xml.etree import ElementTree

import pytest

from mixdown.mixer.layout import BUILT_IN, LayoutSpec, parse_layout_name
from mixdown.mixer.media import Size
from mixdown.mixer.preview import preview_svg

TAG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", [*BUILT_IN, "3x2"])
@pytest.mark.parametrize("sources", [0, 1, 5, 49])
def test_every_layout_has_a_picture(name, sources):
    svg = ElementTree.fromstring(preview_svg(parse_layout_name(name), sources, Size(640, 360)))
    assert (svg.get("width"), svg.get("height")) == ("640", "360")
    numbers = [text.text for text in svg.iter(f"{TAG}text") if (text.text or "").isdigit()]
    assert len(numbers) == len(svg.findall(f"{TAG}g"))
    if name == "grid":
        assert sorted(map(int, numbers)) == list(range(1, sources + 1))


def test_roles_are_named_and_empty_cells_outlined():
    assert ">speaker<" in preview_svg(parse_layout_name("speaker"), 3, Size(640, 360))
    assert preview_svg(parse_layout_name("3x2"), 4, Size(640, 360)).count("dasharray") == 2


def test_unknown_layouts_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        preview_svg(LayoutSpec("<nonsense>"), 3, Size(640, 360))
