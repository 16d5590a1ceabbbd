"""Calls to functions by hand."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from nodegx.compiler.targets.aws.names import ALIAS
from nodegx.providers.errors import ProviderError
from nodegx.runtime.ids import new_id

from .cloud import translated
from .deployment import Deployment

SYNC_LIMIT = 6_291_456
"""Bytes of an input that Lambda takes when it is waited for."""
ASYNC_LIMIT = 1_048_576
"""Bytes otherwise."""
LONGEST = 910
"""Seconds after which an answer is not to be expected any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call.

    Args:
        execution: id of the execution; None if there was none.
        status: `success`, `error`, …; `accepted` for a call that nobody waited for, `waiting` for a
            run that goes on later.
        output: the answer of the workflow.
        error: what went wrong, as in the history.
        version: the version that ran.
        seconds: how long it took, from here.
        log: the end of the function's log.
    """

    execution: str | None
    status: str
    output: Any
    error: Mapping[str, Any] | None
    version: str
    seconds: float
    log: str = ""


def invoke(
    deployment: Deployment,
    slug: str,
    input: Any,
    *,
    trigger: str | None = None,
    version: str = ALIAS,
    wait: bool = True,
) -> Answer:
    """Runs a workflow in the cloud.

    Args:
        deployment: where.
        slug: of the workflow.
        input: JSON, as `nodegx run` takes it.
        trigger: id of the trigger to start it by; None for the manual one.
        version: number of a version, or an alias.
        wait: whether to wait for the run's end.

    Raises:
        ProviderError: it is not deployed, or the function has failed outside the workflow.
    """
    execution = new_id()
    mark = {"trigger": trigger, "call": {"parent": None, "depth": 0, "execution": execution}}
    payload = json.dumps({"nodegx": mark, "input": input}).encode()
    limit = SYNC_LIMIT if wait else ASYNC_LIMIT
    if len(payload) > limit:
        raise ProviderError(
            f"the input has {len(payload):,} bytes; Lambda takes {limit:,}", kind="usage"
        )
    name = deployment.names.function(slug)
    client = _patient(deployment)
    begun = time.perf_counter()
    options: dict[str, Any] = {"LogType": "Tail"} if wait else {"InvocationType": "Event"}
    with translated("ResourceNotFoundException"):
        try:
            found = client.invoke(FunctionName=name, Qualifier=version, Payload=payload, **options)
        except client.exceptions.ResourceNotFoundException:
            if version != ALIAS:
                raise ProviderError(
                    f"{slug} has no version {version}", "`nodegx versions` lists them", "not found"
                ) from None
            raise deployment.missing(slug) from None
    seconds = time.perf_counter() - begun
    ran = str(found.get("ExecutedVersion") or version)
    if not wait:
        return Answer(execution, "accepted", None, None, ran, seconds)
    log = base64.b64decode(found.get("LogResult") or "").decode("utf-8", "replace")
    body = found["Payload"].read()
    try:
        data: Any = json.loads(body or b"null")
    except ValueError:
        data = None
    result = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    if found.get("FunctionError"):
        raise _failed(slug, result, log)
    error = result.get("error")
    return Answer(
        result.get("execution"),
        str(result.get("status")),
        result.get("output"),
        error,
        ran,
        seconds,
        log,
    )


def _patient(deployment: Deployment) -> Any:
    """A client that waits as long as a function may take, and calls it once."""
    from botocore.config import Config

    session = deployment.cloud.session
    return session.client(
        "lambda", config=Config(read_timeout=LONGEST, retries={"max_attempts": 0})
    )


def _failed(slug: str, result: Mapping[str, Any], log: str) -> ProviderError:
    """The error for a function that failed outside its workflow: when it started, or out of time or
    memory."""
    reason = str(result.get("errorMessage") or "no reason given").strip()
    lines = [line for line in log.splitlines() if line.strip()]
    hint = "`nodegx logs` shows what it wrote"
    if "timed out" in reason:
        hint = "give the workflow a longer `timeout`"
    elif any("OutOfMemory" in line for line in lines) or "signal: killed" in reason:
        hint = "give the workflow more `memory`"
    elif "Unable to import module" in reason:
        hint = "is a package missing in the node's `packages`?"
    return ProviderError(f"{slug} failed: {reason}", hint, "failure")
