"""The codecs' one error. What a stranger sends may end in it, and in nothing else."""

from __future__ import annotations


class CodecError(Exception):
    """A frame could not be encoded or decoded; the message says why. The codec object may be used again: after a
    decoder's error only a key frame makes sense, after an encoder's the caller should make a new one."""
