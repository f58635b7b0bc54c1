"""The profile: samples are read as `perf script` prints them, counted by kind, and set beside the codecs' own."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import all as every
from benchmarks import profile

LIBC = "(/usr/lib/x86_64-linux-gnu/libc.so.6)"
VPX = "(/srv/.venv/lib/av.libs/libvpx-edb6de90.so.12.0.0)"


def sample(*stack):
    """As `perf script` prints one: the thread, a space after it, then addresses in a column."""
    lines = [f"\t{place:>16} {rest}\n" for place, _, rest in (frame.partition(" ") for frame in stack)]
    return "".join(["27233 \n", *lines, "\n"])


SAMPLES = [
    (
        "codecs",
        sample(f"16e0ba vp8_sixtap_predict4x4_ssse3 {VPX}", f"1aee17 vp8_decode {VPX}", "0 [unknown] ([unknown])"),
    ),
    ("Python", sample("1aee17 _PyObject_Free (/usr/lib/libpython3.11.so.1.0)", f"16193 vpx_codec_encode {VPX}")),
    (
        "locks",
        sample(
            "ffffffff821faa94 __schedule ([kernel.kallsyms])",
            "ffffffff8143d6a2 __x64_sys_futex ([kernel.kallsyms])",
            "ffffffff821ef691 do_syscall_64 ([kernel.kallsyms])",
            f"905f1 clock_nanosleep {LIBC}",
        ),
    ),
    ("locks", sample("ffff800080e41a10 __arm64_sys_futex ([kernel.kallsyms])", "7f0a339bf680 [unknown] ([unknown])")),
    # It has woken another thread and has to give way to it, on the way out of the call.
    (
        "locks",
        sample(
            "ffffffff81417441 exit_to_user_mode_loop ([kernel.kallsyms])",
            f"87ebf pthread_cond_signal@@GLIBC_2.3.2 {LIBC}",
        ),
    ),
    # What called the caller does not matter.
    (
        "system calls",
        sample(
            "ffffffff81e41a10 __x64_sys_sendmsg ([kernel.kallsyms])",
            f"e41a1c sendmsg {LIBC}",
            f"905f1 sem_post@GLIBC_2.2.5 {LIBC}",
        ),
    ),
    ("system calls", sample("ffffffffc0301a10 nf_hook_slow ([nf_tables])", "7f0a339bf680 [unknown] ([unknown])")),
    ("C library", sample(f"87ebf pthread_mutex_lock@@GLIBC_2.2.5 {LIBC}")),
    ("scaling", sample("16e0ba _ZN2cv6resizeE (/srv/.venv/lib/cv2/cv2.abi3.so (deleted))")),
]


@pytest.mark.parametrize(("kind", "text"), SAMPLES)
def test_a_sample_is_of_its_innermost_librarys_kind_or_of_the_call_that_the_kernel_is_in(kind, text):
    assert profile.count(text) == {kind: 1}


def test_all_samples_are_counted_and_those_without_a_stack_are_not():
    text = "".join(text for _, text in SAMPLES)
    assert profile.count(f"\n{text}27233 \n\n{text}") == {
        kind: 2 * n for kind, n in Counter(k for k, _ in SAMPLES).items()
    }
    assert not profile.count("")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("codecs", "libvpx-edb6de90.so.12.0.0 libavcodec.so.59 libavutil-58.so libopus.so.0 libx264-d6.so.165"),
        ("scaling", "cv2.abi3.so cv2.cpython-311-x86_64-linux-gnu.so libswscale-88e9f973.so.9.5.102"),
        ("encryption", "_binding.abi3.so _rust.abi3.so libcrypto.so.3 libssl-1.so.3 libsrtp2.so.1"),
        ("arithmetic", "_multiarray_umath.cpython-311-x86_64-linux-gnu.so libscipy_openblas64_-32a4b2a6.so libm.so.6"),
        ("C library", "libc.so.6 libc-2.31.so ld-linux-x86-64.so.2"),
        ("system calls", "[vdso]"),
        ("Python", "libpython3.11.so.1.0 python3.12 loop.cpython-311-x86_64-linux-gnu.so frame.abi3.so libffi.so.8"),
        ("Python", "_cffi_backend.cpython-311-x86_64-linux-gnu.so _struct.cpython-313-aarch64-linux-gnu.so"),
        ("rest", "[unknown] libstdc++.so.6 libcap.so.2 libmvec.so.1 perf-12.map"),
    ],
)
def test_a_library_is_of_one_kind(kind, names):
    assert {name: profile.kind_of_library(name) for name in names.split()} == dict.fromkeys(names.split(), kind)


def test_every_kind_has_its_place_in_the_tables_and_in_the_plot():
    assert set(profile.LIBRARIES) <= set(profile.KINDS)
    assert sorted(kind for kinds in profile.PLOTTED.values() for kind in kinds) == sorted(profile.KINDS)
    assert not {"Python", "locks", "rest"} & set(profile.NATIVE)


def record(**samples):
    return {"rows": [{"senders": 9, "cores": 0.8, "samples": dict.fromkeys(profile.KINDS, 0) | samples}]}


def test_cores_are_shared_out_by_samples_and_the_codecs_are_the_unit():
    (made,) = profile.sheets(record(codecs=400, scaling=100, Python=200, locks=60, rest=40))
    rows = {name: cells for name, *cells in made.rows}
    assert rows["codecs"] == ["0.400", "50.0", "1.00"]
    assert rows["Python"] == ["0.200", "25.0", "0.500"]
    assert rows["encryption"] == ["0.000", "0.000", "0.000"]
    assert rows["all"] == ["0.800", "100", "2.00"]
    assert rows["without Python and its locks"] == ["0.500", "62.5", "1.25"]
    assert made.rows[-1][0] == "without Python and its locks"


def test_the_plot_is_as_high_as_the_table_says():
    (panel,) = profile.panels(record(codecs=400, scaling=100, Python=200, locks=60, rest=40))
    assert panel.top == pytest.approx(2.0)


def test_without_codecs_there_is_no_unit():
    (made,) = profile.sheets(record(Python=10))
    assert {cells[-1] for cells in made.rows} == {"-"}


def test_without_perf_it_says_how_to_get_it_and_is_left_out_of_the_round(monkeypatch, capsys):
    monkeypatch.setattr(profile.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install linux-perf"):
        profile.measure(None)
    monkeypatch.setattr(sys, "argv", ["all", "--only", "profile"])
    monkeypatch.setattr(every, "run", lambda *words: pytest.fail("it was run"))
    assert every.main() == 0
    assert "profile is left out: there is no perf" in capsys.readouterr().out


def test_benchmarks_that_do_not_say_when_they_cannot_be_run_are_run():
    assert every.unable("pace") == ""
