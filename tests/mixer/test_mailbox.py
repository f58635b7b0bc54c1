from __future__ import annotations

import threading
import weakref

from mixdown.mixer.mailbox import Mailbox


def test_newest_wins_and_is_taken_once():
    box: Mailbox[int] = Mailbox()
    assert box.take() is None and box.latest is None
    box.put(1)
    box.put(2)
    assert box.take() == 2 and box.take() is None
    assert box.latest == 2 and box.replaced == 1


def test_clear_lets_the_item_go():
    class Item: ...

    box: Mailbox[Item] = Mailbox()
    item = Item()
    gone = weakref.ref(item)
    box.put(item)
    del item
    box.clear()
    assert gone() is None and box.take() is None
    box.put(Item())
    assert box.take() is not None


def test_a_consumer_on_another_thread_sees_only_what_is_newer():
    box: Mailbox[int] = Mailbox()
    seen: list[int] = []
    done = threading.Event()

    def consume() -> None:
        while not seen or seen[-1] != 20_000:
            if (item := box.take()) is not None:
                seen.append(item)
        done.set()

    thread = threading.Thread(target=consume)
    thread.start()
    for i in range(1, 20_001):
        box.put(i)
    assert done.wait(20)
    thread.join()
    assert seen == sorted(set(seen)) and seen[-1] == 20_000
