"""Who may do what, and how the API answers who may not."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from support.rooms import SECRET, bearer, house

from mixdown.mcu.api.guard import MAX_BODY
from mixdown.mcu.config import Settings


async def test_the_open_listener_is_open_to_this_machine_only(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert (await here.admin.get("/v1/rooms")).status_code == 200
        for host in ("127.0.0.1:8080", "[::1]:8080", "localhost"):
            assert (await here.admin.get("/v1/rooms", headers={"Host": host})).status_code == 200
        for headers in (
            {"Host": "rebound.example"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Host": "["},
            {"Host": "[v1.a:b]"},
            {"Origin": "http://["},
        ):
            assert (await here.admin.get("/v1/rooms", headers=headers)).status_code == 403, headers
        assert (await here.admin.get("/v1/rooms", headers={"X-Forwarded-For": "192.0.2.1"})).status_code == 401
        assert (await here.admin.get("/v1/rooms", headers={"Origin": "http://localhost:8080"})).status_code == 200


async def test_the_other_listener_wants_the_secret(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        refused = await here.anybody.get("/v1/rooms")
        assert refused.status_code == 401 and "Bearer" in refused.headers["www-authenticate"]
        assert (await here.anybody.get("/v1/rooms", headers=bearer("wrong"))).status_code == 401
        assert (await here.anybody.get("/v1/rooms", headers=bearer("schön"[:3]))).status_code == 401
        assert (await here.anybody.get("/v1/rooms", headers=bearer(SECRET))).status_code == 200


async def test_a_session_cookie_is_for_our_own_pages(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert (await here.anybody.post("/v1/session", json={"secret": "wrong"})).status_code == 401
        opened = await here.anybody.post("/v1/session", json={"secret": SECRET})
        assert opened.status_code == 204
        cookie = opened.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "secure"))
        assert (await here.anybody.get("/v1/rooms")).status_code == 200
        stranger = {"Origin": "https://evil.example"}
        assert (await here.anybody.post("/v1/rooms", json={}, headers=stranger)).status_code == 403
        own = {"Origin": "https://192.0.2.7:8443"}
        assert (await here.anybody.post("/v1/rooms", json={}, headers=own)).status_code == 201
        await here.anybody.delete("/v1/session")
        assert (await here.anybody.get("/v1/rooms")).status_code == 401


async def test_a_closed_house_lets_in_by_secret_only(tmp_path: Path) -> None:
    async with house(tmp_path, open_join=False) as here:
        body = {"name": "Ada", "sdp": "offer"}
        path = "/v1/rooms/demo/participants"
        assert (await here.anybody.post(path, json=body)).status_code == 401
        joined = await here.anybody.post(path, json=body, headers=bearer(SECRET))
        assert joined.status_code == 201
        token = joined.json()["token"]
        again = await here.anybody.post(path, json={**body, "token": token})
        assert again.status_code == 201
        for role in ("participant", "moderator"):
            elsewhere = {**body, "token": token, "role": role}
            refused = await here.anybody.post("/v1/rooms/another/participants", json=elsewhere)
            assert refused.status_code == 401, "a token of one room opened another"


async def test_a_token_opens_its_room_and_its_owner(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada, ben = await here.join("Ada"), await here.join("Ben")
        other = await here.join("Cyd", "other")
        mine = bearer(ada["token"])
        path = "/v1/rooms/demo/participants"
        for readable in ("", "/participants", "/sources", "/views/main/tiles", f"/participants/{ben['id']}"):
            assert (await here.anybody.get(f"/v1/rooms/demo{readable}", headers=mine)).status_code == 200
            assert (
                await here.anybody.get(f"/v1/rooms/demo{readable}", headers=bearer(other["token"]))
            ).status_code == 403
            assert (await here.anybody.get(f"/v1/rooms/demo{readable}")).status_code == 401
        assert (
            await here.anybody.patch(f"{path}/{ada['id']}", json={"name": "Ada L."}, headers=mine)
        ).status_code == 200
        for call in (
            here.anybody.patch(f"{path}/{ben['id']}", json={"name": "Eve"}, headers=mine),
            here.anybody.patch(f"{path}/{ada['id']}", json={"role": "moderator"}, headers=mine),
            here.anybody.delete(f"{path}/{ben['id']}", headers=mine),
            here.anybody.put("/v1/rooms/demo/layout", json={"layout": "grid"}, headers=mine),
            here.anybody.patch("/v1/rooms/demo", json={"locked": True}, headers=mine),
            here.anybody.delete("/v1/rooms/demo", headers=mine),
            here.anybody.get("/v1/rooms", headers=mine),
        ):
            assert (await call).status_code == 403


async def test_a_moderator_mutes_but_does_not_unmute(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        refused = await here.anybody.post(
            "/v1/rooms/demo/participants", json={"name": "Eve", "sdp": "offer", "role": "moderator"}
        )
        assert refused.status_code == 401
        chair, ben = await here.join("Chair", role="moderator"), await here.join("Ben")
        path = f"/v1/rooms/demo/participants/{ben['id']}"
        may = bearer(chair["token"])
        muted = await here.anybody.patch(path, json={"audio_muted": True}, headers=may)
        assert muted.json()["audio"] == muted.json()["audio"] | {"muted": True, "muted_by": "moderator"}
        assert (await here.anybody.patch(path, json={"audio_muted": False}, headers=may)).status_code == 403
        assert (await here.anybody.patch(path, json={"name": "Bob"}, headers=may)).status_code == 403
        assert (await here.anybody.put("/v1/rooms/demo/layout", json={"layout": "pip"}, headers=may)).status_code == 200
        own = await here.anybody.patch(path, json={"audio_muted": False}, headers=bearer(ben["token"]))
        assert own.json()["audio"]["muted"] is False and own.json()["audio"]["muted_by"] is None
        assert (await here.anybody.delete(path, headers=may)).status_code == 204


async def test_an_own_encoder_is_honestly_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        ada = await here.join()
        path = f"/v1/rooms/demo/participants/{ada['id']}"
        assert (await here.admin.patch(path, json={"hide_self": True, "name": "New"})).status_code == 409
        assert (await here.admin.get(path)).json()["name"] == "Ada"
        assert (await here.admin.patch(path, json={"hide_self": False})).status_code == 200
        assert (await here.admin.patch(path, json={"name": None})).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/v1/rooms/unknown", 404),
        ("GET", "/v1/rooms/unknown/participants/x", 404),
        ("PUT", "/v1/rooms", 405),
        ("GET", "/web/../pyproject.toml", 404),
        ("GET", "/web/%2e%2e/__init__.py", 404),
        ("GET", "/v1/rooms/%00", 400),
        ("POST", "/v1/rooms", 400),
        ("GET", "/web/none.js", 404),
    ],
)
async def test_every_failure_is_a_problem(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with house(tmp_path) as here:
        answer = await here.admin.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status and {"type", "title", "detail"} <= problem.keys()


async def test_bodies_have_a_limit(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        large = b" " * (MAX_BODY + 1)
        headers = {"Content-Type": "application/json"}
        assert (await here.admin.post("/v1/rooms", content=large, headers=headers)).status_code == 413

        async def endless():
            for _ in range(40):
                yield b" " * 65_536

        assert (await here.admin.post("/v1/rooms", content=endless(), headers=headers)).status_code == 413
        broken = await here.admin.post("/v1/rooms", content=b"{", headers=headers)
        assert broken.status_code == 400 and broken.json()["errors"]


async def test_a_mistake_of_ours_is_answered_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path) as here:

        def fails(room: str) -> None:
            raise RuntimeError("ours")

        monkeypatch.setattr(here.services.registry, "get", fails)
        answer = await here.admin.get("/v1/rooms/demo")
        assert answer.status_code == 500 and "ours" not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        metrics = (await here.anybody.get("/metrics")).text
        assert 'mixdown_http_responses_total{status="500"} 1.0' in metrics


async def test_pages_and_their_headers(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        page = await here.anybody.get("/")
        assert page.status_code == 200 and "text/html" in page.headers["content-type"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-cache" and page.headers["etag"]
        again = await here.anybody.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert again.status_code == 304
        script = await here.anybody.get("/web/shared/api.js")
        assert script.status_code == 200 and "javascript" in script.headers["content-type"]
        assert (await here.anybody.get("/docs")).status_code == 200


async def test_only_the_join_page_may_stand_in_a_frame(tmp_path: Path) -> None:
    async with house(tmp_path, embed_origins=("'self'", "https://intranet.example")) as here:
        page = await here.anybody.get("/")
        assert "frame-ancestors 'self' https://intranet.example" in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].count("frame-ancestors") == 1
        for path in ("/web/shared/api.js", "/docs", "/v1/rooms"):
            other = await here.anybody.get(path)
            assert "frame-ancestors 'none'" in other.headers["content-security-policy"], path
            assert other.headers["x-frame-options"] == "DENY"
    with pytest.raises(ValueError, match="no origin"):
        Settings(embed_origins=("https://a.example; script-src *",))


async def test_health_and_readiness(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        assert (await here.anybody.get("/healthz")).status_code == 200
        assert (await here.anybody.get("/readyz")).status_code == 200
        app = here.app
        transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/readyz")).status_code == 503
