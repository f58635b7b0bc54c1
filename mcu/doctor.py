"""`mixdown doctor`: can this machine run the server, and what to do if not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mixdown.codecs import libopus
from mixdown.codecs.encoded import CodecId, Tier, TierName
from mixdown.codecs.errors import CodecError
from mixdown.codecs.video import make_video_decoder, make_video_encoder
from mixdown.mcu import certificates, interpreter
from mixdown.mcu.api.pages import WEB
from mixdown.mcu.clock import wall_time
from mixdown.mcu.config import Settings
from mixdown.mcu.datadir import DataDir
from mixdown.mcu.edge.udp import offload_works
from mixdown.mcu.errors import Conflict
from mixdown.mcu.findings import Finding, Verdict
from mixdown.mcu.media_check import media
from mixdown.mcu.serve import listen
from mixdown.mixer.draw import fonts_available
from mixdown.mixer.media import Size
from mixdown.mixer.picture import colour


def examine(settings: Settings) -> list[Finding]:
    """All findings, whatever goes wrong in one of them."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("video", _video),
        ("sound", _sound),
        ("sending", _sending),
        ("names", _names),
        ("data", lambda: _data(settings)),
        ("ports", lambda: _ports(settings)),
        ("network", lambda: _network(settings)),
        ("media", lambda: media(settings)),
        ("pages", _pages),
    )
    findings: list[Finding] = []
    for subject, check in checks:
        try:
            findings.extend(check())
        except Exception as error:  # noqa: BLE001 - it becomes a finding
            findings.append(
                Finding(subject, Verdict.FAILED, f"The check itself failed: {error!r}", "Please report it.")
            )
    return findings


def _video() -> Iterator[Finding]:
    for codec in (CodecId.VP8, CodecId.H264):
        try:
            yield Finding(
                "video", Verdict.OK, f"{codec}: {_encode_and_decode(codec)} bytes for one picture there and back"
            )
        except CodecError as error:
            yield Finding("video", Verdict.FAILED, f"{codec}: {error}", "Install PyAV from its wheel: pip install av")


def _encode_and_decode(codec: CodecId) -> int:
    """Bytes of a 320x180 grey picture. Raises CodecError."""
    encoder = make_video_encoder(codec, Tier(TierName.LOW, 320, 180, 15, 200))
    decoder = make_video_decoder(codec)
    try:
        picture = encoder.encode(colour(Size(320, 180), 126, 128, 128), 0, key=True)
        if picture is None or not picture.key:
            raise CodecError("the encoder gave no key frame")
        frames = decoder.decode(picture.data)
        if [frame.size for frame in frames] != [Size(320, 180)] or abs(int(frames[0].y.mean()) - 126) > 4:
            raise CodecError("the picture did not come back as it was")
        return len(picture.data)
    finally:
        encoder.close()
        decoder.close()


def _sound() -> Iterator[Finding]:
    try:
        libopus.library()
    except CodecError as error:
        yield Finding(
            "sound", Verdict.WARNING, str(error), "Lost packets are concealed less well: apt install libopus0"
        )
    else:
        yield Finding("sound", Verdict.OK, libopus.where())
    with ThreadPoolExecutor(1) as thread:  # a thread's own matter: this one goes on as it was
        first = thread.submit(interpreter.sound_first).result()
    if first:
        yield Finding("sound", Verdict.OK, "Mixing goes before all other programs")
    else:
        advice = "Run as root, or with LimitRTPRIO=1 and LimitNICE=-5 in systemd's unit"
        yield Finding("sound", Verdict.WARNING, "Mixing waits its turn where other programs want the processor", advice)


def _sending() -> Iterator[Finding]:
    if offload_works():
        yield Finding("sending", Verdict.OK, "UDP segmentation offload works")
    else:
        yield Finding(
            "sending", Verdict.WARNING, "No UDP segmentation offload", "Sending costs more: use Linux 4.18 or later"
        )


def _names() -> Iterator[Finding]:
    found = fonts_available()
    missing = [script for script, path in found.items() if path is False]
    if missing:
        advice = "apt install fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"
        yield Finding("names", Verdict.WARNING, f"No font for {', '.join(missing)}", advice)
    else:
        yield Finding("names", Verdict.OK, "Fonts for every script that is looked for")


def _data(settings: Settings) -> Iterator[Finding]:
    """The directory must be writable; it is made if there is none."""
    advice = "Choose another with --data-dir or MIXDOWN_DATA_DIR"
    try:
        data = DataDir(settings.data_dir)
        probe = data.path / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield Finding("data", Verdict.FAILED, f"{settings.data_dir}: {error.strerror}", advice)
        return
    yield Finding("data", Verdict.OK, f"{data.path} can be written")
    secret = data.path / "admin-secret"
    if secret.is_file() and secret.stat().st_mode & 0o077:
        yield Finding("data", Verdict.FAILED, f"Others can read {secret}", f"chmod 600 {secret}")
    yield _certificate(data)


def _certificate(data: DataDir) -> Finding:
    if certificates.fits(data.certificate, certificates.own_names(), wall_time()):
        return Finding("certificate", Verdict.OK, f"{data.certificate} covers this machine's addresses")
    return Finding("certificate", Verdict.OK, "Will be made for this machine's addresses at the next start")


def _ports(settings: Settings) -> Iterator[Finding]:
    wanted = [("http", settings.http_host, settings.http_port)]
    if settings.lan:
        wanted.append(("https", settings.lan_host, settings.lan_port))
    for name, host, port in wanted:
        try:
            for bound in listen(host, port):
                bound.close()
            yield Finding("ports", Verdict.OK, f"{name}: {host} port {port} is free")
        except Conflict as error:
            option = "--port" if name == "http" else "--lan-port"
            yield Finding("ports", Verdict.FAILED, error.detail, f"End what uses it, or set {option}")


def _network(settings: Settings) -> Iterator[Finding]:
    addresses = certificates.lan_addresses()
    if addresses:
        yield Finding("network", Verdict.OK, f"Others reach this machine at {', '.join(map(str, addresses[:4]))}")
    else:
        yield Finding("network", Verdict.WARNING, "No address but loopback", "Only this machine can take part")


def _pages() -> Iterator[Finding]:
    page = Path(WEB, "join", "index.html")
    if page.is_file() and os.access(page, os.R_OK):
        yield Finding("pages", Verdict.OK, "The join page is there")
    else:
        yield Finding("pages", Verdict.FAILED, f"{page} is missing", "Install Mixdown anew")
