"""Joining, coming back, being lost, leaving: with an edge that only notes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.rooms import SECRET, House, bearer, house

from mixdown.codecs.encoded import TierName
from mixdown.mcu.edge.types import PeerState, PeerStateChanged, PeerTierChanged
from mixdown.mcu.link.messages import ParticipantDocument, SourceKind
from mixdown.mcu.rooms.participant import Participant, Role


async def test_a_tile_begins_with_the_connection_not_with_the_offer(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        joined = await here.join("Ada", connect=False)
        assert here.mixer.document("demo").participants == ()
        events = here.events()
        here.edge.tell(joined["id"], PeerState.CONNECTED)
        (document,) = here.mixer.document("demo").participants
        assert (document.id, document.name, document.connected) == (joined["id"], "Ada", True)
        assert [event["type"] for event in events] == ["participant_joined"]
        assert events[0]["participant"]["state"] == "connected"


async def test_comes_back_as_itself(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join("Ada")
        ben = await here.join("Ben")
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        await here.admin.patch(path, json={"gain_db": -6, "pinned": True, "audio_muted": True})
        here.edge.tell(ada["id"], PeerState.DISCONNECTED)
        assert (await here.admin.get(path)).json()["state"] == "disconnected"
        assert [p.connected for p in here.mixer.document("demo").participants] == [False, True]

        again = await here.join("Ada", token=ada["token"])
        assert again["id"] == ada["id"] and again["token"] == ada["token"]
        assert here.edge.joins[-1].epoch == here.edge.joins[0].epoch + 1
        seen = (await here.admin.get(path)).json()
        assert seen["state"] == "connected" and seen["gain_db"] == -6 and seen["pinned"]
        assert seen["audio"]["muted"] and seen["audio"]["muted_by"] == "admin"
        assert [p.id for p in here.mixer.document("demo").participants] == [ada["id"], ben["id"]]


async def test_news_of_an_old_transport_is_ignored(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        await here.join(token=ada["token"])
        here.edge.tell(ada["id"], PeerState.DISCONNECTED, epoch=0)
        assert (await here.admin.get(f"/v1/rooms/demo/participants/{ada['id']}")).json()["state"] == "connected"
        assert here.services.presence.stale_states == 1


async def test_a_failed_return_leaves_everything_as_it_was(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        body = {"name": "Eve", "sdp": "bad", "token": ada["token"]}
        assert (await here.admin.post("/v1/rooms/demo/participants", json=body)).status_code == 400
        seen = (await here.admin.get(f"/v1/rooms/demo/participants/{ada['id']}")).json()
        assert (seen["name"], seen["state"]) == ("Ada", "connected")
        here.edge.tell(ada["id"], PeerState.DISCONNECTED)
        assert (await here.admin.get(f"/v1/rooms/demo/participants/{ada['id']}")).json()["state"] == "disconnected"


async def test_who_is_lost_is_kept_for_a_minute(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        here.edge.tell(ada["id"], PeerState.DISCONNECTED)
        events = here.events()
        here.clock.now += 59
        await here.sweep()
        assert (await here.admin.get("/v1/rooms/demo/participants")).json() != []
        here.clock.now += 2
        await here.sweep()
        assert (await here.admin.get("/v1/rooms/demo/participants")).json() == []
        assert [(event["type"], event["reason"]) for event in events] == [("participant_left", "lost")]
        assert here.mixer.document("demo").participants == ()
        later = await here.join(token=ada["token"])
        assert later["id"] != ada["id"]


async def test_who_never_connects_is_dropped_and_was_never_seen(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ben = await here.join("Ben")
        events = here.events()
        ada = await here.join("Ada", connect=False)
        here.clock.now += 21
        await here.sweep()
        assert [p["id"] for p in (await here.admin.get("/v1/rooms/demo/participants")).json()] == [ben["id"]]
        assert here.edge.left == [ada["id"]]
        assert events == []


async def test_a_failed_join_leaves_no_room_behind(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        answer = await here.anybody.post("/v1/rooms/new/participants", json={"name": "Ada", "sdp": "bad"})
        assert answer.status_code == 400
        assert (await here.admin.get("/v1/rooms")).json() == []
        await here.join("Ada", "other", connect=False)
        here.clock.now += 21
        await here.sweep()
        assert (await here.admin.get("/v1/rooms")).json() == []


async def test_leaving_and_being_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada, ben = await here.join("Ada"), await here.join("Ben")
        events = here.events()
        own = await here.anybody.delete(f"/v1/rooms/demo/participants/{ada['id']}", headers=bearer(ada["token"]))
        assert own.status_code == 204
        assert (await here.admin.delete(f"/v1/rooms/demo/participants/{ben['id']}")).status_code == 204
        assert [(event["type"], event["reason"]) for event in events] == [
            ("participant_left", "left"),
            ("participant_left", "removed"),
        ]
        assert here.edge.left == [ada["id"], ben["id"]]
        back = {"name": "Ben", "sdp": "offer", "token": ben["token"]}
        assert (await here.anybody.post("/v1/rooms/demo/participants", json=back)).status_code == 403
        assert (await here.join("Ada", token=ada["token"]))["id"] != ada["id"]


async def test_an_ended_room_is_gone_for_a_minute(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        events = here.events()
        assert (await here.admin.delete("/v1/rooms/demo")).status_code == 204
        assert [event["type"] for event in events] == ["participant_left", "room_finished"]
        assert here.edge.left == [ada["id"]]
        body = {"name": "Ada", "sdp": "offer", "token": ada["token"]}
        assert (await here.anybody.post("/v1/rooms/demo/participants", json=body)).status_code == 410
        assert (await here.anybody.post("/v1/rooms/demo/participants?reopen=true", json=body)).status_code == 401
        assert (await here.admin.post("/v1/rooms/demo/participants?reopen=true", json=body)).status_code == 201
        await here.admin.delete("/v1/rooms/demo")
        here.clock.now += 61
        assert (await here.anybody.post("/v1/rooms/demo/participants", json=body)).status_code == 201


async def test_a_room_that_ends_during_a_join_takes_nobody_in(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.join("Ben")
        here.edge.gate = asyncio.Event()
        body = {"name": "Ada", "sdp": "offer"}
        joining = asyncio.create_task(here.anybody.post("/v1/rooms/demo/participants", json=body))
        room = here.services.registry.get("demo")
        while len(room.participants) < 2:
            await asyncio.sleep(0)
        await here.admin.delete("/v1/rooms/demo")
        here.edge.gate.set()
        assert (await joining).status_code == 410
        assert here.edge.peers == {}


async def test_locked_and_full_rooms(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.admin.post("/v1/rooms", json={"id": "demo", "max_participants": 1})
        ada = await here.join()
        body = {"name": "Ben", "sdp": "offer"}
        full = await here.admin.post("/v1/rooms/demo/participants", json=body)
        assert full.status_code == 503 and int(full.headers["retry-after"]) > 0
        await here.admin.patch("/v1/rooms/demo", json={"locked": True, "max_participants": 9})
        assert (await here.admin.post("/v1/rooms/demo/participants", json=body)).status_code == 423
        await here.join(token=ada["token"])


async def test_an_admin_may_watch_a_locked_room(tmp_path: Path) -> None:
    async with house(tmp_path, open_join=True) as here:
        await here.admin.post("/v1/rooms", json={"id": "demo", "locked": True})
        path, body = "/v1/rooms/demo/participants", {"name": "Studio", "sdp": "offer", "role": "viewer"}
        watching = await here.anybody.post(path, json=body, headers=bearer(SECRET))
        assert watching.status_code == 201
        assert (await _connected(here, watching.json()["id"])).viewer
        refused = [
            await here.anybody.post(path, json=body),
            await here.anybody.post(path, json=body | {"role": "participant"}, headers=bearer(SECRET)),
            await here.admin.post(path, json={"name": "Ada", "sdp": "offer"}),
        ]
        assert [answer.status_code for answer in refused] == [423, 423, 423]


async def _connected(here: House, participant: str) -> ParticipantDocument:
    here.edge.tell(participant, PeerState.CONNECTED)
    (document,) = here.mixer.document("demo").participants
    return document


async def test_who_ended_a_share_and_switched_a_camera_off(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada, eve = await here.join("Ada"), await here.join("Eve")
        await here.admin.patch(f"/v1/rooms/demo/participants/{eve['id']}", json={"role": "moderator"})
        path, events = f"/v1/rooms/demo/participants/{ada['id']}", here.events()

        async def change(who: dict[str, str], **changes: object) -> dict[str, Any]:
            answer = await here.anybody.patch(path, json=changes, headers=who)
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

        mine, moderator = bearer(ada["token"]), bearer(eve["token"])
        off = await change(moderator, video_muted=True)
        assert (off["video"]["muted"], off["video"]["muted_by"]) == (True, "moderator")
        assert (await change(mine, video_muted=False))["video"]["muted_by"] is None
        assert (await change(mine, video_muted=True))["video"]["muted_by"] == "self"
        assert (await change(moderator, video_muted=True))["video"]["muted_by"] == "self", "it was off already"
        events.clear()
        for who in (mine, moderator, bearer(SECRET)):
            await change(who, screen=False)
        assert [event["screen_ended_by"] for event in events] == ["self", "moderator", "admin"]
        await change(mine, name="Ada L.")
        assert "screen_ended_by" not in events[-1]


async def test_who_switched_a_camera_off_outlives_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        await here.admin.patch(f"/v1/rooms/demo/participants/{ada['id']}", json={"video_muted": True})
    async with house(tmp_path) as here:
        (seen,) = (await here.admin.get("/v1/rooms/demo/participants")).json()
        assert (seen["video"]["muted"], seen["video"]["muted_by"]) == (True, "admin")


def test_a_record_of_before_has_a_camera_that_nobody_in_particular_switched_off() -> None:
    record = Participant("a", "Ada", Role.PARTICIPANT, "digest", 0, "now", video_muted=True).record()
    del record["video_muted_by"]
    assert Participant.from_record(record, 0.0).video_muted_by is None


async def test_an_empty_room_is_dropped_after_its_time(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.admin.post("/v1/rooms", json={"id": "demo", "empty_timeout": 10})
        here.clock.now += 9
        await here.sweep()
        ada = await here.join()
        here.clock.now += 100
        await here.sweep()
        assert len((await here.admin.get("/v1/rooms")).json()) == 1
        await here.admin.delete(f"/v1/rooms/demo/participants/{ada['id']}")
        here.clock.now += 11
        await here.sweep()
        assert (await here.admin.get("/v1/rooms/demo")).status_code == 404


async def test_a_restarted_server_knows_its_people(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join("Ada")
        ben = await here.join("Ben")
        camera = f"{ben['id']}-camera"
        laid = await here.admin.put("/v1/rooms/demo/layout", json={"layout": "speaker", "pinned": [camera]})
        assert laid.status_code == 200
        await here.admin.patch(f"/v1/rooms/demo/participants/{ben['id']}", json={"gain_db": 3})
    async with house(tmp_path) as here:
        document = here.mixer.document("demo")
        assert [(p.id, p.connected) for p in document.participants] == [(ada["id"], False), (ben["id"], False)]
        assert document.views[0].layout.name == "speaker" and document.views[0].pinned == (camera,)
        again = await here.join("Ben", token=ben["token"])
        assert again["id"] == ben["id"]
        seen = (await here.admin.get(f"/v1/rooms/demo/participants/{ben['id']}")).json()
        assert (seen["state"], seen["gain_db"]) == ("connected", 3)
        assert here.edge.joins[-1].epoch == 1
        here.clock.now += 61
        await here.sweep()
        assert [p["name"] for p in (await here.admin.get("/v1/rooms/demo/participants")).json()] == ["Ben"]
    async with house(tmp_path) as here:
        assert [p.id for p in here.mixer.document("demo").participants] == [ben["id"]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"view": "low"}, ("main", TierName.LOW)),
        ({"view": "auto-speaker"}, ("auto-speaker", TierName.FULL)),
        ({"max_bitrate": 800_000}, ("main", TierName.MEDIUM)),
        ({"max_bitrate": 100_000}, ("main", TierName.AUDIO)),
    ],
)
async def test_a_change_of_view_reaches_the_edge(tmp_path: Path, change: dict, expected: tuple) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        answer = await here.anybody.patch(path, json=change, headers=bearer(ada["token"]))
        assert answer.status_code == 200
        assert here.edge.views == [(ada["id"], *expected)]
        assert expected[0] in [view.name for view in here.mixer.document("demo").views]
        assert (await here.anybody.patch(path, json={"view": "nope"}, headers=bearer(ada["token"]))).status_code == 404


async def test_a_screen_share_is_ended_from_outside(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join("Ada")
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        assert (await here.admin.patch(path, json={"screen": False})).status_code == 200
        assert here.edge.ended == [(ada["id"], SourceKind.SCREEN), (ada["id"], SourceKind.SCREEN_AUDIO)]
        assert (await here.admin.patch(path, json={"screen": True})).status_code == 400


async def test_a_return_into_a_room_that_ends_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        here.edge.gate = asyncio.Event()
        body = {"name": "Ada", "sdp": "offer", "token": ada["token"]}
        returning = asyncio.create_task(here.admin.post("/v1/rooms/demo/participants", json=body))
        while here.services.registry.get("demo").participants[ada["id"]].epoch == 0:
            await asyncio.sleep(0)
        await here.admin.delete("/v1/rooms/demo")
        sent = len(here.mixer.sent)
        here.edge.gate.set()
        assert (await returning).status_code == 410
        assert here.mixer.sent[sent:] == [], "the mixer was told of a room that is over"
    async with house(tmp_path) as later:
        assert (await later.admin.get("/v1/rooms")).json() == []


async def test_a_late_failure_does_not_drop_the_next_room_of_that_name(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.edge.gate = asyncio.Event()
        body = {"name": "Ada", "sdp": "offer"}
        late = asyncio.create_task(here.admin.post("/v1/rooms/demo/participants", json=body))
        while not here.services.registry.find("demo"):
            await asyncio.sleep(0)
        await here.admin.delete("/v1/rooms/demo")
        gate, here.edge.gate = here.edge.gate, None
        reopened = await here.admin.post("/v1/rooms/demo/participants?reopen=true", json={**body, "name": "Ben"})
        assert reopened.status_code == 201
        gate.set()
        assert (await late).status_code == 410
        assert len((await here.admin.get("/v1/rooms/demo/participants")).json()) == 1


async def test_who_leaves_before_being_connected_takes_the_unused_room_along(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join(connect=False)
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        assert (await here.anybody.delete(path, headers=bearer(ada["token"]))).status_code == 204
        assert here.services.registry.find("demo") is None


async def test_a_view_that_is_changed_during_a_join_holds(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.edge.gate = asyncio.Event()
        joining = asyncio.create_task(here.join(connect=False))
        while not (room := here.services.registry.find("demo")) or not room.participants:
            await asyncio.sleep(0)
        (one,) = room.participants
        changed = await here.admin.patch(f"/v1/rooms/demo/participants/{one}", json={"max_bitrate": 0})
        assert changed.status_code == 200
        told = len(here.edge.views)
        here.edge.gate.set()
        await joining
        assert here.edge.views[told:] == [(one, "main", TierName.AUDIO)]


async def test_a_return_that_fails_while_the_first_transport_connects_hears_of_it(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join("Ada", connect=False)
        here.edge.gate = asyncio.Event()
        body = {"name": "Ada", "sdp": "bad", "token": ada["token"]}
        returning = asyncio.create_task(here.anybody.post("/v1/rooms/demo/participants", json=body))
        one = here.services.registry.get("demo").participants[ada["id"]]
        while one.epoch == 0:
            await asyncio.sleep(0)
        here.edge.tell(ada["id"], PeerState.CONNECTED)
        here.edge.gate.set()
        assert (await returning).status_code == 400
        assert one.state is PeerState.CONNECTED and one.joined
        here.clock.now += 21
        await here.sweep()
        assert here.edge.left == []


async def test_who_is_silent_and_then_given_up_is_kept_for_a_minute_from_the_silence_on(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        events = here.events()
        here.edge.tell(ada["id"], PeerState.DISCONNECTED)
        here.clock.now += 6
        here.services.presence.on_state(PeerStateChanged("demo", ada["id"], 0, PeerState.DISCONNECTED))
        assert [event["participant"]["state"] for event in events] == ["disconnected"]
        here.clock.now += 55
        await here.sweep()
        assert here.services.registry.get("demo").participants == {}


async def test_a_step_that_the_line_made_necessary_is_an_event(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        joined = await here.join("Ada")
        events, epoch = here.events(), here.edge.peers[joined["id"]].epoch
        for at in (epoch, epoch - 1):  # the second is of a transport that was replaced
            here.services.presence.on_tier(PeerTierChanged("demo", joined["id"], at, TierName.LOW, "bandwidth"))
        (event,) = [one for one in events if one["type"] == "tier_changed"]
        assert (event["participant"], event["tier"], event["limited_by"]) == (joined["id"], "low", "bandwidth")
