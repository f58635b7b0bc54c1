"""Whose sound is decoded in a large room."""

from __future__ import annotations

from mixdown.mixer.loudest import SPARE, STAYING_DB, Loudest

MANY = {f"p{n:02}": -20.0 - n for n in range(30)}


def test_in_a_small_room_everybody_is_decoded() -> None:
    few = {f"p{n}": -127.0 for n in range(8 + 1 + SPARE)}
    assert set(Loudest(8).choose(few)) == set(few)
    assert Loudest(8).takes_all(len(few)) and not Loudest(8).takes_all(len(few) + 1)


def test_of_many_the_loudest_and_some_to_spare() -> None:
    assert set(Loudest(8).choose(MANY)) == {f"p{n:02}" for n in range(8 + 1 + SPARE)}


def test_who_becomes_loud_is_there_in_the_same_tick() -> None:
    loudest = Loudest(8)
    for _ in range(50):
        loudest.choose(MANY)
    assert "p29" in loudest.choose(MANY | {"p29": -10.0})


def test_a_pause_between_words_costs_nobody_his_place() -> None:
    loudest = Loudest(8)
    loudest.choose(MANY)
    for _ in range(10):
        assert "p00" in loudest.choose(MANY | {"p00": -127.0})


def test_two_alike_do_not_take_turns() -> None:
    loudest = Loudest(8)
    chosen = set(loudest.choose(MANY))
    last, next_ = "p11", "p12"
    assert last in chosen and next_ not in chosen
    assert next_ not in loudest.choose(MANY | {next_: MANY[last] + STAYING_DB - 0.1})
    assert next_ in loudest.choose(MANY | {next_: MANY[last] + STAYING_DB + 0.1})


def test_the_room_empties() -> None:
    loudest = Loudest(8)
    loudest.choose(MANY)
    assert set(loudest.choose({"p29": -50.0})) == {"p29"}
