"""Where settings come from, which wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mixdown.mcu.config import Settings, load


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in tuple(os.environ):
        if name.startswith("MIXDOWN_"):
            monkeypatch.delenv(name)


def test_command_line_over_environment_over_file_over_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mixdown.toml"
    file.write_text("http_port = 1001\nlan_port = 1002\nmax_rooms = 1003\n")
    monkeypatch.setenv("MIXDOWN_HTTP_PORT", "2001")
    monkeypatch.setenv("MIXDOWN_LAN_PORT", "2002")
    settings = load(file, http_port=3001, lan_port=None)
    assert (settings.http_port, settings.lan_port, settings.max_rooms) == (3001, 2002, 1003)
    assert settings.http_host == "127.0.0.1" and settings.open_join


def test_the_file_may_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere.toml"
    file.write_text('open_join = false\n[[ice_servers]]\nurl = "turn:turn.example:3478"\ncredential = "s3cret"\n')
    monkeypatch.setenv("MIXDOWN_CONFIG", str(file))
    settings = load()
    assert not settings.open_join
    assert settings.edge().ice_servers[0].credential == "s3cret"
    assert "s3cret" not in repr(settings)
    monkeypatch.setenv("MIXDOWN_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(FileNotFoundError, match=r"none\.toml"):
        load()


@pytest.mark.parametrize(("text", "expected"), [("40000-40999", (40000, 40999)), ("5000", (5000, 5000))])
def test_port_ranges(monkeypatch: pytest.MonkeyPatch, text: str, expected: tuple[int, int]) -> None:
    monkeypatch.setenv("MIXDOWN_PORT_RANGE", text)
    assert load().edge().port_range == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"http_port": 70_000},
        {"port_range": "5000-4000"},
        {"port_range": "80-90"},
        {"announced_address": "here"},
        {"log_level": "loud"},
        {"max_rooms": 0},
        {"no_such_setting": 1},
    ],
)
def test_what_cannot_be_meant(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        load(None, **wrong)


def test_a_misspelt_setting_in_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mixdown.toml"
    file.write_text("htp_port = 1\n")
    with pytest.raises(ValidationError, match="htp_port"):
        load(file)


def test_every_setting_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"`{name}`" not in page]
    assert not missing


def test_certificate_and_key_go_together_and_exist(tmp_path):
    there = tmp_path / "c.pem"
    there.write_text("")
    for given in ({"certificate": there}, {"certificate": there, "private_key": tmp_path / "no"}):
        with pytest.raises(ValidationError):
            load(None, **given)
    assert load(None, certificate=there, private_key=there).certificate == there


def test_ice_servers_as_words_of_a_command_line():
    servers = load(None, ice_servers=("stun:a:3478", "turn:u:p@b:3478?transport=udp")).edge().ice_servers
    assert [s.url for s in servers] == ["stun:a:3478", "turn:b:3478?transport=udp"]
    assert (servers[1].username, servers[1].credential) == ("u", "p")
