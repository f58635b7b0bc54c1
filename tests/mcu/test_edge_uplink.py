from __future__ import annotations

import pytest

from mixdown.mcu.edge.uplink import HIDDEN, LEAST, MOST, SMALLER_AFTER, SOUND, Uplink, worth


@pytest.mark.parametrize(
    ("height", "rate"),
    [(0, HIDDEN), (90, 350_000), (180, 350_000), (195, 350_000), (240, 550_000), (360, 1_000_000), (720, 2_000_000)],
)
def test_what_a_tile_is_worth(height: int, rate: int) -> None:
    assert worth(height) == rate


def test_larger_than_all_steps() -> None:
    assert worth(1080) == MOST


def test_nothing_is_held_back_before_the_tiles_are_known() -> None:
    assert Uplink().limit(["a"], 0.0) == MOST + SOUND


def test_the_streams_of_a_peer_are_summed() -> None:
    uplink = Uplink()
    uplink.want("a", 350_000, 0.0)
    uplink.want("b", 1_000_000, 0.0)
    assert uplink.limit(["a", "b"], 10.0) == 1_350_000 + SOUND


def test_larger_at_once_smaller_after_a_while() -> None:
    uplink = Uplink()
    uplink.want("a", 350_000, 0.0)
    assert uplink.limit(["a"], SMALLER_AFTER) == 350_000 + SOUND
    assert uplink.want("a", 2_000_000, 10.0)
    assert uplink.limit(["a"], 10.0) == 2_000_000 + SOUND
    assert not uplink.want("a", 350_000, 11.0)
    assert not uplink.want("a", 550_000, 13.0)
    assert uplink.limit(["a"], 14.0) == 2_000_000 + SOUND
    assert uplink.limit(["a"], 15.0) == 550_000 + SOUND
    uplink.want("a", 350_000, 20.0)
    uplink.want("a", 550_000, 21.0)  # as large as before: nothing was smaller for long
    assert uplink.limit(["a"], 30.0) == 550_000 + SOUND


def test_losses_hold_back_and_let_go_slowly() -> None:
    uplink = Uplink()
    uplink.want("a", 2_000_000, 0.0)
    for _ in range(3):
        uplink.on_loss(0.2)
    assert uplink.limit(["a"], 1.0) == int(2_000_000 * 0.85**3) + SOUND
    uplink.on_loss(0.05)
    assert uplink.limit(["a"], 1.0) == int(2_000_000 * 0.85**3) + SOUND
    for _ in range(30):
        uplink.on_loss(0.0)
    assert uplink.limit(["a"], 1.0) == 2_000_000 + SOUND
    for _ in range(100):
        uplink.on_loss(0.9)
    assert uplink.limit(["a"], 1.0) == LEAST + SOUND
