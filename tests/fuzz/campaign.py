"""`make fuzz`: every target for its share of the time; executions, coverage and new crashes of each.

A new crash is kept in tests/fuzz/crashes/<target>/, where every later run begins with it. What was found of coverage is
kept in artifacts/fuzz/<target>/, and the next campaign goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz.catalogue import CRASHES, SEEDS, TARGETS, Target

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300
STARTING = 2.0
"Seconds of a target's share that instrumentation takes."
HANG = 10
MEMORY_MB = 2048
_STATE = re.compile(r"cov: (\d+) ft: (\d+)(?: corp: (\d+))?")
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    target: str
    executions: int
    coverage: int
    features: int
    corpus: int
    crashes: tuple[Path, ...]
    output: str


def fuzz(target: Target, seconds: int, seed: int) -> Outcome:
    """Runs a target; a crash ends it before its time."""
    corpus, found = ROOT / "artifacts" / "fuzz" / target.name, CRASHES / target.name
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [
        sys.executable, "-m", "fuzz.one", target.name, str(corpus), str(SEEDS / target.name), str(found),
        f"-max_total_time={seconds}", f"-max_len={target.largest}", f"-timeout={HANG}", f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={found}/", "-print_final_stats=1", f"-seed={seed}",
    ]  # fmt: skip
    ran = subprocess.run(  # noqa: PLW1510
        command, cwd=ROOT / "tests", capture_output=True, text=True, errors="replace", timeout=seconds + 120
    )
    output = ran.stdout + ran.stderr
    states = _STATE.findall(output)
    coverage, features, kept = states[-1] if states else ("0", "0", "")
    executed = _EXECUTED.search(output)
    crashes = tuple(sorted(set(found.iterdir()) - before))
    if ran.returncode and not crashes:
        crashes = (corpus,)
    return Outcome(
        target.name,
        int(executed.group(1)) if executed else 0,
        int(coverage),
        int(features),
        int(kept or 0),
        crashes,
        output,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="in all")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once")
    parser.add_argument("--seed", type=int, default=0, help="of the fuzzer's chance; 0: another one each time")
    parser.add_argument("--only", default="", help="targets, with commas")
    chosen = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print(
            "atheris is not installed: it has packages for Linux on x86-64. The short form in `make test` runs without."
        )
        return 1
    targets = [target for target in TARGETS if not chosen.only or target.name in chosen.only.split(",")]
    share = max(1, int(chosen.seconds * chosen.jobs / len(targets) - STARTING))
    print(f"{len(targets)} targets, {share} s each, {chosen.jobs} at once\n")
    print(f"{'target':<12}{'executions':>12}{'edges':>8}{'features':>10}{'corpus':>8}  new crashes")
    crashed = 0
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for outcome in pool.map(lambda target: fuzz(target, share, chosen.seed), targets):
            crashed += bool(outcome.crashes)
            print(
                f"{outcome.target:<12}{outcome.executions:>12}{outcome.coverage:>8}{outcome.features:>10}"
                f"{outcome.corpus:>8}  {len(outcome.crashes) or '-'}",
                flush=True,
            )
            if outcome.crashes:
                _tell(outcome)
    return 1 if crashed else 0


def _tell(outcome: Outcome) -> None:
    """The traceback, and where the input is."""
    lines = outcome.output.splitlines()
    begin = next((n for n, line in enumerate(lines) if "Uncaught Python exception" in line), max(0, len(lines) - 15))
    print("\n".join(f"    {line}" for line in lines[begin : begin + 25]))
    for path in outcome.crashes:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
        print(f"    input: {path} {digest}")


if __name__ == "__main__":
    sys.exit(main())
