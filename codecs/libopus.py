"""libopus through ctypes: the one inside PyAV's wheel, else the system's.

PyAV itself gives neither concealment nor in-band FEC nor an encoder's reset, so its own Opus is only the last resort
(see opus_av.py).
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import av

from mixdown.codecs.errors import CodecError

APPLICATION_VOIP: Final = 2048
APPLICATION_AUDIO: Final = 2049

RESET_STATE: Final = 4028
SET_BITRATE: Final = 4002
SET_VBR: Final = 4006
SET_COMPLEXITY: Final = 4010
SET_INBAND_FEC: Final = 4012
SET_PACKET_LOSS_PERC: Final = 4014
SET_DTX: Final = 4016
SET_SIGNAL: Final = 4024
SIGNAL_AUTO: Final = -1000
SIGNAL_VOICE: Final = 3001
SIGNAL_MUSIC: Final = 3002

MAX_PACKET = 1275
"Bytes of one 20 ms packet at most (RFC 6716, 3.2.1)."


@dataclass(frozen=True, slots=True)
class _Found:
    library: ctypes.CDLL | None
    brief: ctypes.PyDLL | None
    where: str


def available() -> bool:
    """Whether there is a libopus to call."""
    return _find().library is not None


def where() -> str:
    """For people: the library's version and path, or why there is none."""
    return _find().where


def library() -> ctypes.CDLL:
    """The library with its signatures set; calls release the interpreter lock. Raises CodecError if there is none."""
    found = _find()
    if found.library is None:
        raise CodecError(found.where)
    return found.library


def brief() -> ctypes.PyDLL:
    """The same, but calls keep the interpreter lock: for those of some 30 us, of which a tick makes one per source.
    Released, the lock may be gone for as long as another thread computes. Raises CodecError if there is none."""
    found = _find()
    if found.brief is None:
        raise CodecError(found.where)
    return found.brief


def check(result: int, what: str) -> int:
    """A result of 0 or more, else CodecError with libopus's own words."""
    if result < 0:
        raise CodecError(f"{what}: {library().opus_strerror(result).decode()}")
    return result


@cache
def _find() -> _Found:
    reasons = []
    for path in _candidates():
        try:
            return _open(path)
        except (OSError, AttributeError) as error:
            reasons.append(f"{path}: {error}")
    return _Found(None, None, "no libopus: " + ("; ".join(reasons) or "neither in PyAV's wheel nor on the system"))


def _candidates() -> Iterator[str]:
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        yield from (str(path) for path in sorted(folder.glob("libopus[-.]*")))
    system = ctypes.util.find_library("opus")
    if system is not None:
        yield system


def _open(path: str) -> _Found:
    lib, brief = ctypes.CDLL(path), ctypes.PyDLL(path)
    _declare(lib)
    _declare(brief)
    return _Found(lib, brief, f"{lib.opus_get_version_string().decode()} at {path}")


def _declare(lib: ctypes.CDLL) -> None:
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    signatures = {
        "opus_get_version_string": (ctypes.c_char_p, []),
        "opus_strerror": (ctypes.c_char_p, [integer]),
        "opus_encoder_create": (pointer, [ctypes.c_int32, integer, integer, ctypes.POINTER(integer)]),
        "opus_encoder_destroy": (None, [pointer]),
        # Variadic in C: an int passed so is what the ABIs of Linux on x86-64 and aarch64 expect.
        "opus_encoder_ctl": (integer, [pointer, integer, integer]),
        "opus_encode_float": (ctypes.c_int32, [pointer, pointer, integer, pointer, ctypes.c_int32]),
        "opus_decoder_create": (pointer, [ctypes.c_int32, integer, ctypes.POINTER(integer)]),
        "opus_decoder_destroy": (None, [pointer]),
        "opus_decode_float": (integer, [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer]),
        "opus_packet_get_nb_samples": (integer, [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
