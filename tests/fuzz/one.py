"""One target under atheris (libFuzzer with coverage of Python): `python -m fuzz.one <target> [libFuzzer's options]`."""

from __future__ import annotations

import sys

import atheris
from fuzz.catalogue import TARGETS, measured


def main() -> None:
    name = sys.argv.pop(1)
    target = next(target for target in TARGETS if target.name == name)
    with atheris.instrument_imports(include=list(target.instrument)):
        run = target.load()
    atheris.Setup(sys.argv, lambda data: measured(run, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
