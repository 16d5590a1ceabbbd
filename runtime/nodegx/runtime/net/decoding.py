"""Responses' bodies: read under a size limit, and decompressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from http.client import HTTPResponse, IncompleteRead
from typing import Any

from nodegx.runtime.errors import FatalError

_CHUNK = 65_536
_GZIP = b"\x1f"
_IDENTITY = frozenset({"", "identity"})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})


def read_body(response: HTTPResponse, limit: int) -> bytes:
    """The whole body, decompressed, of at most `limit` bytes.

    Raises:
        FatalError: code `http.tooLarge` or `http.encoding`.
        IncompleteRead: the connection ended before the body did.
    """
    coding = (response.headers.get("content-encoding") or "").strip().lower()
    chunks = _chunks(response)
    if coding in _COMPRESSED:
        chunks = _inflated(chunks)
    elif coding not in _IDENTITY:
        raise FatalError(
            f"the response is encoded as `{coding}`, which was not asked for", code="http.encoding"
        )
    elif (response.length or 0) > limit:
        raise _too_large(limit)
    found: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        found.append(chunk)
    return b"".join(found)


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read(_CHUNK):
        yield chunk
    if response.length:  # read() is silent about a body that ends too soon
        raise IncompleteRead(b"", response.length)


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompresses gzip of one or more members, zlib and raw deflate, a piece at a time, so that
    the caller can stop long before a bomb has gone off. What follows the end is ignored."""
    inflater = None
    ended = False
    try:
        for data in chunks:
            while data and not ended:
                if inflater is None:
                    inflater = zlib.decompressobj(_window(data))
                yield from _pieces(inflater, data)
                if not inflater.eof:
                    break
                data, inflater = inflater.unused_data, None
                ended = bool(data) and not data.startswith(_GZIP)
    except zlib.error as error:
        raise FatalError(
            f"the response is not compressed as it says: {error}", code="http.encoding"
        ) from None
    if inflater is not None:
        raise IncompleteRead(b"")


def _pieces(inflater: Any, data: bytes) -> Iterator[bytes]:
    """What `data` decompresses to, in pieces of at most the chunk size."""
    while True:
        piece: bytes = inflater.decompress(data, _CHUNK)
        if piece:
            yield piece
        data = inflater.unconsumed_tail
        if inflater.eof or (not data and len(piece) < _CHUNK):
            return


def _window(data: bytes) -> int:
    """What zlib must expect: gzip or zlib by their first bytes, else raw deflate."""
    is_gzip = data.startswith(_GZIP)
    is_zlib = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
    return 47 if is_gzip or is_zlib else -15


def _too_large(limit: int) -> FatalError:
    return FatalError(f"the response is larger than {limit} bytes", code="http.tooLarge")
