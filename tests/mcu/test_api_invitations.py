"""The link by which others come in, and its QR code."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.rooms import bearer, house

from mixdown.mcu.api.invitations import qr_svg

PATH = "/v1/rooms/demo/invitation"
SCALE = 6


def decoded(svg: str) -> str:
    """What a phone's camera reads."""
    side = int(re.findall(r'viewBox="0 0 (\d+) ', svg)[0])
    picture = np.full((side, side), 255, np.uint8)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg):
        picture[int(y), int(x)] = 0
    return str(cv2.QRCodeDetector().detectAndDecode(np.kron(picture, np.ones((SCALE, SCALE), np.uint8)))[0])


async def test_the_link_is_the_one_that_others_can_use(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        assert (await here.admin.get(PATH)).json() == {"url": "http://localhost:8080/?room=demo"}
        asked = await here.anybody.get(PATH, headers=bearer(ada["token"]))
        assert asked.json() == {"url": "https://192.0.2.7:8443/?room=demo"}
        proxied = await here.admin.get(PATH, params={"origin": "https://meet.example"})
        assert proxied.json() == {"url": "https://meet.example/?room=demo"}

        here.services.lan_urls = lambda: ("https://192.0.2.7:8443", "https://[2001:db8::7]:8443")
        assert (await here.admin.get(PATH)).json() == {"url": "https://192.0.2.7:8443/?room=demo"}
        proxied = await here.admin.get(PATH, params={"origin": "https://meet.example"})
        assert proxied.json() == {"url": "https://meet.example/?room=demo"}


async def test_the_code_is_read_as_the_link(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.join()
        answer = await here.admin.get(f"{PATH}.svg", params={"origin": "https://meet.example"})
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert decoded(answer.text) == "https://meet.example/?room=demo"


@pytest.mark.parametrize("length", [20, 60, 120])
def test_links_of_usual_lengths_are_read(length: int) -> None:
    link = "https://" + "a" * (length - 8)
    assert decoded(qr_svg(link)) == link


async def test_who_may_not_read_the_room_gets_no_invitation(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.join()
        assert (await here.anybody.get(PATH)).status_code == 401
        assert (await here.anybody.get(f"{PATH}.svg")).status_code == 401
        assert (await here.admin.get("/v1/rooms/nobody/invitation")).status_code == 404
        for wrong in ("javascript:alert(1)", "https://a/b", "https://me@a", "https://", "https://" + "a" * 400):
            assert (await here.admin.get(PATH, params={"origin": wrong})).status_code == 400
