"""Where an error came from, kept on the error itself while it travels through the handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import ErrorInfo

_ATTRIBUTE = "__nodegx_failure__"


class Failure:
    """The node whose step raised an error, in one execution.

    `info` is what `Execution.describe` made of the error, once somebody has asked; `recorded`
    tells whether the history has the node's failure.
    """

    __slots__ = ("attempts", "execution", "info", "node", "recorded")

    def __init__(self, execution: str, node: str | None, attempts: int) -> None:
        self.execution = execution
        self.node = node
        self.attempts = attempts
        self.info: ErrorInfo | None = None
        self.recorded = False

    @staticmethod
    def of(error: BaseException, execution: str) -> Failure | None:
        """What is known of an error in an execution. An error may be an object that is raised
        again and again, so what other executions noted on it does not count."""
        found = getattr(error, _ATTRIBUTE, None)
        return found if isinstance(found, Failure) and found.execution == execution else None

    @staticmethod
    def mark(error: BaseException, execution: str, node: str | None, attempts: int) -> Failure:
        """Notes the node on an error, unless a step inside that node did so already."""
        failure = Failure.of(error, execution)
        if failure is None:
            failure = Failure(execution, node, attempts)
            setattr(error, _ATTRIBUTE, failure)
        return failure
