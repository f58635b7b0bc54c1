"""What goes into the log, and what must not."""

from __future__ import annotations

import sys

import pytest
import structlog

from mixdown.mcu.observe import logs


@pytest.fixture(autouse=True)
def _restored():
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_shows_no_secret(style, capsys):
    logs.configure(style)
    token = "s3cret-of-somebody"
    try:
        raise RuntimeError(f"no token in here of {len(token)} characters")
    except RuntimeError:
        structlog.get_logger("test").exception("x unhandled")
    written = capsys.readouterr().err
    assert "RuntimeError" in written and "test_logs.py" in written
    assert token not in written, sys.stderr.write(written)
