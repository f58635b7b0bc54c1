"""Settings: command line over MIXDOWN_* environment over a TOML file over the defaults here."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from mixdown.mcu.edge.types import EdgeConfig, IceServer
from mixdown.mcu.engine.config import EngineConfig

Port = Annotated[int, Field(ge=0, le=65_535)]


def default_data_dir() -> Path:
    """$XDG_DATA_HOME/mixdown, else ~/.local/share/mixdown."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "mixdown"


class IceServerSettings(BaseModel):
    """A STUN or TURN server, for the server's own gathering or for pages."""

    url: str = Field(pattern=r"^(stun|turn|turns):\S+$")
    username: str | None = None
    credential: SecretStr | None = None


def ice_server(text: str) -> dict[str, str]:
    """`stun:host:port`, or `turn:user:password@host:port?transport=udp` as one word of a command line."""
    scheme, _, rest = text.partition(":")
    login, at, host = rest.rpartition("@")
    if not at:
        return {"url": text}
    username, _, credential = login.partition(":")
    return {"url": f"{scheme}:{host}", "username": username, "credential": credential}


class Settings(BaseSettings):
    """Everything that can be set. In the environment: MIXDOWN_ and the name in capitals; lists as JSON."""

    model_config = SettingsConfigDict(env_prefix="MIXDOWN_", extra="forbid", frozen=True, validate_default=True)

    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    lan: bool = True
    "Serve HTTPS to the local network as well."
    lan_host: str = "0.0.0.0"
    lan_port: Port = 8443
    certificate: Path | None = None
    private_key: Path | None = None
    "PEM files for HTTPS. None: made for this machine's addresses, and again when they change."
    data_dir: Path = Field(default_factory=default_data_dir)

    admin_secret: SecretStr | None = None
    "None: made at the first start; then calls over http://localhost need none."
    open_join: bool = True
    "Whoever reaches the server may join a room without a secret."
    allowed_hosts: tuple[str, ...] = ()
    "Further names under which the page may be opened without a secret, beside localhost and this machine's own."

    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    "Addresses or networks of proxies whose X-Forwarded-For tells who calls."

    embed_origins: tuple[str, ...] = ("'self'",)
    "Who may show the join page in a frame (`?embed=1`): 'self', or origins as in https://intranet.example."

    auto_create_rooms: bool = True
    max_rooms: int = Field(default=1000, ge=1)
    max_participants: int = Field(default=256, ge=1, le=10_000)
    empty_timeout: float = Field(default=300.0, ge=0)
    "Seconds after which a room that nobody is in is dropped."

    media_address: str | None = None
    announced_address: str | None = None
    media_loopback: bool = True
    "Take media over 127.0.0.1 from callers on this machine."
    max_half_open: int = Field(default=64, ge=1)
    "Joins under way at once."
    max_half_open_per_caller: int = Field(default=16, ge=1)
    "Of one address."
    port_range: Annotated[tuple[Port, Port] | None, NoDecode] = None
    "UDP ports of the media, inclusive: 40000-40999."
    ice_servers: tuple[IceServerSettings, ...] = ()
    client_ice_servers: tuple[IceServerSettings, ...] = ()
    "What pages are told to use: GET /v1/ice-servers."
    turn_secret: SecretStr | None = None
    "Shared with the TURN servers: those without a credential get a login made from it."
    turn_lifetime: int = Field(default=86_400, ge=60, le=31_536_000)
    "Seconds for which such a login is good for a new connection."

    opus_bitrate: int = Field(default=48_000, ge=6_000, le=510_000)
    "bit/s of each mix."
    opus_complexity: int = Field(default=5, ge=0, le=10)
    opus_dtx: bool = False
    "A silent mix is not sent."
    opus_red: bool = True
    "Participants who can send each packet of sound twice (RFC 2198) are asked to: some 60 kbit/s more each."
    noise_suppression: int = Field(default=0, ge=0, le=4)
    "Of telephones (G.711, G.722), with gain control; 0: none. Needs the package webrtc-noise-gain."

    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("embed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"'self'|'none'|https?://[A-Za-z0-9.*-]+(:(\d+|\*))?", origin):
                raise ValueError(f"{origin!r} is no origin as in https://intranet.example")
        return value

    @field_validator("port_range", mode="before")
    @classmethod
    def _parse_range(cls, value: Any) -> Any:
        if isinstance(value, str):
            low, _, high = value.partition("-")
            return (low.strip(), (high or low).strip()) if value.strip() else None
        return value

    @field_validator("port_range")
    @classmethod
    def _check_range(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not 1024 <= value[0] <= value[1]:
            raise ValueError("must go upwards from 1024 or more, as in 40000-40999")
        return value

    @field_validator("media_address", "announced_address")
    @classmethod
    def _check_address(cls, value: str | None) -> str | None:
        if value is not None:
            ipaddress.ip_address(value)
        return value

    @model_validator(mode="after")
    def _check_certificate(self) -> Settings:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        for path in (self.certificate, self.private_key):
            if path is not None and not path.is_file():
                raise ValueError(f"there is no file {path}")
        return self

    @field_validator("ice_servers", "client_ice_servers", mode="before")
    @classmethod
    def _parse_ice_servers(cls, value: Any) -> Any:
        return tuple(ice_server(one) if isinstance(one, str) else one for one in value) if value else ()

    @field_validator("data_dir")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    def engine(self) -> EngineConfig:
        return EngineConfig(
            opus_bitrate=self.opus_bitrate,
            opus_complexity=self.opus_complexity,
            opus_dtx=self.opus_dtx,
            noise_suppression=self.noise_suppression,
        )

    def edge(self) -> EdgeConfig:
        return EdgeConfig(
            media_address=self.media_address,
            announced_address=self.announced_address,
            port_range=self.port_range,
            max_half_open=self.max_half_open,
            max_half_open_per_caller=self.max_half_open_per_caller,
            loopback=self.media_loopback,
            opus_red=self.opus_red,
            ice_servers=self._servers(self.ice_servers),
        )

    def for_clients(self) -> tuple[IceServer, ...]:
        return self._servers(self.client_ice_servers)

    def _servers(self, servers: tuple[IceServerSettings, ...]) -> tuple[IceServer, ...]:
        shared = self.turn_secret.get_secret_value() if self.turn_secret else None
        made = []
        for server in servers:
            credential = server.credential.get_secret_value() if server.credential else None
            secret = shared if credential is None and server.url.startswith("turn") else None
            made.append(IceServer(server.url, server.username, credential, secret, self.turn_lifetime))
        return tuple(made)


def load(config: Path | None = None, **given: Any) -> Settings:
    """config: a TOML file, else what MIXDOWN_CONFIG names, else none. given: from the command line; None counts as
    not given. Raises pydantic.ValidationError, FileNotFoundError, tomllib.TOMLDecodeError."""
    named = config or os.environ.get("MIXDOWN_CONFIG")
    path = Path(named).expanduser() if named else None
    if path is not None and not path.is_file():
        raise FileNotFoundError(f"There is no settings file {path}.")

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    values = {name: value for name, value in given.items() if value is not None}
    return FromFile(**values)
