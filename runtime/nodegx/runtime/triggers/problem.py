"""Failures of a request, told as RFC 9457 problem documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ConfigError(ValueError):
    """A trigger's configuration cannot work. The message names the setting."""


class Problem(Exception):
    """Ends a request with an error response.

    Args:
        status: HTTP status, 400 to 599.
        detail: one sentence for the caller; nothing about our internals.
        headers: further response headers.
        extra: further members of the problem document (JSON).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """The problem document as JSON data."""
        from http import HTTPStatus  # here: most requests have no problem

        try:
            title = HTTPStatus(self.status).phrase
        except ValueError:
            title = "Error"
        return {"title": title, "status": self.status, "detail": self.detail, **self.extra}
