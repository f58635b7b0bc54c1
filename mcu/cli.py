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
from mixdown.mcu.config import Settings, load
from mixdown.mcu.errors import MixdownError
from mixdown.mcu.observe.logs import configure

app = typer.Typer(
    name="mixdown",
    no_args_is_help=True,
    add_completion=False,
    help="A conference server that mixes.",
    rich_markup_mode=None,
)
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="A TOML file with settings.")]
DataDirectory = Annotated[Path | None, typer.Option("--data-dir", help="Where rooms, secret and certificate are kept.")]
HttpPort = Annotated[int | None, typer.Option("--port", "-p", help="Of http://localhost (8080).")]
LanPort = Annotated[int | None, typer.Option("--lan-port", help="Of HTTPS on the local network (8443).")]


@app.command()
def serve(
    config: ConfigFile = None,
    data_dir: DataDirectory = None,
    port: HttpPort = None,
    host: Annotated[str | None, typer.Option("--host", help="Address for plain HTTP (127.0.0.1).")] = None,
    lan_port: LanPort = None,
    no_lan: Annotated[bool, typer.Option("--no-lan", help="Serve this machine only.")] = False,
    announced_address: Annotated[
        str | None, typer.Option("--announced-address", help="What media candidates name, behind a 1:1 NAT.")
    ] = None,
    port_range: Annotated[
        str | None, typer.Option("--port-range", help="UDP ports of media, as in 40000-40999.")
    ] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", help="debug, info, warning, error.")] = None,
    log_format: Annotated[str | None, typer.Option("--log-format", help="console or json.")] = None,
) -> None:
    """Run the server until Ctrl-C."""
    settings = _settings(
        config,
        data_dir=data_dir,
        http_port=port,
        http_host=host,
        lan_port=lan_port,
        lan=False if no_lan else None,
        announced_address=announced_address,
        port_range=port_range,
        log_level=log_level,
        log_format=log_format,
    )
    configure(settings.log_format, settings.log_level)
    from mixdown.mcu.serve import Started
    from mixdown.mcu.serve import serve as run

    def started(told: Started) -> None:
        _announce(told.local, told.lan, told.open)
        _announce_secret(told.secret.path, told.secret.value if told.secret.fresh else None)

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
    from mixdown.mcu.doctor import Verdict, examine

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
