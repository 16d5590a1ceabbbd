"""How executions that wait are woken: by an invocation at once, or by a schedule at its time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from time import time
from typing import Any, NamedTuple
from urllib.parse import quote

from .adapter import MARK
from .client import AwsClient, AwsError

AT_ONCE = 1.0
"""Seconds up to which a wait is not worth a schedule."""
LONGEST = 365 * 86_400.0
"""Seconds that a schedule may lie ahead; who is woken too early is put to sleep again."""
RETRIES, RETRIED_FOR = 185, 86_400
"""How often, and for how many seconds, a schedule tries to start its function."""
CONFLICT, MISSING = "ConflictException", "ResourceNotFoundException"

_PLAIN = re.compile(r"[0-9A-Za-z_-]{1,32}")


class Wakes(NamedTuple):
    """What wakes a function's executions.

    Args:
        group: name of the group of schedules.
        role: ARN of the role by which they start functions.
        prefix: what the names of this function's schedules begin with.
        dead_letters: ARN of the queue for what could not be started, if there is one.
    """

    group: str
    role: str
    prefix: str
    dead_letters: str | None = None


class Waker:
    """Wakes executions. Its calls block.

    Args:
        client: gives the client of a service.
        wakes: where schedules are made; None makes none.
    """

    def __init__(self, client: Callable[[str], AwsClient], wakes: Wakes | None) -> None:
        self._client = client
        self._wakes = wakes

    def now(self, execution: str, target: str) -> None:
        """Has a function go on with an execution.

        Args:
            execution: its id.
            target: ARN of a version or an alias of the function.

        Raises:
            AwsError: code `ResourceNotFoundException`; there is no such version any more. Others;
                it could not be invoked.
        """
        self._client("lambda").request(
            "POST",
            f"/2015-03-31/functions/{quote(target, safe='')}/invocations",
            body=_input(execution).encode(),
            headers={"X-Amz-Invocation-Type": "Event"},
        )

    def at(self, execution: str, fence: int, target: str, due: float) -> None:
        """Has a function go on with an execution at a time, to the second.

        Args:
            execution: its id.
            fence: the execution's; with it the schedule has a name of its own, so that it is made
                once.
            target: as for `now`.
            due: when, in seconds since the epoch.

        Raises:
            AwsError: it could not be scheduled.
        """
        wakes, now = self._wakes, time()
        if wakes is None or due - now <= AT_ONCE:
            self.now(execution, target)
            return
        moment = datetime.fromtimestamp(math.ceil(min(due, now + LONGEST)), UTC)
        schedule: dict[str, Any] = {
            "GroupName": wakes.group,
            "ScheduleExpression": f"at({moment:%Y-%m-%dT%H:%M:%S})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": target,
                "RoleArn": wakes.role,
                "Input": _input(execution),
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": RETRIED_FOR,
                    "MaximumRetryAttempts": RETRIES,
                },
            },
        }
        if wakes.dead_letters is not None:
            schedule["Target"]["DeadLetterConfig"] = {"Arn": wakes.dead_letters}
        name = self._name(wakes, execution, fence)
        try:
            self._client("scheduler").request(
                "POST",
                f"/schedules/{name}",
                body=json.dumps(schedule).encode(),
                headers={"Content-Type": "application/json"},
            )
        except AwsError as error:
            if error.code != CONFLICT:  # it is there already
                raise

    def forget(self, execution: str, fence: int) -> None:
        """Removes the schedule that `at` has made, if it is there.

        Raises:
            AwsError: it could not be removed.
        """
        if self._wakes is None:
            return
        name = self._name(self._wakes, execution, fence)
        query = {"groupName": self._wakes.group}
        try:
            self._client("scheduler").request("DELETE", f"/schedules/{name}", query=query)
        except AwsError as error:
            if error.code != MISSING:
                raise

    def _name(self, wakes: Wakes, execution: str, fence: int) -> str:
        if _PLAIN.fullmatch(execution) is None:  # ids that others have chosen may be anything
            execution = blake2b(execution.encode(), digest_size=16).hexdigest()
        return f"{wakes.prefix}.{execution}-{fence}"


def _input(execution: str) -> str:
    return json.dumps({MARK: {"resume": {"execution": execution}}})
