"""Derives the manifest of a workflow from its graph."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from nodegx.runtime.catalog.types import UNKNOWN
from nodegx.runtime.node import Retry

from .checked import CheckedWorkflow
from .continuing import continues
from .durability import is_durable
from .expressions import Reference, references
from .expressions.syntax import Template
from .graph import DictValue, Graph, GraphNode, ListValue, Literal, Value
from .manifest import (
    ConnectionEntry,
    HandlerRef,
    Manifest,
    NodeEntry,
    RetryEntry,
    SettingsEntry,
    TriggerEntry,
)
from .references import secret_name
from .sourcemap import Span, first_lines

ANY_NAME = "*"
"""Stands for a name that only the run will tell."""


def derive(
    graph: Graph, workflow: CheckedWorkflow, spans: Sequence[Span], handler: str
) -> Manifest:
    """The manifest of a workflow.

    Args:
        graph: the workflow, lowered.
        workflow: the same, as the file has it: places on the canvas, wires.
        spans: the handler's source map.
        handler: name of the handler function.
    """
    lines = first_lines(spans)
    nodes = list(graph.everything())
    named = list(_named(nodes))
    return Manifest(
        name=graph.name,
        slug=graph.slug,
        description=graph.description,
        revision=revision(workflow, durable=graph.settings.durable),
        source=graph.source,
        handler=HandlerRef(function=handler),
        settings=_settings(graph, workflow),
        triggers=[_trigger(graph.nodes[node]) for node in graph.triggers],
        nodes=[_node(node, workflow, lines) for node in nodes],
        connections=_connections(workflow),
        emits=_sorted(name or ANY_NAME for name in graph.emits),
        listens=_sorted(_texts(nodes, "trigger.event", "event")),
        calls=_sorted(name or ANY_NAME for name in _called(graph)),
        secrets=_keys(named, "secrets"),
        vars=_keys(named, "vars"),
        env=_keys(named, "env"),
        packages=_packages(nodes),
        responds=any(node.type.type == "cloud.response" for node in nodes),
        suspends=graph.suspends,
        continues=continues(graph),
        awaits_requests=any(_is_request_wait(node) for node in nodes),
    )


def revision(workflow: CheckedWorkflow, *, durable: bool) -> str:
    """A hash of everything the file says about a workflow, and of what the file does not say:
    whether workflows that it calls make it durable."""
    document = workflow.spec.model_dump(mode="json", by_alias=True)
    if document["settings"]["durable"] is None:
        del document["settings"]["durable"]
    if durable and not is_durable(workflow):
        document["callsDurable"] = True
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_request_wait(node: GraphNode) -> bool:
    return node.type.type == "logic.wait" and "webhook" in node.params


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _called(graph: Graph) -> list[str | None]:
    """Workflows that a run may call: those of its nodes, and the one that is told of failures."""
    on_error = graph.settings.on_error
    return [*graph.calls, *([on_error] if on_error else [])]


# ---------------------------------------------------------------------------------- entries


def _settings(graph: Graph, workflow: CheckedWorkflow) -> SettingsEntry:
    settings = graph.settings
    return SettingsEntry(
        timeout=settings.timeout,
        memory=settings.memory,
        concurrency=settings.concurrency,
        capture=settings.capture,
        retention_days=workflow.settings.history.retention_days,
        redact=list(settings.redact),
        max_bytes=settings.max_bytes,
        on_error=settings.on_error,
        retry=None if settings.retry is None else _retry(settings.retry),
        timezone=settings.timezone,
        durable=settings.durable,
    )


def _retry(policy: Retry) -> RetryEntry:
    return RetryEntry.model_validate({**policy._asdict(), "on": list(policy.on)})


def _trigger(node: GraphNode) -> TriggerEntry:
    config = {name: to_json(value) for name, value in node.params.items()}
    if "idempotency" in config:
        config["idempotency"] = _idempotency(node, config["idempotency"])
    return TriggerEntry(node=node.id, type=node.type.type, config=config)


def _idempotency(node: GraphNode, given: dict[str, Any]) -> dict[str, Any]:
    """How a trigger tells repeats, with defaults. The key itself is in the handler (`keys`)."""
    declared = node.type.param("idempotency")
    fields = (declared.fields if declared is not None else None) or ()
    plain = {field.name: given.get(field.name, field.default) for field in fields}
    has_key = plain.pop("key") is not None
    return {**plain, "hasKey": has_key}


def _node(node: GraphNode, workflow: CheckedWorkflow, lines: dict[str, int]) -> NodeEntry:
    spec = workflow.nodes[node.id].spec
    return NodeEntry(
        id=node.id,
        name=node.name,
        type=node.type.type,
        label=node.label,
        x=spec.x,
        y=spec.y,
        line=lines.get(node.id),
    )


def _connections(workflow: CheckedWorkflow) -> list[ConnectionEntry]:
    return [
        ConnectionEntry(
            source_id=wire.source_id,
            source_port=wire.source_port,
            target_id=wire.target_id,
            target_port=wire.target_port,
        )
        for wire in workflow.spec.connections
    ]


def to_json(value: Value) -> Any:
    """A parameter as JSON. A secret is `{"$secret": name}`; other templates keep their text."""
    match value:
        case Literal():
            return list(cast("Any", value.value)) if isinstance(value.value, tuple) else value.value
        case ListValue():
            return [to_json(item) for item in value.items]
        case DictValue():
            return {key: to_json(member) for key, member in value.items}
        case Template():
            secret = secret_name(value)
            return value.text if secret is None else {"$secret": secret}
        case _:
            return None


# ----------------------------------------------------------------------------------- facts


def _named(nodes: Iterable[GraphNode]) -> Iterator[Reference]:
    """Every name that an expression reads."""
    for node in nodes:
        for value in node.params.values():
            for template in _templates(value):
                yield from references(template)


def _templates(value: Value) -> Iterator[Template]:
    match value:
        case Template():
            yield value
        case ListValue(items=items):
            for item in items:
                yield from _templates(item)
        case DictValue(items=members):
            for _, member in members:
                yield from _templates(member)
        case _:
            return


def _keys(named: Iterable[Reference], root: str) -> list[str]:
    return _sorted(str(found.path[0]) for found in named if found.root == root and found.path)


def _texts(nodes: Iterable[GraphNode], node_type: str, param: str) -> Iterator[str]:
    for node in nodes:
        if node.type.type == node_type:
            yield str(node.literal(param) or ANY_NAME)


def _packages(nodes: Iterable[GraphNode]) -> list[str]:
    found: set[str] = set()
    for node in nodes:
        plain = {
            name: value.value if isinstance(value, Literal) else UNKNOWN
            for name, value in node.params.items()
        }
        found.update(node.type.packages_for(plain))
        if node.type.type == "code.python":
            found.update(str(package) for package in node.literal("packages") or ())
    return sorted(found)
