"""RTP payload format for H.264 (RFC 6184), non-interleaved mode: single NAL units, STAP-A, FU-A; Annex B streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

START_CODE = b"\x00\x00\x00\x01"
SLICE, IDR, SEI, SPS, PPS, DELIMITER = 1, 5, 6, 7, 8, 9
STAP_A, FU_A = 24, 28
"NAL unit types, ITU-T H.264 table 7-1 and RFC 6184 table 1."

_TYPE = 0x1F
_FORBIDDEN_AND_NRI = 0xE0
_FU_START, _FU_END = 0x80, 0x40


def nal_units(annexb: bytes) -> list[bytes]:
    """The NAL units of an Annex B stream, without start codes and trailing zeros. What precedes the first start code is
    left out."""
    units: list[bytes] = []
    at = annexb.find(b"\x00\x00\x01")
    while at >= 0:
        begin = at + 3
        at = annexb.find(b"\x00\x00\x01", begin)
        unit = annexb[begin : at if at >= 0 else len(annexb)].rstrip(b"\x00")
        if unit:
            units.append(unit)
    return units


def annexb(units: Iterable[bytes]) -> bytes:
    """NAL units as a byte stream with start codes of four bytes."""
    return b"".join(part for unit in units for part in (START_CODE, unit))


def unit_type(unit: bytes | memoryview) -> int:
    return unit[0] & _TYPE


def split(stream: bytes, max_size: int) -> list[bytes]:
    """Cuts a frame (Annex B) into payloads of at most max_size bytes.

    Parameter sets in a row go into one STAP-A of their own; every other NAL unit goes alone, or as FU-As of one size
    but the last, which may be shorter. Access unit delimiters are left out.
    """
    if max_size < 3:
        raise ValueError("max_size must be 3 or more")
    payloads: list[bytes] = []
    sets: list[bytes] = []
    for unit in nal_units(stream):
        kind = unit_type(unit)
        if kind in (SPS, PPS):
            sets.append(unit)
            continue
        payloads += _aggregate(sets, max_size)
        sets = []
        if kind != DELIMITER:
            payloads += _fragment(unit, max_size)
    return payloads + _aggregate(sets, max_size)


def _aggregate(units: Sequence[bytes], max_size: int) -> list[bytes]:
    """One STAP-A (RFC 6184, 5.7.1), or the units on their own if they are too long or only one."""
    if len(units) < 2 or 1 + sum(2 + len(unit) for unit in units) > max_size:
        return [payload for unit in units for payload in _fragment(unit, max_size)]
    importance = max(unit[0] & 0x60 for unit in units)
    forbidden = max(unit[0] & 0x80 for unit in units)
    sized = (part for unit in units for part in (len(unit).to_bytes(2, "big"), unit))
    return [bytes((forbidden | importance | STAP_A,)) + b"".join(sized)]


def _fragment(unit: bytes, max_size: int) -> list[bytes]:
    """The unit itself, or its FU-As (RFC 6184, 5.8): always two or more."""
    if len(unit) <= max_size:
        return [unit]
    indicator, kind = unit[0] & _FORBIDDEN_AND_NRI | FU_A, unit[0] & _TYPE
    body = memoryview(unit)[1:]
    count = -(-len(body) // (max_size - 2))
    size = -(-len(body) // count)
    payloads = []
    for at in range(0, len(body), size):
        flags = (_FU_START if at == 0 else 0) | (_FU_END if at + size >= len(body) else 0)
        payloads.append(bytes((indicator, flags | kind)) + body[at : at + size])
    return payloads


def contained(payload: bytes | memoryview) -> list[int]:
    """The types of the NAL units that begin in a payload: none for the later fragments of a FU-A. ValueError like
    `H264Depacketiser.push`."""
    if not len(payload):
        raise ValueError("H.264 payload is empty")
    kind = unit_type(payload)
    if kind == STAP_A:
        return [unit_type(unit) for unit in _stap_units(payload)]
    if kind != FU_A:
        return [kind]
    if len(payload) < 3:
        raise ValueError("FU-A is truncated")
    return [payload[1] & _TYPE] if payload[1] & _FU_START else []


def _stap_units(payload: bytes | memoryview) -> list[bytes]:
    units = []
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = bytes(payload[at + 2 : at + 2 + size])
        if not size or len(unit) < size:
            raise ValueError("STAP-A is truncated or holds an empty unit")
        units.append(unit)
        at += 2 + size
    if not units:
        raise ValueError("STAP-A is empty")
    return units


class H264Depacketiser:
    """Payloads of one frame in order -> its NAL units. The caller has made sure that none is missing."""

    def __init__(self) -> None:
        self._units: list[bytes] = []
        self._fragments: list[bytes] = []

    def push(self, payload: bytes | memoryview) -> None:
        """ValueError if the payload is truncated, of another packetisation mode, or does not follow the one before."""
        if not len(payload):
            raise ValueError("H.264 payload is empty")
        kind = unit_type(payload)
        if kind == FU_A:
            self._push_fragment(payload)
        elif self._fragments:
            raise ValueError("FU-A was not ended")
        elif kind == STAP_A:
            self._units += _stap_units(payload)
        elif 1 <= kind < STAP_A:
            self._units.append(bytes(payload))
        else:
            raise ValueError(f"NAL unit type {kind} is not of the non-interleaved mode")

    def _push_fragment(self, payload: bytes | memoryview) -> None:
        if len(payload) < 3:
            raise ValueError("FU-A is truncated")
        flags = payload[1]
        header = payload[0] & _FORBIDDEN_AND_NRI | flags & _TYPE
        if bool(flags & _FU_START) == bool(self._fragments):
            raise ValueError("FU-A begins twice" if self._fragments else "FU-A has no beginning")
        if not self._fragments:
            self._fragments.append(bytes((header,)))
        elif (self._fragments[0][0] ^ header) & _TYPE:
            raise ValueError("FU-A changes its type")
        self._fragments.append(bytes(payload[2:]))
        if flags & _FU_END:
            self._units.append(b"".join(self._fragments))
            self._fragments = []

    def finish(self) -> list[bytes]:
        """The frame's NAL units. ValueError if a FU-A was not ended or there is none."""
        if self._fragments:
            raise ValueError("FU-A was not ended")
        if not self._units:
            raise ValueError("frame has no NAL unit")
        units, self._units = self._units, []
        return units


def units_of(payloads: Iterable[bytes | memoryview]) -> list[bytes]:
    """The NAL units of a frame from all its payloads in order. ValueError as above."""
    depacketiser = H264Depacketiser()
    for payload in payloads:
        depacketiser.push(payload)
    return depacketiser.finish()


def join(payloads: Iterable[bytes | memoryview]) -> bytes:
    """A frame from all its payloads in order, Annex B. ValueError as above."""
    return annexb(units_of(payloads))
