"""The one error of the expression language."""

from __future__ import annotations


class ExpressionError(Exception):
    """An expression that cannot be compiled.

    Args:
        message: what is wrong, one sentence without a full stop.
        offset: character offset into the text of the parameter (braces included).
        hint: what to write instead; empty if there is nothing to suggest.
    """

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint

    def moved(self, by: int) -> ExpressionError:
        """The same error, `by` characters further to the right."""
        return ExpressionError(self.message, self.offset + by, self.hint)
