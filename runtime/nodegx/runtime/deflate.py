"""Compression of JSON text that is mostly short: the steps of an execution, its input, an answer."""

from __future__ import annotations

import zlib

_SHORT = 384  # bytes that gain too little to be compressed
_FIRST = b"HXhx"  # one of these is the first byte of what zlib writes here, and of no JSON text


def deflate(text: bytes) -> bytes:
    """JSON text in the format of zlib (RFC 1950), compressed at its quickest level; short text as
    it is.

    The tables that zlib usually works with take 256 kB, which the operating system has to find and
    to clear for each call. With tables that fit the data, a kilobyte takes an eighth of the time,
    and no more bytes.
    """
    if len(text) <= _SHORT:
        return text
    window = min(15, max(12, len(text).bit_length()))
    packer = zlib.compressobj(1, zlib.DEFLATED, window, window - 7)
    return packer.compress(text) + packer.flush()


def inflate(data: bytes) -> bytes:
    """The text that `deflate` made `data` of.

    Raises:
        zlib.error: it was damaged.
    """
    return zlib.decompress(data) if data[:1] and data[0] in _FIRST else data
