"""What is kept is what was put last, whoever crashes in between."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mixdown.mcu.rooms.store import Store


def test_the_newest_record_of_each_key_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "rooms.db")
    for number in range(500):
        store.put("demo", {"id": "demo", "number": number})
        store.put("demo", {"id": "ada", "number": number}, "ada")
        store.put("demo", {"id": "ben"}, "ben")
    store.drop("demo", "ben")
    store.put_layout("mine", {"name": "mine"})
    store.close()
    again = Store(tmp_path / "rooms.db")
    rooms, people = again.load()
    assert rooms == [{"id": "demo", "number": 499}]
    assert people == {"demo": [{"id": "ada", "number": 499}]}
    assert again.load_layouts() == [{"name": "mine"}]
    again.close()


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "rooms.db") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        Store(tmp_path / "rooms.db")


def test_a_write_that_fails_is_counted_and_the_next_one_tried(tmp_path: Path) -> None:
    errors: list[None] = []
    store = Store(tmp_path / "rooms.db", lambda: errors.append(None))
    with sqlite3.connect(tmp_path / "rooms.db") as other:
        other.execute("DROP TABLE record")
    store.put("demo", {"id": "demo"})
    store._writer.submit(int).result(5)
    assert errors == [None]
    store.close()
