from __future__ import annotations

import gc

import numpy as np

from mixdown.mixer.buffers import Canvas, CanvasPool
from mixdown.mixer.media import Size
from mixdown.mixer.picture import packed

SIZE = Size(64, 36)


def test_planes_lie_behind_each_other():
    canvas = Canvas(SIZE)
    canvas.flat[:] = np.arange(canvas.flat.size) % 251
    frame = canvas.frame()
    assert frame.y.shape == (36, 64) and frame.u.shape == frame.v.shape == (18, 32)
    assert np.array_equal(packed(frame).ravel(), canvas.flat) and np.shares_memory(packed(frame), canvas.flat)
    assert np.array_equal(frame.u, canvas.chroma[0]) and np.array_equal(frame.v, canvas.chroma[1])


def test_lent_while_anything_of_it_is_held():
    canvas = Canvas(SIZE)
    assert not canvas.lent
    holders = [canvas.frame(), canvas.frame().v, packed(canvas.frame()), canvas.frame().y[3:9, ::2]]
    holders.append(memoryview(canvas.frame().u))
    while holders:
        assert canvas.lent
        holders.pop()
    gc.collect()
    assert not canvas.lent


def test_a_held_frame_is_never_given_again():
    pool = CanvasPool(SIZE, limit=4)
    held = [pool.take().frame() for _ in range(7)]
    assert len({frame.y.ctypes.data for frame in held}) == 7
    assert pool.extra == 3
    del held[2]
    assert pool.take().frame().y.ctypes.data not in {frame.y.ctypes.data for frame in held}
    assert pool.extra == 3, "the one that was let go is used again"


def test_the_least_recently_used_goes_first():
    pool = CanvasPool(SIZE, limit=3)
    a = pool.take()
    keep = a.frame()
    b = pool.take()
    del keep
    assert [pool.take(), pool.take(), pool.take()] == [a, b, a]
