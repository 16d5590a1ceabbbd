"""What goes wrong between a project and a cloud, in words for whoever deploys."""

from __future__ import annotations

from typing import Literal

Kind = Literal["environment", "usage", "not found", "failure"]


class ProviderError(Exception):
    """Nothing can be done as asked.

    Args:
        message: one sentence on what is wrong.
        hint: what to do about it; may be empty.
        kind: `environment` for credentials, tools, accounts and their limits; `usage` for wishes
            that contradict each other; `not found` for names that nothing has; `failure` for an
            operation that was begun and failed.
    """

    def __init__(self, message: str, hint: str = "", kind: Kind = "environment") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.kind: Kind = kind
