"""Errors a workflow meets while it runs. Standard library only, no other module of ours."""

from __future__ import annotations

from typing import Any, NamedTuple


class NodegxError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: one sentence for the workflow's author.
        code: stable name of the kind of error, such as `http.status`.
        retriable: whether trying again may help.
        details: JSON data that helps to understand it; never secrets.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "error",
        retriable: bool = False,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retriable = retriable
        self.details = details


class FatalError(NodegxError):
    """Trying again cannot help: bad input, a refused request, a bug."""


class RetriableError(NodegxError):
    """Trying again may help: a time-out, an overloaded or unreachable service."""

    def __init__(self, message: str, *, code: str = "error", details: Any = None) -> None:
        super().__init__(message, code=code, retriable=True, details=details)


class StoreUnavailable(RetriableError):
    """A store cannot be reached or written for now: locked, full, offline."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="store.unavailable")


class ErrorInfo(NamedTuple):
    """What a workflow sees of a failure (`charge.error`) and what the history keeps of it.

    `category` is `retriable` or `fatal`; `node` the id of the node that failed; `attempts` how
    often it was tried.
    """

    message: str
    code: str
    category: str
    node: str | None
    attempts: int
    details: Any


class RunStopped(BaseException):
    """A `logic.stop` ended the run as a success. A BaseException, so that no handler's
    `except Exception` mistakes it for a failure."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message)
        self.message = message
