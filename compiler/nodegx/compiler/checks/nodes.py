"""Nodes: ids, types, names, parameters, and the signals that parameters declare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from nodegx.compiler.checked import CheckedNode
from nodegx.compiler.diagnostics import Pointer, did_you_mean, quoted
from nodegx.compiler.graph import Value
from nodegx.compiler.model import NodeSpec
from nodegx.compiler.names import node_names
from nodegx.runtime.catalog import CATALOG, lookup
from nodegx.runtime.catalog.types import DONE, Kind, NodeType

from .draft import Draft
from .findings import Findings
from .parameters import check_alternatives, parse_members
from .rules import RULES
from .values import Place, items_of, members_of

MAX_PORT_NAME: Final = 100


@dataclass(slots=True)
class NodeDraft:
    """A node of a known type on its way through the passes."""

    spec: NodeSpec
    type: NodeType
    pointer: Pointer
    index: int
    name: str = ""
    params: dict[str, Value] = field(default_factory=dict[str, Value])
    signals: tuple[str, ...] = ()
    wired: dict[str, Pointer] = field(default_factory=dict[str, Pointer])

    def finish(self) -> CheckedNode:
        """The node as the later stages see it, parameters in the order of their declarations."""
        retry = self.spec.retry
        return CheckedNode(
            id=self.spec.id,
            name=self.name,
            type=self.type,
            spec=self.spec,
            pointer=self.pointer,
            index=self.index,
            params={
                param.name: self.params[param.name]
                for param in self.type.params
                if param.name in self.params
            },
            signals=self.signals,
            wired=self.wired,
            retry=None if retry is None else retry.policy(),
            timeout=self.spec.timeout,
        )


def resolve_nodes(draft: Draft, findings: Findings) -> dict[str, NodeDraft]:
    """The nodes by id, those of unknown types left out and noted as broken."""
    nodes: dict[str, NodeDraft] = {}
    first: dict[str, int] = {}
    for index, spec in draft.nodes:
        pointer = (*draft.pointer, "nodes", index)
        findings.node = spec.id
        if spec.id in first:
            message = f"the id {quoted(spec.id)} belongs to nodes[{first[spec.id]}] already"
            hint = "every node of a workflow needs an id of its own"
            findings.error("NX302", message, (*pointer, "id"), hint=hint)
            continue
        first[spec.id] = index
        node_type = lookup(spec.type)
        if node_type is None:
            message = f"unknown node type {quoted(spec.type)}"
            hint = partial(_type_hint, spec.type)
            findings.error("NX301", message, (*pointer, "type"), hint=hint)
            draft.broken.add(spec.id)
            continue
        nodes[spec.id] = NodeDraft(spec, node_type, pointer, index)
    names = node_names((node.spec.id, node.spec.label) for node in nodes.values())
    for node, name in zip(nodes.values(), names, strict=True):
        node.name = name
    return nodes


def _type_hint(name: str) -> str:
    by_last = {known.rsplit(".", 1)[-1].lower(): known for known in CATALOG}
    close = did_you_mean(name, CATALOG) or by_last.get(name.rsplit(".", 1)[-1].lower())
    return f'did you mean "{close}"?' if close else "`nodegx nodes` lists all node types"


def check_parameters(node: NodeDraft, findings: Findings) -> None:
    """Parses the parameters and all that hangs on them; the node's data wires are known already."""
    spec, declared = node.spec, node.type
    findings.node = spec.id
    place = Place((*node.pointer, "parameters") if spec.parameters else node.pointer, "")
    parsed = parse_members(declared.params, spec.parameters, place, findings, wired=node.wired)
    node.params = {**parsed, **{key: node.params[key] for key in node.wired}}
    given = {*spec.parameters, *node.wired}
    check_alternatives(declared.alternatives, given, place, findings)
    if (rule := RULES.get(declared.type)) is not None:
        rule(spec.parameters, place, findings)
    node.signals = _signals(node, findings)
    if declared.kind is not Kind.ACTION:
        _refuse_step_settings(node, findings)


def _refuse_step_settings(node: NodeDraft, findings: Findings) -> None:
    """Tries and time limits belong to steps."""
    for key, value in (("retry", node.spec.retry), ("timeout", node.spec.timeout)):
        if value is not None:
            message = f"{node.type.type} has no `{key}`: it is not a single step"
            hint = f"set `{key}` on the steps themselves, or on the workflow's settings"
            findings.error("NX309", message, (*node.pointer, key), hint=hint, key=True)


def _signals(node: NodeDraft, findings: Findings) -> tuple[str, ...]:
    """All signal outputs, and findings about names that cannot be told apart."""
    static = [signal.name for signal in node.type.signals_out]
    source = node.type.dynamic_outputs
    if source is None:
        return tuple(static)
    pointer = (*node.pointer, "parameters", source)
    dynamic: list[str] = []
    entries = list(_dynamic_names(node.spec.parameters.get(source), pointer))
    if entries and node.type.kind is Kind.ACTION:
        static = [name for name in static if name != DONE.name]
    for name, place in entries:
        if name in static or name in dynamic:
            taken = "stands in the list twice" if name in dynamic else "exists without being listed"
            findings.error("NX320", f"the output {quoted(name)} {taken}", place)
        elif not name or len(name) > MAX_PORT_NAME or not name.isprintable():
            message = "the name of an output is one line of at most 100 characters"
            findings.error("NX320", message, place)
        else:
            dynamic.append(name)
    return (*static, *dynamic)


def _dynamic_names(value: Any, pointer: Pointer) -> Iterable[tuple[str, Pointer]]:
    for index, entry in enumerate(items_of(value) if isinstance(value, list) else []):
        place: Pointer = (*pointer, index)
        name: Any = entry
        if isinstance(entry, dict):
            name, place = members_of(entry).get("name"), (*place, "name")
        if isinstance(name, str):
            yield name, place
