"""Answers as they are kept: an HTTP response, or how a called workflow ended."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

from nodegx.runtime.deflate import deflate, inflate
from nodegx.runtime.triggers.reply import Response, to_json
from nodegx.runtime.values import Reply

LARGEST = 1_000_000
"""Bytes of the largest body that is kept."""

_SMALL = 4096  # bytes that are not worth compressing
_PLAIN, _PACKED = b"=", b"z"


class Outcome(NamedTuple):
    """How an execution that was started with a key stands: `success`, or `waiting` where it goes on
    later. `reply` is None if it gave no answer."""

    status: str
    reply: Reply | None


def pack_response(response: Response, limit: int) -> bytes | None:
    """A response as bytes; None if it has more than `LARGEST` bytes, or more than `limit` then."""
    if len(response.body) > LARGEST:
        return None
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")] for name, value in response.headers
    ]
    head = json.dumps([response.status, headers]).encode()
    return _packed(head + b"\n" + response.body, limit)


def unpack_response(packed: bytes) -> Response:
    """What `pack_response` made bytes of."""
    head, _, body = _unpacked(packed).partition(b"\n")
    status, headers = json.loads(head)
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return Response(status, pairs, body)


def pack_outcome(outcome: Outcome, limit: int) -> bytes | None:
    """An outcome as bytes, as `pack_response` does.

    Raises:
        ReplyError: the answer is no JSON.
    """
    reply = outcome.reply
    parts: Any = None if reply is None else [reply.status, dict(reply.headers), reply.body]
    text = to_json([outcome.status, parts])
    return _packed(text, limit) if len(text) <= LARGEST else None


def unpack_outcome(packed: bytes) -> Outcome:
    """What `pack_outcome` made bytes of."""
    status, parts = json.loads(_unpacked(packed))
    return Outcome(status, None if parts is None else Reply(*cast("list[Any]", parts)))


def _packed(content: bytes, limit: int) -> bytes | None:
    packed = _PLAIN + content
    if len(content) > _SMALL:
        packed = min(packed, _PACKED + deflate(content), key=len)
    return packed if len(packed) <= limit else None


def _unpacked(packed: bytes) -> bytes:
    content = packed[1:]
    return inflate(content) if packed[:1] == _PACKED else content
