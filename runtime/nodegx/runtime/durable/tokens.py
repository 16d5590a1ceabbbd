"""The tokens of resume URLs, and the keys under which answers are kept.

A token is an HMAC-SHA256 of the wait's key with the execution's secret, 192 bits of it in URL-safe
base64: nobody can guess it, and it opens one wait of one execution alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote

RESUME = "/_nodegx/resume"
_ANSWER = "!answer"
_BYTES = 24


def new_secret() -> str:
    """The secret of a new execution: 256 random bits as text."""
    return secrets.token_urlsafe(32)


def answer_key(step: str) -> str:
    """Under which key the answer to the wait of a step is kept."""
    return step + _ANSWER


def token(secret: str, step: str) -> str:
    """The token that ends the wait of a step."""
    made = hmac.new(secret.encode(), f"resume:{step}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made[:_BYTES]).decode("ascii")


def is_token(secret: str, step: str, given: str) -> bool:
    """Whether a token is the one of that wait; takes the same time for all that are not."""
    expected = token(secret, step) if secret else ""
    return bool(secret) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def resume_path(execution: str, step: str, secret: str) -> str:
    """The path of the URL that ends the wait of a step."""
    return f"{RESUME}/{execution}/{quote(step, safe='')}/{token(secret, step)}"
