"""A slow, obvious interpreter of workflows: what a drawing means, step by step.

It follows signals through the drawing as a person would with a finger. Concurrent branches cannot
see each other, so each is followed on its own, from the moment it starts to its end, on a clock
that only waits and retries move; then the branches' clocks tell which came first and where the
others were cut off. Two things that happen at the same moment where their order would matter have
no defined outcome: `Tie`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.actions import ACTIONS, SHOWN, Policy
from tests.support.answers import settle_answers
from tests.support.attempt import Attempt, check_clean_up
from tests.support.choices import case, condition
from tests.support.expressions import evaluate
from tests.support.flow import Branch, Flow, IllFormed
from tests.support.loops import iterate
from tests.support.scope import (
    NEVER,
    SAME,
    Cancelled,
    Failed,
    Names,
    Scope,
    Stopped,
    Tie,
    failure,
)
from tests.support.trace import ANYTHING, NOTHING, Event, Parallel, Step


@dataclass
class Result:
    """What became of a run. `answer` is `(status, body)` of the first response."""

    status: str
    error: str | None
    answer: tuple[Any, Any] | None
    trace: list[Event]
    duration: float


class Interpreter:
    """Runs the workflows of a bundle.

    Args:
        bundle: the workflow documents; they may call one another.
        surroundings: values of `vars`, `env` and `secrets`.
    """

    def __init__(
        self,
        bundle: Sequence[Mapping[str, Any]],
        surroundings: Mapping[str, Any] | None = None,
    ) -> None:
        self.flows = {workflow["name"]: Flow(workflow) for workflow in bundle}
        self.surroundings = {"vars": {}, "env": {}, **(surroundings or {})}

    def run(self, workflow: str, trigger: str, value: Any, *, depth: int = 0) -> Result:
        """Runs a workflow from one of its triggers."""
        return Walk(self, self.flows[workflow], depth).start(trigger, copy.deepcopy(value))


class Walk:
    """One run of one workflow."""

    def __init__(self, interpreter: Interpreter, flow: Flow, depth: int) -> None:
        self.interpreter = interpreter
        self.flow = flow
        self.depth = depth

    def start(self, trigger: str, value: Any) -> Result:
        scope = Scope(values={trigger: value})
        port = self.flow.ports(trigger)[0]
        status, error = "success", None
        try:
            if self.walk_port(trigger, port, scope, frozenset()) is not None:
                raise IllFormed("a signal has left the workflow")
        except Failed as failed:
            status, error = "error", failed.error["message"]
        except Stopped:
            pass
        answer = settle_answers(scope.trace)
        return Result(status, error, answer, scope.trace, scope.time)

    # Signals

    def walk_port(self, node: str, port: str, scope: Scope, stops: frozenset[str]) -> str | None:
        return self.walk(self.flow.targets(node, port), scope, stops)

    def walk(self, targets: Sequence[str], scope: Scope, stops: frozenset[str]) -> str | None:
        """Follows a signal to its end (None) or to the first node of `stops`."""
        while targets:
            if len(targets) > 1:
                arrived = self.fan_out(targets, scope, stops)
                if arrived is None:
                    return None
                targets = (arrived,)
            (node,) = targets
            if node in stops:
                return node
            targets = self.fire(node, scope, stops)
        return None

    def fire(self, node: str, scope: Scope, stops: frozenset[str]) -> Sequence[str]:
        """Runs one node; returns where its signal goes."""
        match self.flow.nodes[node]["type"]:
            case "logic.merge":
                return self.flow.targets(node, "done")
            case "logic.try":
                return self.fire_try(node, scope, stops)
            case "logic.retry":
                return self.fire_retry(node, scope, stops)
            case "logic.forEach":
                return self.fire_for_each(node, scope, stops)
            case "logic.if" | "logic.switch":
                return self.fire_choice(node, scope)
            case "logic.stop":
                self.fire_stop(node, scope)
                return ()
            case _:
                return self.fire_action(node, scope)

    # Concurrency

    def fan_out(self, targets: Sequence[str], scope: Scope, stops: frozenset[str]) -> str | None:
        """Runs concurrent branches; returns the merge they met at, if any."""
        branches = self.flow.concurrent(targets, stops)
        if len(branches) == 1:
            merge = branches[0].entry
            return self.together(branches[0].members, scope, stops | {merge}, merge)
        entries = [branch.entry for branch in branches]
        around = scope.closing & self.flow.reach(entries, stops=stops)
        return self.together(branches, scope, stops, min(around, default=None))

    def run_branch(self, branch: Branch, scope: Scope, stops: frozenset[str]) -> str | None:
        if not branch.members:
            return self.walk((branch.entry,), scope, stops)
        merge = branch.entry
        arrived = self.together(branch.members, scope, stops | {merge}, merge)
        if arrived is None:
            return None
        return self.walk((arrived,), scope, stops)

    def together(
        self, branches: Sequence[Branch], scope: Scope, stops: frozenset[str], merge: str | None
    ) -> str | None:
        """Runs branches side by side until the rules of their merge say how it goes on. Branches
        inside a branch may go on to the merge of that one: its rules are theirs then too."""
        start, given = scope.time, scope.cancel_at
        mode = "all" if merge is None else self.flow.mode(merge)

        def attempt(branch: Branch, cancel_at: float) -> Attempt:
            child = scope.fork(time=start, cancel_at=cancel_at)
            if merge is not None:
                child.closing |= {merge}
            return Attempt.of(child, lambda: self.run_branch(branch, child, stops))

        attempts = [attempt(branch, given) for branch in branches]
        for each in attempts:
            if each.arrived is not None and not self.flow.is_merge(each.arrived):
                raise IllFormed(f"a concurrent branch leads to {each.arrived}")
        endings = [each for each in attempts if self.ends_group(each, mode)]
        first = min(endings, key=lambda each: each.time, default=None)
        if first is not None:
            if any(each is not first and each.time - first.time < SAME for each in endings):
                raise Tie
            attempts = [
                each if each is first else attempt(branch, first.time)
                for branch, each in zip(branches, attempts, strict=True)
            ]
        scope.trace.append(Parallel([each.scope.trace for each in attempts]))
        for each in attempts:
            scope.absorb(each.scope)
        scope.time = max(each.time for each in attempts)
        if first is not None:
            check_clean_up(first, attempts, scope, mode)
            return first.result()
        if any(isinstance(each.raised, Cancelled) for each in attempts):
            scope.cancel_at = NEVER
            raise Cancelled
        return self.conclude(attempts, mode)

    def ends_group(self, each: Attempt, mode: str) -> bool:
        """Whether this branch's outcome decides for its siblings."""
        if isinstance(each.raised, Stopped):
            return True
        if isinstance(each.raised, Failed):
            return mode == "all"
        return each.arrived is not None and mode == "any"

    def conclude(self, attempts: Sequence[Attempt], mode: str) -> str | None:
        """All branches have ended by themselves."""
        arrived = {each.arrived for each in attempts if each.arrived is not None}
        if len(arrived) > 1:
            raise IllFormed(f"concurrent branches go on at {sorted(arrived)}")
        if arrived:
            return arrived.pop()
        failed = [each for each in attempts if isinstance(each.raised, Failed)]
        if failed:
            last = max(failed, key=lambda each: each.time)
            if any(each is not last and last.time - each.time < SAME for each in failed):
                raise Tie
            last.result()
        return None

    # Regions

    def fire_try(self, node: str, scope: Scope, stops: frozenset[str]) -> Sequence[str]:
        try:
            arrived = self.try_body(node, scope, stops)
        except (Failed, Stopped, Cancelled):
            self.run_finally(node, scope, stops)
            raise
        self.run_finally(node, scope, stops)
        return self.flow.targets(node, "done") if arrived is None else (arrived,)

    def try_body(self, node: str, scope: Scope, stops: frozenset[str]) -> str | None:
        try:
            return self.walk_port(node, "try", scope, stops | self.flow.outside(node, "try"))
        except Failed as failed:
            if not self.flow.targets(node, "catch"):
                raise
            scope.errors[node] = failed.error
            self.record(node, scope, status="success", port="catch")
        return self.walk_port(node, "catch", scope, stops | self.flow.outside(node, "catch"))

    def run_finally(self, node: str, scope: Scope, stops: frozenset[str]) -> None:
        outside = stops | self.flow.outside(node, "finally")
        arrived = self.walk_port(node, "finally", scope, outside)
        if arrived is not None:
            raise IllFormed(f"{node}: finally leads to {arrived}")

    def fire_retry(self, node: str, scope: Scope, stops: frozenset[str]) -> Sequence[str]:
        try:
            policy = Policy.of(self.parameters(node, scope))
        except Failed as failed:
            return self.failed(node, failed, scope)
        try:
            arrived = self.repeat(node, policy, scope, stops)
        except (Stopped, Cancelled):
            self.record(node, scope, status="cancelled", port=None)
            raise
        except Failed as failed:
            return self.failed(node, failed, scope)
        self.record(node, scope, status="success", port="done")
        return self.flow.targets(node, "done") if arrived is None else (arrived,)

    def repeat(self, node: str, policy: Policy, scope: Scope, stops: frozenset[str]) -> str | None:
        """Tries the body until it succeeds or the policy gives up."""
        body, path = self.flow.region(node, "attempt"), scope.path
        stops = stops | self.flow.outside(node, "attempt")
        for attempt in policy.attempts():
            scope.forget(body)
            scope.path = path if attempt == 1 else f"{path}#{attempt}"
            try:
                return self.walk_port(node, "attempt", scope, stops)
            except Failed as failed:
                if not policy.tries_again(failed.error, attempt):
                    raise
                scope.pause(policy.delay_after(attempt))
            finally:
                scope.path = path
        raise AssertionError(node)

    def fire_for_each(self, node: str, scope: Scope, stops: frozenset[str]) -> Sequence[str]:
        try:
            parameters = self.parameters(node, scope, skip=("result",))
            items = parameters["items"]
            if not isinstance(items, list):
                raise failure("items is no list", "forEach.items", node)
            value = iterate(self, node, parameters, items, scope)
        except (Stopped, Cancelled):
            self.record(node, scope, status="cancelled", port=None)
            raise
        except Failed as failed:
            return self.failed(node, failed, scope)
        scope.values[node] = value
        self.record(node, scope, status="success", port="completed", output=value)
        return self.flow.targets(node, "completed")

    def iteration(self, node: str, scope: Scope) -> Any:
        arrived = self.walk_port(node, "iteration", scope, self.flow.outside(node, "iteration"))
        if arrived is not None:
            raise IllFormed(f"{node}: the body leads to {arrived}")
        parameters = self.flow.nodes[node].get("parameters", {})
        if "result" in parameters:
            try:
                return self.evaluated(node, parameters["result"], scope)
            except Failed:
                self.record(node, scope, status="error", port=None, input=NOTHING)
                raise
        last = self.last_action(node)
        return scope.value(last) if last else None

    def last_action(self, loop: str) -> str | None:
        """The action a body ends with on every path, if there is one."""
        body = self.flow.region(loop, "iteration")
        ends = [node for node in body if not any(wire.source == node for wire in self.flow.signals)]
        return ends[0] if len(ends) == 1 else None

    # Single nodes

    def fire_choice(self, node: str, scope: Scope) -> Sequence[str]:
        spec = self.flow.nodes[node]
        parameters = spec.get("parameters", {})
        try:
            if spec["type"] == "logic.if":
                port = "true" if condition(self, node, parameters["condition"], scope) else "false"
            else:
                port = case(self, node, parameters, scope)
        except Failed:
            self.record(node, scope, status="error", port=None, input=NOTHING)
            raise
        self.record(node, scope, status="success", port=port)
        return self.flow.targets(node, port)

    def fire_stop(self, node: str, scope: Scope) -> None:
        parameters = self.parameters(node, scope)
        if parameters.get("status", "success") == "success":
            self.record(node, scope, status="success", port=None)
            raise Stopped
        self.record(node, scope, status="error", port=None)
        raise failure(parameters.get("message") or "The workflow was stopped", "stopped", node)

    def fire_action(self, node: str, scope: Scope) -> Sequence[str]:
        try:
            parameters = self.parameters(node, scope)
        except Failed as failed:
            return self.failed(node, failed, scope)
        shown = SHOWN[self.flow.nodes[node]["type"]](parameters)
        try:
            port, value = self.perform(node, parameters, scope)
        except Cancelled:
            self.record(node, scope, status="cancelled", port=None, input=shown)
            raise
        except Failed as failed:
            return self.failed(node, failed, scope, shown)
        scope.values[node] = value
        kept = {"port": port, "value": value} if parameters.get("outputs") else value
        self.record(node, scope, status="success", port=port, input=shown, output=kept)
        return self.flow.targets(node, port)

    def perform(self, node: str, parameters: dict[str, Any], scope: Scope) -> tuple[str, Any]:
        """Runs an action under its retry policy."""
        spec = self.flow.nodes[node]
        policy = Policy.of(spec["retry"]) if "retry" in spec else Policy()
        for attempt in policy.attempts():
            try:
                return ACTIONS[spec["type"]](self, node, parameters, scope)
            except Failed as failed:
                failed.error["attempts"] = attempt
                if not policy.tries_again(failed.error, attempt):
                    raise
                scope.pause(policy.delay_after(attempt))
        raise AssertionError(node)

    def failed(
        self, node: str, failed: Failed, scope: Scope, shown: Any = NOTHING
    ) -> Sequence[str]:
        """A node has failed: its `failure` handles it, or it propagates."""
        targets = self.flow.targets(node, "failure")
        port = "failure" if targets else None
        self.record(node, scope, status="error", port=port, input=shown)
        if not targets:
            raise failed
        scope.errors[node] = failed.error
        return targets

    def record(
        self,
        node: str,
        scope: Scope,
        *,
        status: str,
        port: str | None,
        input: Any = ANYTHING,
        output: Any = ANYTHING,
    ) -> None:
        if scope.time > scope.cancel_at - SAME:
            raise Tie
        scope.trace.append(
            Step(
                node + scope.path,
                self.flow.nodes[node]["type"],
                status,
                port,
                copy.deepcopy(input),
                copy.deepcopy(output),
                scope.time,
            )
        )

    # Parameters

    def parameters(self, node: str, scope: Scope, skip: Sequence[str] = ()) -> dict[str, Any]:
        """A node's parameters, data wires included. What fails here is the node's failure."""
        raw = dict(self.flow.nodes[node].get("parameters", {}))
        evaluated = {
            name: value if name in {"code", "outputs"} else self.evaluated(node, value, scope)
            for name, value in raw.items()
            if name not in skip
        }
        for wire in self.flow.data:
            if wire.target == node:
                evaluated[wire.target_port] = self.wired(wire.source, wire.source_port, scope)
        return evaluated

    def wired(self, source: str, port: str, scope: Scope) -> Any:
        value = self.names(scope).node(source)
        if self.flow.nodes[source]["type"] == "logic.forEach":
            return value[port]
        return value

    def evaluated(self, node: str, value: Any, scope: Scope) -> Any:
        try:
            return evaluate(value, self.names(scope))
        except (LookupError, TypeError, ValueError, ArithmeticError) as exc:
            raise failure(ANYTHING, "expression", node) from exc

    def names(self, scope: Scope) -> Names:
        return Names(self.flow, scope, self.interpreter.surroundings)
