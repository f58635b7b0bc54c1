"""SRTP of one peer through pylibsrtp's binding: libsrtp is called directly, which spares work in Python per packet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pylibsrtp import Error as SrtpError
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

MAX_PACKET, TRAILER = 1500, 144
"Bytes; SRTP_MAX_TRAILER_LEN."
_PROBE = b"\x80" + bytes(11)
"An RTP header."


class Protector:
    """Encrypts a peer's outgoing RTP with its SRTP session: libsrtp is called directly,
    which spares `Session.protect`'s work in Python for each packet. trailer: bytes that it adds to each."""

    def __init__(self, session: Session) -> None:
        self._session = session  # owns the C session
        self._srtp = session._srtp[0]
        self._data = ffi.new("char[]", MAX_PACKET)
        self._buffer = ffi.buffer(self._data)
        self._length = ffi.new("int *")
        self.trailer = self._added()

    def _added(self) -> int:
        """What encryption adds to each packet, by a packet of a stream that does not exist."""
        size = len(_PROBE)
        self._buffer[0:size] = _PROBE
        self._length[0] = size
        failed = lib.srtp_protect(self._srtp, self._data, self._length)
        if failed:
            raise SrtpError(f"libsrtp: status {failed}")
        self._session.remove_stream(0)
        return int(self._length[0]) - size

    def protect_in_place(self, slots: Sequence[tuple[int, Any, int]]) -> None:
        """Of one stream, in order: (, pointer, size), with room for `trailer` bytes behind each. Raises SrtpError."""
        length, srtp, protect = self._length, self._srtp, lib.srtp_protect
        for _, pointer, size in slots:
            length[0] = size
            failed = protect(srtp, pointer, length)
            if failed:
                raise SrtpError(f"libsrtp: status {failed}")

    def protect(self, packets: Sequence[bytes]) -> list[bytes]:
        """Of one stream, in order; each at most MAX_PACKET bytes with SRTP's trailer. Raises ValueError, SrtpError."""
        buffer, data, length, srtp = self._buffer, self._data, self._length, self._srtp
        protect = lib.srtp_protect
        encrypted = []
        for packet in packets:
            size = len(packet)
            if size > MAX_PACKET - TRAILER:
                raise ValueError("packet is too long")
            buffer[0:size] = packet
            length[0] = size
            failed = protect(srtp, data, length)
            if failed:
                raise SrtpError(f"libsrtp: status {failed}")
            encrypted.append(buffer[0 : length[0]])
        return encrypted


class Unprotector:
    """Decrypts what a peer sends, in the same way."""

    def __init__(self, session: Session) -> None:
        self._session = session  # owns the C session
        self._srtp = session._srtp[0]
        self._data = ffi.new("char[]", MAX_PACKET)
        self._buffer = ffi.buffer(self._data)
        self._length = ffi.new("int *")

    def rtp(self, packet: bytes) -> bytes:
        """Raises SrtpError for what is not authentic, ValueError for what is longer than any packet."""
        return self._open(packet, lib.srtp_unprotect)

    def rtcp(self, packet: bytes) -> bytes:
        """As `rtp`."""
        return self._open(packet, lib.srtp_unprotect_rtcp)

    def forget(self, ssrc: int) -> None:
        """Frees what is kept of a stream."""
        self._session.remove_stream(ssrc)

    def _open(self, packet: bytes, unprotect: Callable[..., int]) -> bytes:
        size = len(packet)
        if size > MAX_PACKET:
            raise ValueError("packet is too long")
        self._buffer[0:size] = packet
        self._length[0] = size
        failed = unprotect(self._srtp, self._data, self._length)
        if failed:
            raise SrtpError(f"libsrtp: status {failed}")
        plain: bytes = self._buffer[0 : self._length[0]]
        return plain
