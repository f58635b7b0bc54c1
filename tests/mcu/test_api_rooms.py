"""Rooms, layouts, views and stats over HTTP, without media."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.rooms import bearer, house

from mixdown.mcu.link.messages import Reply, Request
from mixdown.mcu.rooms.requests import MAX_PENDING


async def test_rooms_are_made_listed_changed_and_ended(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        body = {"id": "demo", "layout": "speaker", "canvas": {"width": 640, "height": 360, "fps": 15}}
        made = await here.admin.post("/v1/rooms", json=body)
        assert made.status_code == 201 and made.headers["location"] == "/v1/rooms/demo"
        assert made.json()["canvas"] == body["canvas"] and made.json()["layout"] == "speaker"
        assert (await here.admin.post("/v1/rooms", json=body)).status_code == 409
        changed = await here.admin.patch("/v1/rooms/demo", json={"layout": "3x2", "empty_timeout": 5})
        assert (changed.json()["layout"], changed.json()["empty_timeout"]) == ("3x2", 5)
        assert here.mixer.document("demo").views[0].layout.name == "3x2"
        assert [room["id"] for room in (await here.admin.get("/v1/rooms")).json()] == ["demo"]
        assert (await here.admin.delete("/v1/rooms/demo")).status_code == 204
        assert (await here.admin.get("/v1/rooms/demo")).status_code == 404
        assert (await here.admin.post("/v1/rooms", json={})).json()["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "No Slug"},
        {"id": "a" * 64},
        {"id": "a\n"},
        {"canvas": {"width": 641}},
        {"canvas": {"width": 158}},
        {"canvas": {"height": 1922}},
        {"canvas": {"fps": 61}},
        {"layout": "nonsense"},
        {"max_participants": 0},
        {"empty_timeout": "Infinity"},
        {"locked": "yes"},
        {"unknown": 1},
        [],
    ],
)
async def test_what_cannot_be_meant_is_refused_with_the_reason(tmp_path: Path, body: object) -> None:
    async with house(tmp_path) as here:
        answer = await here.admin.post("/v1/rooms", json=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == 400 and problem["title"] == "Bad Request" and len(problem["detail"]) > 10
        assert (await here.admin.get("/v1/rooms")).json() == []


async def test_a_room_is_laid_out(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada, ben = await here.join("Ada"), await here.join("Ben")
        order = [f"{ben['id']}-camera", None, f"{ada['id']}-camera"]
        body = {"layout": "grid", "order": order, "fit": "letterbox", "background": "#000000", "glide_ms": 0}
        answer = await here.admin.put("/v1/rooms/demo/layout", json=body)
        assert answer.status_code == 200 and answer.json()["order"] == order
        view = here.mixer.document("demo").views[0]
        assert (view.order, view.fit, view.background, view.glide_ms) == (tuple(order), "letterbox", "#000000", 0)
        unknown = await here.admin.put("/v1/rooms/demo/layout", json={"layout": "grid", "order": ["nobody-camera"]})
        assert unknown.status_code == 404
        assert (
            await here.admin.put("/v1/rooms/demo/layout", json={"layout": "grid", "fit": "wrap"})
        ).status_code == 400


async def test_layouts_built_in_and_custom(tmp_path: Path) -> None:
    halves = {
        "slots": [
            {"id": "1", "area": {"left": "0", "top": "0", "width": "2/3", "height": "1"}, "role": "speaker"},
            {"id": "2", "area": {"left": "2/3", "top": "0", "width": "1/3", "height": "1"}},
        ]
    }
    async with house(tmp_path) as here:
        names = [layout["name"] for layout in (await here.anybody.get("/v1/layouts")).json()]
        assert {"grid", "speaker", "single-speaker", "presentation", "side-by-side", "pip"} <= set(names)
        assert (await here.anybody.put("/v1/layouts/mine", json=halves)).status_code == 401
        assert (await here.admin.put("/v1/layouts/grid", json=halves)).status_code == 403
        made = await here.admin.put("/v1/layouts/mine", json=halves)
        assert made.status_code == 200 and made.json()["slots"][0]["area"]["width"] == "2/3"
        outside = {"slots": [{"id": "1", "area": {"left": "1/2", "top": "0", "width": "2/3", "height": "1"}}]}
        assert (await here.admin.put("/v1/layouts/mine", json=outside)).status_code == 400
        assert (await here.admin.post("/v1/rooms", json={"id": "demo", "layout": "mine"})).status_code == 201
    async with house(tmp_path) as here:
        assert (await here.anybody.get("/v1/layouts/mine")).json()["slots"][1]["area"]["left"] == "2/3"
        assert here.mixer.document("demo").views[0].layout.slots[0].role == "speaker"
        picture = await here.anybody.get("/v1/layouts/mine/preview.svg?width=600&height=300")
        assert 'width="400" height="300"' in picture.text
        assert (await here.admin.delete("/v1/layouts/mine")).status_code == 204
        assert (await here.admin.get("/v1/layouts/mine")).status_code == 404
        assert (await here.admin.delete("/v1/layouts/grid")).status_code == 403


async def test_a_preview_has_as_many_tiles_as_sources(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        picture = await here.anybody.get("/v1/layouts/grid/preview.svg?sources=7&width=641&height=360")
        assert picture.headers["content-type"].startswith("image/svg+xml")
        assert picture.text.count("<text") == 7
        assert (await here.anybody.get("/v1/layouts/nope/preview.svg")).status_code == 404
        assert (await here.anybody.get("/v1/layouts/grid/preview.svg?sources=-1")).status_code == 400


async def test_further_views(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        body = {"layout": "speaker", "canvas": {"width": 320, "height": 180, "fps": 10}}
        assert (await here.admin.put("/v1/rooms/demo/views/wall", json=body)).json()["canvas"]["fps"] == 10
        assert [view.name for view in here.mixer.document("demo").views] == ["main", "wall"]
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        assert (await here.admin.patch(path, json={"view": "wall"})).status_code == 200
        assert (await here.admin.delete("/v1/rooms/demo/views/wall")).status_code == 409
        await here.admin.patch(path, json={"view": "main"})
        assert (await here.admin.delete("/v1/rooms/demo/views/wall")).status_code == 204
        assert (await here.admin.get("/v1/rooms/demo/views/wall")).status_code == 404
        assert (await here.admin.get("/v1/rooms/demo/views/auto-grid")).json()["layout"] == "grid"
        assert (await here.admin.delete("/v1/rooms/demo/views/main")).status_code == 403
        assert (await here.admin.put("/v1/rooms/demo/views/low", json={})).status_code == 403


async def test_tiles_and_pictures_come_from_the_mixer(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.join()
        tiles = await here.admin.get("/v1/rooms/demo/views/low/tiles")
        assert tiles.status_code == 200 and tiles.json()["tick"] == 7
        assert here.mixer.sent[-1].view == "main"
        here.mixer.answer = lambda request: Reply(request.id, b"\xff\xd8jpeg")
        picture = await here.admin.get("/v1/rooms/demo/snapshot.jpg?width=320")
        assert (picture.content, picture.headers["content-type"]) == (b"\xff\xd8jpeg", "image/jpeg")
        assert picture.headers["cache-control"] == "no-store"
        assert (await here.admin.get("/v1/rooms/demo/snapshot.jpg?view=nope")).status_code == 404
        assert (await here.admin.get("/v1/rooms/demo/snapshot.jpg?width=9999")).status_code == 400


async def test_a_silent_mixer_is_503(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.join()
        here.mixer.answer = lambda request: None
        here.services.requests._deadline = 0.01
        answer = await here.admin.get("/v1/rooms/demo/stats")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
        here.services.requests.handle(Reply(99, {}))
        assert (here.services.requests.timeouts, here.services.requests.late) == (1, 1)


async def test_stats_join_all_parts(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        camera = {"id": f"{ada['id']}-camera", "width": 640, "height": 360, "fps": 29.9}
        parts = {"decode": 0.1, "compose": 0.2, "encode": 0.3, "audio": 0.05}
        here.mixer.answer = lambda request: Reply(request.id, {"cpu_cores": parts, "sources": [camera]})
        stats = here.services.stats
        spent = [10.0]
        edge_spent = [1.0, 2.0]
        stats._clock, stats._cpu = here.clock, lambda: spent[0]
        here.edge.cpu = lambda room: tuple(edge_spent)
        stats.sample()
        here.clock.now += 2
        spent[0] += 2.0
        edge_spent[:] = [1.1, 2.2]
        body = (await here.admin.get("/v1/rooms/demo/stats")).json()
        assert body["room"] == "demo"
        expected = parts | {"receive": 0.05, "send": 0.1, "rest": 0.2, "total": 1.0}
        assert body["cpu_cores"] == pytest.approx(expected)
        assert (await here.admin.get(f"/v1/rooms/demo/participants/{ada['id']}")).json()["video"]["width"] == 640


async def test_stats_of_the_last_of_many_rooms(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        rooms = [f"room-{n}" for n in range(MAX_PENDING + 2)]
        for room in rooms:
            await here.join(room=room)
        for room in (rooms[0], rooms[-1]):
            assert (await here.admin.get(f"/v1/rooms/{room}/stats")).status_code == 200
        assert len([m for m in here.mixer.sent if isinstance(m, Request)]) == 2 * len(rooms)


async def test_sources(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join("Ada")
        await here.join("Ben", role="viewer")
        await here.admin.patch(f"/v1/rooms/demo/participants/{ada['id']}", json={"audio_muted": True})
        sources = (await here.admin.get("/v1/rooms/demo/sources")).json()
        assert [(s["id"], s["name"], s["live"]) for s in sources] == [
            (f"{ada['id']}-camera", "Ada", True),
            (f"{ada['id']}-microphone", "Ada", False),
        ]


async def test_names_are_cleaned(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        names = {
            "  Ada \n Lovelace\u202e\x00 ": "Ada Lovelace",
            "<b>Ada</b>": "<b>Ada</b>",
            "می\u200cخواهم": "می\u200cخواهم",
            "x" * 300: "x" * 200,
        }
        for given, kept in names.items():
            raw = f'{{"name": {json.dumps(given)}, "sdp": "offer"}}'.encode()
            answer = await here.admin.post(
                "/v1/rooms/demo/participants", content=raw, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 201
            path = answer.headers["location"]
            assert (await here.admin.get(path)).json()["name"] == kept
        raw = b'{"name": "\\ud800Ada", "sdp": "offer"}'
        headers = {"Content-Type": "application/json"}
        half = await here.admin.post("/v1/rooms/demo/participants", content=raw, headers=headers)
        assert half.status_code == 400
        empty = await here.admin.post("/v1/rooms/demo/participants", json={"name": " \n\u202e", "sdp": "offer"})
        assert empty.status_code == 400


async def test_an_sdp_has_its_limit(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for sdp in ("é" * 40_000, "x" * 65_537, ""):
            answer = await here.admin.post("/v1/rooms/demo/participants", json={"name": "Ada", "sdp": sdp})
            assert answer.status_code == 400
        raw = b'{"name": "Ada", "sdp": "v=0\\ud800"}'
        headers = {"Content-Type": "application/json"}
        answer = await here.admin.post("/v1/rooms/demo/participants", content=raw, headers=headers)
        assert answer.status_code == 400


async def test_trickle_and_renegotiation(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        own = bearer(ada["token"])
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        candidate = "candidate:1 1 udp 2122260223 192.0.2.9 50000 typ host"
        body = {"candidates": [candidate, ""]}
        assert (await here.anybody.patch(f"{path}/candidates", json=body, headers=own)).status_code == 204
        assert here.edge.candidates == [candidate, ""]
        answer = await here.anybody.post(f"{path}/offer", json={"sdp": "v=0"}, headers=own)
        assert answer.json() == {"sdp": "answer 2", "type": "answer"}
        assert (await here.anybody.post(f"{path}/offer", json={"sdp": "v=0"})).status_code == 401
