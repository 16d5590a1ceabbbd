"""What the action nodes of the generated workflows do, for the interpreter."""

from __future__ import annotations

import copy
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.probe import counting
from tests.support.scope import Scope, failure

if TYPE_CHECKING:
    from tests.support.interpreter import Walk

DEPTH = 10


def keep(walk: Walk, node: str, parameters: dict[str, Any], scope: Scope) -> tuple[str, Any]:
    """data.set"""
    return "done", parameters["value"]


def wait(walk: Walk, node: str, parameters: dict[str, Any], scope: Scope) -> tuple[str, Any]:
    """logic.wait"""
    scope.pause(seconds(parameters["duration"]))
    return "done", None


def respond(walk: Walk, node: str, parameters: dict[str, Any], scope: Scope) -> tuple[str, Any]:
    """cloud.response"""
    return "done", None


def code(walk: Walk, node: str, parameters: dict[str, Any], scope: Scope) -> tuple[str, Any]:
    """code.python"""
    try:
        with counting(scope.counters()):
            value = run_code(parameters["code"], parameters.get("inputs") or {})
    except Exception as exc:
        raise failure(
            f"{type(exc).__name__}: {exc}",
            f"python.{type(exc).__name__}",
            node,
            retriable=isinstance(exc, TimeoutError | ConnectionError),
        ) from exc
    return value if parameters.get("outputs") else ("done", value)


def call(walk: Walk, node: str, parameters: dict[str, Any], scope: Scope) -> tuple[str, Any]:
    """workflow.call"""
    flow = walk.interpreter.flows[parameters["workflow"]]
    if walk.depth >= DEPTH:
        raise failure("too deep", "call.depth", node)
    result = walk.interpreter.run(
        flow.name,
        flow.triggers[0],
        copy.deepcopy(parameters.get("input")),
        depth=walk.depth + 1,
    )
    scope.pause(result.duration)
    if result.status == "error":
        raise failure(f"{flow.name} failed: {result.error}", "call.failed", node)
    return "done", result.answer[1] if result.answer else None


Action = Callable[["Walk", str, dict[str, Any], Scope], tuple[str, Any]]
ACTIONS: dict[str, Action] = {
    "data.set": keep,
    "logic.wait": wait,
    "cloud.response": respond,
    "code.python": code,
    "workflow.call": call,
}

SHOWN: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "data.set": lambda given: {"value": given["value"]},
    "logic.wait": lambda given: {"seconds": seconds(given["duration"])},
    "cloud.response": lambda given: {
        "status": given.get("status", 200),
        "body": given.get("body"),
    },
    "code.python": lambda given: given.get("inputs") or {},
    "workflow.call": lambda given: {
        "workflow": given["workflow"],
        "input": given.get("input"),
    },
}
"""What the history shows of an action's parameters."""


@dataclass
class Policy:
    """A retry policy."""

    max_attempts: int = 1
    delay: float = 1.0
    backoff: float = 2.0
    max_delay: float = 60.0
    on: tuple[str, ...] = ()

    @classmethod
    def of(cls, retry: Mapping[str, Any]) -> Policy:
        return cls(
            int(retry.get("maxAttempts", 3)),
            seconds(retry.get("delay", 1.0)),
            float(retry.get("backoff", 2.0)),
            seconds(retry.get("maxDelay", 60.0)),
            tuple(retry.get("retryOn", ())),
        )

    def attempts(self) -> range:
        return range(1, self.max_attempts + 1)

    def tries_again(self, error: Mapping[str, Any], attempt: int) -> bool:
        if attempt >= self.max_attempts:
            return False
        if not self.on:
            return error["category"] == "retriable"
        return error["category"] in self.on or error["code"] in self.on

    def delay_after(self, attempt: int) -> float:
        return min(self.delay * self.backoff ** (attempt - 1), self.max_delay)


UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(duration: float | str) -> float:
    """A duration in seconds."""
    if isinstance(duration, int | float):
        return float(duration)
    number = duration.rstrip("msdh")
    return float(number) * UNITS[duration[len(number) :]]


def run_code(code: str, inputs: Mapping[str, Any]) -> Any:
    """Runs the body of a code node that awaits nothing but other bodies of its kind."""
    is_async = "await " in code
    head = f"{'async ' if is_async else ''}def body({', '.join(inputs)}):\n"
    namespace: dict[str, Any] = {}
    exec(head + textwrap.indent(code, "    "), namespace)
    result = namespace["body"](**inputs)
    if not inspect.iscoroutine(result):
        return result
    try:
        result.send(None)
    except StopIteration as done:
        return done.value
    raise NotImplementedError("code of the generated workflows does not wait")
