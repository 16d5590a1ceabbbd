"""Secrets kept out of standard output and error, where the code of workflows may print them."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, TextIO, cast

from .secret_values import SecretValues


class MaskedStream:
    """A text stream that hides secrets; all else is as with the stream itself.

    Args:
        stream: where text goes.
        secrets: by name; those that are exchanged for others stay secret.
    """

    def __init__(self, stream: TextIO, secrets: Mapping[str, str]) -> None:
        self._stream = stream
        self._secrets = secrets
        self._known = SecretValues()

    def write(self, text: str) -> int:
        """Writes text without secrets; returns the length of what was given."""
        for value in self._secrets.values():
            self._known.add(value)
        self._stream.write(self._known.scrub(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def masked_output(secrets: Mapping[str, str]) -> Generator[None]:
    """Hides secrets in everything this process prints, until the block ends.

    Args:
        secrets: by name; may change meanwhile.
    """
    before = sys.stdout, sys.stderr
    sys.stdout = cast(TextIO, MaskedStream(sys.stdout, secrets))
    sys.stderr = cast(TextIO, MaskedStream(sys.stderr, secrets))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
