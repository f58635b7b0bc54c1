"""The short form of `make fuzz`: everything that is kept, and some mutations of it, the same ones each time."""

from __future__ import annotations

import os
import random

import pytest
from fuzz.catalogue import TARGETS, Target, measured, mutated

RUNS = int(os.environ.get("MIXDOWN_FUZZ_RUNS", "2000"))
PER_TARGET = {"peer": 4, "jitter": 2, "engine": 4, "sdp": 8, "datagrams": 4, "link": 10}
"How many times fewer, where an input costs more: the whole takes some seconds."


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_kept_inputs_and_their_mutations_break_no_promise(target: Target) -> None:
    run = target.load()
    kept = target.kept()
    assert kept, "a target without seeds looks at nothing"
    seeds = [path.read_bytes() for path in kept]
    for path, data in zip(kept, seeds, strict=True):
        try:
            measured(run, data)
        except Exception as error:
            raise AssertionError(f"{path.name}: {type(error).__name__} {error}") from error
    chance = random.Random(target.name)
    for _ in range(RUNS // PER_TARGET.get(target.name, 1)):
        data = mutated(seeds, chance, target.largest)
        try:
            measured(run, data)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} {error}: input {data.hex()}") from error
