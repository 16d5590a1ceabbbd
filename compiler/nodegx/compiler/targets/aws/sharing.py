"""What triggers of different workflows share on AWS: paths, queues, buckets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from nodegx.compiler.manifest import Manifest

from .findings import Findings
from .plan import FileTrigger, Function, HttpTrigger, QueueTrigger, Trigger

DATA_BUCKET = "data"
"""Name of the bucket that every project has."""

T = TypeVar("T", bound=Trigger)
_Change = Callable[[Function, Trigger], Trigger]


def settle(
    functions: Sequence[Function], manifests: Mapping[str, Manifest], findings: Findings
) -> list[Function]:
    """The functions with triggers that AWS can tell apart.

    Args:
        functions: all functions of a project.
        manifests: their manifests by slug.
        findings: takes what cannot be shared.
    """
    _check_queues(functions, manifests, findings)
    _check_files(functions, manifests, findings)
    owned = _own_routes(functions, manifests, findings)
    return [_map(function, _distinct_notification(functions)) for function in owned]


def _own_routes(
    functions: Sequence[Function], manifests: Mapping[str, Manifest], findings: Findings
) -> list[Function]:
    """Gives every route to one trigger. Two workflows at one path both want the browsers' question
    (OPTIONS); the first gets it, and answers for its own methods alone."""
    owners: dict[str, Function] = {}
    taken: set[str] = set()

    def own(function: Function, trigger: Trigger) -> Trigger:
        if not isinstance(trigger, HttpTrigger):
            return trigger
        for route in trigger.routes:
            owner = owners.setdefault(route, function)
            if owner is not function and route.startswith("OPTIONS "):
                findings.warn(
                    manifests[function.slug],
                    "NX705",
                    f"{route} is answered by {owner.workflow}, so pages of other origins cannot "
                    "use the methods of this workflow",
                    "give the two workflows different paths, or make them one",
                    node=trigger.node,
                    param="cors",
                )
        routes = tuple(route for route in trigger.routes if route not in taken)
        taken.update(routes)
        return replace(trigger, routes=routes)

    return [_map(function, own) for function in functions]


def _check_queues(
    functions: Sequence[Function], manifests: Mapping[str, Manifest], findings: Findings
) -> None:
    owners: dict[str, Function] = {}
    for function, trigger in _each(functions, QueueTrigger):
        owner = owners.setdefault(trigger.queue, function)
        if owner is not function:
            findings.error(
                manifests[function.slug],
                "NX705",
                f"the queue {trigger.queue} is read by {owner.workflow} already",
                "a message goes to one reader only: emit an event that both listen to",
                node=trigger.node,
                param="queue",
            )


def _check_files(
    functions: Sequence[Function], manifests: Mapping[str, Manifest], findings: Findings
) -> None:
    """S3 refuses two notifications that could both be meant by one object."""
    seen: list[tuple[Function, FileTrigger]] = []
    for function, trigger in _each(functions, FileTrigger):
        if trigger.bucket == DATA_BUCKET:
            findings.error(
                manifests[function.slug],
                "NX705",
                f'the bucket "{DATA_BUCKET}" is the one where the history keeps what is large',
                "choose another name",
                node=trigger.node,
                param="bucket",
            )
        for other, earlier in seen:
            if _overlap(trigger, earlier):
                findings.error(
                    manifests[function.slug],
                    "NX705",
                    f"{other.workflow} may be started by the same files",
                    "choose prefixes or suffixes that no file can both have",
                    node=trigger.node,
                    param="bucket",
                )
        seen.append((function, trigger))


def _overlap(one: FileTrigger, other: FileTrigger) -> bool:
    return (
        one.bucket == other.bucket
        and any(_same_event(a, b) for a in one.events for b in other.events)
        and _one_begins_other(one.prefix, other.prefix)
        and _one_begins_other(one.suffix[::-1], other.suffix[::-1])
    )


def _same_event(one: str, other: str) -> bool:
    wild = one.endswith("*") or other.endswith("*")
    return one == other or (
        wild and _one_begins_other(one.removesuffix("*"), other.removesuffix("*"))
    )


def _one_begins_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _distinct_notification(functions: Sequence[Function]) -> _Change:
    """Ids of notifications are those of their triggers, but where a bucket would have one twice."""
    used = Counter((trigger.bucket, trigger.node) for _, trigger in _each(functions, FileTrigger))

    def change(function: Function, trigger: Trigger) -> Trigger:
        if isinstance(trigger, FileTrigger) and used[trigger.bucket, trigger.node] > 1:
            return replace(trigger, notification=f"{function.slug}.{trigger.node}")
        return trigger

    return change


def _map(function: Function, change: _Change) -> Function:
    return replace(function, triggers=tuple(change(function, each) for each in function.triggers))


def _each(functions: Iterable[Function], kind: type[T]) -> Iterator[tuple[Function, T]]:
    for function in functions:
        for trigger in function.triggers:
            if isinstance(trigger, kind):
                yield function, trigger
