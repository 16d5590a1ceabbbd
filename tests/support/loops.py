"""`logic.forEach` for the interpreter: when each iteration starts, and which are cut off."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.support.attempt import Attempt, check_clean_up
from tests.support.scope import NEVER, SAME, Cancelled, Failed, Scope, Stopped, Tie
from tests.support.trace import Parallel

if TYPE_CHECKING:
    from tests.support.interpreter import Walk


def iterate(
    walk: Walk, node: str, parameters: Mapping[str, Any], items: list[Any], scope: Scope
) -> dict[str, Any]:
    size = parameters.get("batchSize")
    batches = [items[i : i + size] for i in range(0, len(items), size)] if size else items
    tolerant = parameters.get("onItemError", "fail") == "continue"
    concurrent = int(parameters.get("concurrency", 1)) > 1
    free = [scope.time] * int(parameters.get("concurrency", 1))
    given, cut = scope.cancel_at, NEVER

    def attempt(index: int, item: Any, start: float, cancel_at: float) -> Attempt:
        child = scope.fork(time=start, cancel_at=cancel_at)
        child.loops = (*scope.loops, (node, item, index))
        child.path = f"{scope.path}[{index}]"
        return Attempt.of(child, lambda: walk.iteration(node, child))

    started: list[tuple[Any, float, Attempt]] = []
    cause: Attempt | None = None
    for index, item in enumerate(batches):
        start = heapq.heappop(free) if free else NEVER
        if start > min(cut, given) - SAME:
            if start < NEVER and abs(start - min(cut, given)) < SAME:
                raise Tie
            break
        each = attempt(index, item, start, given)
        started.append((item, start, each))
        if isinstance(each.raised, Stopped) or (isinstance(each.raised, Failed) and not tolerant):
            if each.time < cut:
                cut, cause = each.time, each
        else:
            heapq.heappush(free, each.time)
    attempts = [
        each
        if each is cause or each.time < cut - SAME or not concurrent
        else attempt(index, item, start, min(cut, given))
        for index, (item, start, each) in enumerate(started)
    ]
    if concurrent:
        scope.trace.append(Parallel([each.scope.trace for each in attempts]))
    else:
        for each in attempts:
            scope.trace.extend(each.scope.trace)
    for each in attempts:
        scope.count(each.scope)
    scope.time = max([scope.time, *(each.time for each in attempts)])
    if cause is not None:
        check_clean_up(cause, attempts, scope)
        cause.result()
    if len(attempts) < len(batches) or any(isinstance(each.raised, Cancelled) for each in attempts):
        scope.cancel_at = NEVER
        raise Cancelled
    return {
        "results": [each.value for each in attempts],
        "errors": [
            {"index": index, "message": each.raised.error["message"]}
            for index, each in enumerate(attempts)
            if isinstance(each.raised, Failed)
        ],
    }
