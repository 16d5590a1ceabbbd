"""What AWS Lambda tells about an invocation, as far as it matters here."""

from __future__ import annotations

from typing import Protocol


class Context(Protocol):
    """The second argument of a function's handler."""

    @property
    def aws_request_id(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...
