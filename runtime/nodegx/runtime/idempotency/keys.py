"""What tells requests apart: keys, and fingerprints of what came with them."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nodegx.runtime.errors import FatalError
from nodegx.runtime.triggers.problem import Problem
from nodegx.runtime.triggers.reply import ReplyError, to_json

if TYPE_CHECKING:
    from nodegx.runtime.triggers.request import Incoming
    from nodegx.runtime.workflow import Key

HEADER = "idempotency-key"
LONGEST = 255

# A string item of structured fields (RFC 8941, 3.3.3). Parameters mean nothing here.
_QUOTED = r'"((?:[ !#-\[\]-~]|\\["\\])*)"(?: *;[!-~ ]*)?'
_BARE = r"[!#-+\--~]+"  # neither quotes nor commas: several keys are none
_pattern = cache(re.compile)


def header_key(text: str) -> str:
    """The key in a header `Idempotency-Key`. Quotes may be missing, as many clients leave them out.

    Raises:
        Problem: 400; it is no text of 1 to 255 characters.
    """
    text = text.strip(" \t")
    quoted = _pattern(_QUOTED).fullmatch(text)
    if quoted is not None:
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif _pattern(_BARE).fullmatch(text):
        key = text
    else:
        raise _invalid('must be one string, such as "8e03978e-40d5-43e8-bc93-6894a57f9324"')
    if not 1 <= len(key) <= LONGEST:
        raise _invalid(f"must have 1 to {LONGEST} characters")
    return key


def computed_key(find: Key, value: Any) -> str:
    """The key that a trigger's expression finds in its value.

    Raises:
        FatalError: code `idempotency.key`; it finds none.
    """
    try:
        found = find(value)
    except Exception as error:  # whatever a missing part of the value leads to
        raise _missing(type(error).__name__) from None
    if found is None or found == "":
        raise _missing("it is empty")
    try:
        return to_json(found).decode()
    except ReplyError:
        raise _missing("it is no JSON") from None


def place(*parts: str) -> str:
    """The name under which a key is stored: a hash of the workflow, the trigger and what else the
    key belongs to."""
    return _digest(*(part.encode("utf-8", "surrogatepass") for part in parts))


def fingerprint(incoming: Incoming, body: Any) -> str:
    """Tells a request from others with the same key.

    Args:
        incoming: the request, without its credentials.
        body: its body as the workflow gets it.
    """
    raw = incoming.raw
    if incoming.headers.get("content-type", "").startswith("multipart/"):
        raw = to_json(body)  # clients draw another boundary each time
    head = (incoming.method, incoming.path, incoming.query_string)
    return _digest(*(part.encode("utf-8", "surrogatepass") for part in head), raw)


def _digest(*parts: bytes) -> str:
    """A hash of parts, each behind its length, so that none can be taken for two."""
    digest = sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def _invalid(fault: str) -> Problem:
    return Problem(400, f"The header Idempotency-Key {fault}.")


def _missing(reason: str) -> FatalError:
    return FatalError(f"There is no idempotency key: {reason}", code="idempotency.key")
