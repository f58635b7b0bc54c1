from __future__ import annotations

from itertools import pairwise

from mixdown.codecs.governor import Governor


def test_the_first_request_is_granted_at_once_and_once() -> None:
    governor = Governor()
    assert not governor.take(0.0)
    governor.request("a", 0.0)
    assert governor.take(0.0)
    assert not governor.take(10.0)


def test_a_flood_of_many_makes_two_key_frames_a_second() -> None:
    governor = Governor()
    forced = 0
    for tick in range(300):
        now = tick / 30
        for peer in range(20):
            governor.request(f"peer-{peer}-{tick // 15}", now)
        forced += governor.take(now)
    assert forced == 20
    assert governor.requests == 6000
    assert governor.forced == 20


def test_one_flooder_waits_longer_and_longer() -> None:
    governor = Governor()
    times = []
    for tick in range(30 * 120):
        governor.request("flooder", tick / 30)
        if governor.take(tick / 30):
            times.append(tick / 30)
    gaps = [round(later - earlier, 1) for earlier, later in pairwise(times)]
    assert gaps[:5] == [0.5, 0.5, 1.0, 2.0, 4.0]
    assert min(gaps[5:]) == max(gaps[5:]) == 4.0
    assert governor.deferred == len(times) - 3 + 1


def test_who_is_stuck_again_and_again_is_helped_at_once() -> None:
    """A blackout each four seconds, and one PLI after each: no browser asks again for three seconds."""
    governor = Governor()
    for start in range(0, 240, 4):
        governor.request("a", start)
        assert governor.take(start), start


def test_who_waits_need_not_ask_again() -> None:
    governor = Governor()
    for second in range(3):
        governor.request("a", second)
        assert governor.take(second)
    governor.request("a", 2.6)
    assert not governor.take(2.9) and governor.take(3.0) and not governor.take(60.0)


def test_a_repeated_request_crosses_its_key_frame_on_the_way() -> None:
    """Browsers ask every 200 ms until the key frame is there; over a long way that is after it was made."""
    governor = Governor()
    governor.request("a", 0.0)
    assert governor.take(0.0)
    governor.made(0.02)  # once it is encoded
    governor.request("a", 0.2)
    governor.request("a", 0.4)
    assert not governor.take(0.6)
    governor.request("b", 0.2)
    assert governor.take(0.6)
    governor.request("a", 0.9)
    assert not governor.take(1.0) and governor.take(1.2), "it had not asked for that one: perhaps it was lost"


def test_who_asks_too_often_waits_for_the_next_one_of_another() -> None:
    governor = Governor()
    for second in range(3):
        governor.request("flooder", second)
        assert governor.take(second)
    governor.request("flooder", 2.6)
    assert not governor.take(2.6)
    governor.request("joiner", 2.7)
    assert governor.take(2.7)
    assert not governor.take(3.2), "which served it"
    governor.request("flooder", 3.3)
    assert not governor.take(3.6) and governor.take(3.7), "the pause is from that one, and as long as before"


def test_several_who_ask_all_the_time_share_their_key_frames() -> None:
    governor = Governor()
    for tick in range(30 * 60):
        for peer in range(5):
            if (tick + 7 * peer) % 30 == 0:
                governor.request(f"flooder-{peer}", tick / 30)
        governor.take(tick / 30)
    assert governor.forced <= 25


def test_who_loses_the_key_frame_it_asked_for_now_and_then_has_the_next_soon() -> None:
    governor = Governor()
    for start in range(0, 240, 20):
        governor.request("a", start)
        assert governor.take(start), start
        governor.request("a", start + 0.6)
        assert governor.take(start + 1.0), start


def test_a_key_frame_made_anyway_serves_those_who_wait() -> None:
    governor = Governor()
    governor.request("a", 0.0)
    governor.made(0.0)
    assert not governor.take(0.0)
    governor.request("b", 0.1)
    assert not governor.take(0.4)
    assert governor.take(0.5)


def test_forgets_who_left() -> None:
    governor = Governor()
    governor.request("a", 0.0)
    governor.forget("a")
    assert not governor.take(1.0)
