"""The third stage: a checked workflow becomes a graph that says everything outright."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath
from typing import Any

from nodegx.runtime.catalog.types import FAILURE, Kind, Param

from .checked import CheckedNode, CheckedWorkflow
from .durability import is_durable, suspends
from .graph import Graph, GraphNode, Literal, Value, member
from .source import Source


def lower(
    workflow: CheckedWorkflow, source: Source | None = None, durable: Collection[str] = ()
) -> Graph:
    """The graph of a workflow.

    Args:
        workflow: the workflow, checked.
        source: the file it stands in; its name is shown in the handler.
        durable: names of the workflows that are known to be durable.
    """
    nodes = [
        _node(node, workflow.wires.get(node.id, {}).keys()) for node in workflow.nodes.values()
    ]
    steps = {node.id: node for node in nodes if not node.is_pure}
    return Graph(
        name=workflow.name,
        slug=workflow.slug,
        nodes=steps,
        triggers=workflow.triggers,
        wires=workflow.wires,
        settings=workflow.settings.runtime()._replace(durable=is_durable(workflow, durable)),
        source=source_name(source),
        description=workflow.spec.description,
        pure={node.id: node for node in nodes if node.is_pure},
        calls=_called(nodes),
        emits=_targets(nodes, "workflow.emit", "event"),
        suspends=suspends(workflow, durable),
    )


def source_name(source: Source | None) -> str:
    """How a file is named in what is made from it: with its directory only, as the rest of the path
    depends on the machine."""
    if source is None or source.path is None:
        return ""
    return "/".join(PurePath(source.path).parts[-2:])


def _node(node: CheckedNode, wired: Collection[str]) -> GraphNode:
    """A node; `wired` are its signal outputs that lead anywhere."""
    params = _with_defaults(node)
    return GraphNode(
        id=node.id,
        name=node.name,
        type=node.type,
        params=params,
        pointer=node.pointer,
        label=node.spec.label,
        signals=node.signals,
        retry=node.retry,
        timeout=node.timeout,
        index=node.index,
        call=node.type.call_for(_literals(params)),
        routed=node.type.kind is Kind.ACTION and _chooses(node, wired),
        wired=node.wired,
    )


def _with_defaults(node: CheckedNode) -> dict[str, Value]:
    """The parameters in the order of their declarations, with the defaults of those left out."""
    params: dict[str, Value] = {}
    for param in node.type.params:
        if param.name in node.params:
            params[param.name] = node.params[param.name]
        elif param.default is not None and _applies(param, node):
            params[param.name] = Literal(param.default)
    return params


def _applies(param: Param, node: CheckedNode) -> bool:
    """Whether a parameter means anything beside its siblings."""
    if param.when is None:
        return True
    value = node.params.get(param.when.param)
    if value is None and (sibling := node.type.param(param.when.param)) is not None:
        value = Literal(sibling.default)
    return isinstance(value, Literal) and value.value in param.when.values


def _literals(params: dict[str, Value]) -> dict[str, Any]:
    return {name: value.value for name, value in params.items() if isinstance(value, Literal)}


def _chooses(node: CheckedNode, wired: Collection[str]) -> bool:
    """Whether an action goes one of several ways that are no failure."""
    optional = (signal.name for signal in node.type.signals_out if signal.optional)
    if any(name in wired and name != FAILURE.name for name in optional):
        return True
    if node.type.dynamic_outputs is None:
        return False
    listed = node.params.get(node.type.dynamic_outputs)
    return isinstance(listed, Literal) and bool(listed.value)


def _called(nodes: list[GraphNode]) -> tuple[str | None, ...]:
    """The workflows that nodes call, or ask whether a condition holds."""
    asked = (member(node.params.get("poll"), "workflow") for node in nodes)
    polled = [value.value for value in asked if isinstance(value, Literal)]
    return tuple(dict.fromkeys([*_targets(nodes, "workflow.call", "workflow"), *polled]))


def _targets(nodes: list[GraphNode], node_type: str, param: str) -> tuple[str | None, ...]:
    """What the nodes of a type name in a parameter, each once, in file order."""
    named = [node.literal(param) for node in nodes if node.type.type == node_type]
    return tuple(dict.fromkeys(named))
