"""What is in the wheel: the four folders through their links, the pages, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_has_the_code_and_the_pages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        info = {name.rsplit("/", 1)[-1] for name in archive.namelist() if ".dist-info/" in name}
    expected = {"mixdown/__init__.py", "mixdown/py.typed"}
    for layer in ("mcu", "mixer", "codecs"):
        expected |= {f"mixdown/{path.relative_to(ROOT)}" for path in (ROOT / layer).rglob("*.py")}
    web = {path for path in (ROOT / "web").rglob("*") if path.is_file() and not path.name.startswith(".")}
    expected |= {f"mixdown/{path.relative_to(ROOT)}" for path in web}
    assert "mixdown/web/join/index.html" in names
    assert names == expected
    assert {"METADATA", "entry_points.txt", "LICENSE"} <= info
