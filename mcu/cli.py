"""The command line: `mixdown serve`, `mixdown doctor`, `mixdown version`."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from pathlib import Path
from typing import Annotated, Any, NoReturn

import qrcode
import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import mixdown
from mixdown.mcu import allocator, interpreter
from mixdown.mcu.config import Settings, load
from mixdown.mcu.errors import MixdownError
from mixdown.mcu.observe.logs import configure

app = typer.Typer(
    name="mixdown",
    no_args_is_help=True,
    add_completion=False,
    help="A conference server that mixes: everybody sends one stream and receives one.",
    rich_markup_mode="rich",
)
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)

WEB, MEDIA, LIMITS, OTHER = "Web addresses", "Media", "Limits", "Files, access and logs"


def option(flag: str, help_: str, panel: str, *more: str) -> Any:
    return typer.Option(flag, *more, help=help_, rich_help_panel=panel, show_default=False)


ConfigFile = Annotated[Path | None, option("--config", "A TOML file with settings.", OTHER, "-c")]
DataDirectory = Annotated[Path | None, option("--data-dir", "Where rooms, secret and certificate are kept.", OTHER)]
HttpPort = Annotated[int | None, option("--port", "Of http://localhost. (8080)", WEB, "-p")]
LanPort = Annotated[int | None, option("--lan-port", "Of HTTPS on the local network. (8443)", WEB)]


@app.command()
def serve(
    port: HttpPort = None,
    host: Annotated[str | None, option("--host", "Address of plain HTTP. (127.0.0.1)", WEB)] = None,
    lan_port: LanPort = None,
    lan_host: Annotated[str | None, option("--lan-host", "Address of HTTPS. (0.0.0.0)", WEB)] = None,
    no_lan: Annotated[bool, option("--no-lan", "Serve this machine only.", WEB)] = False,
    certificate: Annotated[
        Path | None, option("--certificate", "PEM file for HTTPS. (made for this machine's addresses)", WEB)
    ] = None,
    private_key: Annotated[Path | None, option("--private-key", "PEM file of its key.", WEB)] = None,
    media_address: Annotated[
        str | None, option("--media-address", "Local address of the media sockets. (all)", MEDIA)
    ] = None,
    announced_address: Annotated[
        str | None, option("--announced-address", "What media candidates name, behind a 1:1 NAT.", MEDIA)
    ] = None,
    port_range: Annotated[
        str | None, option("--port-range", "UDP ports of media, as in 40000-40999. (any)", MEDIA)
    ] = None,
    ice_server: Annotated[
        list[str] | None,
        option("--ice-server", "stun:host:port or turn:user:password@host:port, for the server itself.", MEDIA),
    ] = None,
    max_rooms: Annotated[int | None, option("--max-rooms", "Rooms at once. (1000)", LIMITS)] = None,
    max_participants: Annotated[int | None, option("--max-participants", "People in a room. (256)", LIMITS)] = None,
    empty_timeout: Annotated[
        float | None, option("--empty-timeout", "Seconds that a room stays when everybody left. (300)", LIMITS)
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDirectory = None,
    secret: Annotated[
        str | None,
        option("--secret", "Of admins. Better MIXDOWN_ADMIN_SECRET: others see a command line. (made)", OTHER),
    ] = None,
    log_level: Annotated[str | None, option("--log-level", "debug, info, warning, error. (info)", OTHER)] = None,
    log_format: Annotated[str | None, option("--log-format", "console or json. (by terminal)", OTHER)] = None,
) -> None:
    """Run the server until Ctrl-C.

    Every option is also a MIXDOWN_ variable and a line of a TOML file: docs/settings.md names them all.
    """
    settings = _settings(
        config,
        data_dir=data_dir,
        http_port=port,
        http_host=host,
        lan_port=lan_port,
        lan_host=lan_host,
        lan=False if no_lan else None,
        certificate=certificate,
        private_key=private_key,
        media_address=media_address,
        announced_address=announced_address,
        port_range=port_range,
        ice_servers=tuple(ice_server) if ice_server else None,
        max_rooms=max_rooms,
        max_participants=max_participants,
        empty_timeout=empty_timeout,
        admin_secret=secret,
        log_level=log_level,
        log_format=log_format,
    )
    allocator.tune()
    interpreter.tune()
    configure(settings.log_format, settings.log_level)
    from mixdown.mcu.serve import Started
    from mixdown.mcu.serve import serve as run

    def started(told: Started) -> None:
        _announce(told.local, told.lan, told.open)
        _announce_secret(told.secret.path, told.secret.value if told.secret.fresh else None)
        interpreter.settle()

    try:
        uvloop.run(run(settings, started))
    except* (MixdownError, OSError, sqlite3.Error) as errors:
        _fail(str(errors.exceptions[0]))


@app.command()
def doctor(
    config: ConfigFile = None,
    data_dir: DataDirectory = None,
    port: HttpPort = None,
    lan_port: LanPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look whether this machine can run the server, and say what to do if not."""
    from mixdown.mcu.doctor import examine
    from mixdown.mcu.findings import Verdict

    findings = examine(_settings(config, data_dir=data_dir, http_port=port, lan_port=lan_port))
    failed = any(finding.verdict is Verdict.FAILED for finding in findings)
    if as_json:
        print(json.dumps({"ok": not failed, "findings": [finding.as_json() for finding in findings]}, indent=2))
    else:
        table = Table(box=None, padding=(0, 1), show_header=False)
        for _ in range(3):
            table.add_column(overflow="fold")
        marks = {Verdict.OK: "[green]ok[/]", Verdict.WARNING: "[yellow]note[/]", Verdict.FAILED: "[red]FAILED[/]"}
        for finding in findings:
            table.add_row(marks[finding.verdict], finding.subject, Text(finding.text()))
        console.print(table)
    raise typer.Exit(1 if failed else 0)


@app.command()
def version() -> None:
    """Print the version."""
    print(mixdown.__version__)


def _settings(config: Path | None, **given: Any) -> Settings:
    try:
        return load(config, **given)
    except (FileNotFoundError, tomllib.TOMLDecodeError) as error:
        _fail(str(error))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}" for fault in error.errors())
        _fail("\n".join(faults))


def _fail(text: str) -> NoReturn:
    complaints.print(Text(text, style="red"))
    raise typer.Exit(1)


def _announce(local: str, lan: tuple[str, ...], is_open: bool) -> None:
    lines = Text.assemble(("Mixdown ", "bold"), mixdown.__version__, "\n\n", "This machine   ", (local, "cyan"))
    if not is_open:
        lines.append("   (administration by secret)", "dim")
    for number, url in enumerate(lan):
        lines.append("\nLocal network  " if number == 0 else "\n               ")
        lines.append(url, "cyan")
    if lan:
        lines.append("\n\nThe certificate is this server's own: browsers warn once before they show the page.", "dim")
    console.print(Panel(lines, expand=False, border_style="dim"))
    if lan:
        console.print(qr_code(lan[0]), style="black on white", highlight=False, soft_wrap=True)


def qr_code(text: str) -> str:
    """In half blocks, dark modules drawn dark: print it dark on light."""
    code = qrcode.QRCode(border=2, error_correction=qrcode.constants.ERROR_CORRECT_L)
    code.add_data(text)
    code.make()
    rows = code.get_matrix()
    if len(rows) % 2:
        rows = [*rows, [False] * len(rows[0])]
    blocks = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join("".join(blocks[bool(up), bool(down)] for up, down in zip(*pair, strict=True)) for pair in pairs)


def _announce_secret(path: Path | None, fresh: str | None) -> None:
    if fresh:
        console.print(Text.assemble("Admin secret, made just now: ", (fresh, "bold")))
    if path:
        console.print(Text(f"The admin secret is in {path}"), soft_wrap=True)
    console.print("Ctrl-C ends the server.", style="dim")


def main() -> None:
    app()
