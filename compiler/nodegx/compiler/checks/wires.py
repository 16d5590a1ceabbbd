"""Wires: both ends exist, fit one another, and say nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nodegx.compiler.diagnostics import Pointer, listing, quoted, suggestion
from nodegx.compiler.graph import PortRef
from nodegx.compiler.model import Connection
from nodegx.runtime.catalog.types import Kind, Param, Type

from .draft import Draft
from .findings import Findings, Hint
from .nodes import NodeDraft

ERROR_PORT: Final = "error"
"""Data output of every node that can fail: what the failure was."""

_SETTLED: Final = frozenset({Type.PYTHON, Type.JSON_SCHEMA, Type.ITEM_EXPRESSION})
"""Types of parameters that are code rather than data."""

_FITS: Final[Mapping[Type, frozenset[Type]]] = {
    Type.NUMBER: frozenset({Type.INTEGER}),
    Type.DURATION: frozenset({Type.STRING, Type.NUMBER, Type.INTEGER}),
    Type.CONDITION: frozenset(Type),
}
"""Types of outputs that an input takes besides its own."""

SCOPE_TYPES: Final[Mapping[str, Type]] = {"index": Type.INTEGER}
"""Types of the data outputs that exist only inside the body of a loop."""


@dataclass(slots=True)
class Wires:
    """The wires of a workflow. `signals[source][port]` are targets in file order."""

    signals: dict[str, dict[str, list[str]]] = field(
        default_factory=dict[str, dict[str, list[str]]]
    )
    pointers: dict[tuple[str, str, str], Pointer] = field(
        default_factory=dict[tuple[str, str, str], Pointer]
    )
    pending: list[tuple[Connection, Pointer]] = field(
        default_factory=list[tuple[Connection, Pointer]]
    )


def data_outputs(node: NodeDraft) -> dict[str, Type]:
    """The data outputs of a node with their types."""
    outputs = {
        output.name: output.type
        for output in node.type.outputs
        if output.given is None or output.given in node.spec.parameters
    }
    for name in node.type.scope:
        outputs.setdefault(name, SCOPE_TYPES.get(name, Type.ANY))
    if can_fail(node):
        outputs.setdefault(ERROR_PORT, Type.OBJECT)
    return outputs


def can_fail(node: NodeDraft) -> bool:
    """Whether the node has an `error`."""
    signals = {signal.name for signal in node.type.signals_out}
    return bool(signals & {"failure", "catch"})


def connect_data(draft: Draft, nodes: Mapping[str, NodeDraft], findings: Findings) -> Wires:
    """Binds data wires to the parameters they feed. Wires of signals are left pending, as the
    signals of some nodes are known only when their parameters have been read."""
    wires = Wires()
    known = set(nodes) | draft.broken
    for index, wire in draft.connections:
        pointer = (*draft.pointer, "connections", index)
        findings.node = wire.target_id if wire.target_id in nodes else None
        source, target = nodes.get(wire.source_id), nodes.get(wire.target_id)
        _check_end(wire.source_id, known, (*pointer, "sourceId"), findings)
        _check_end(wire.target_id, known, (*pointer, "targetId"), findings)
        if source is None or target is None:
            wires.pending.append((wire, pointer))
            continue
        outputs = data_outputs(source)
        param = target.type.param(wire.target_port)
        if wire.source_port not in outputs or param is None:
            wires.pending.append((wire, pointer))
        else:
            _bind(wire, outputs[wire.source_port], target, param, pointer, findings)
    return wires


def _check_end(node_id: str, known: set[str], pointer: Pointer, findings: Findings) -> None:
    if node_id not in known:
        findings.error(
            "NX310",
            f"there is no node {quoted(node_id)}",
            pointer,
            hint=lambda: suggestion(node_id, sorted(known), "nodes"),
        )


def _bind(
    wire: Connection,
    given: Type,
    target: NodeDraft,
    param: Param,
    pointer: Pointer,
    findings: Findings,
) -> None:
    port = (*pointer, "targetPort")
    settled = param.literal or param.explicit or param.type in _SETTLED
    if target.type.kind is Kind.TRIGGER or settled:
        message = f"`{param.name}` takes no wire: its value must be known before the run"
        findings.error("NX307", message, port, hint=f"write `{param.name}` as a parameter")
    elif param.name in target.wired:
        message = f"`{param.name}` of {quoted(target.spec.id)} has a wire already"
        findings.error("NX314", message, port, hint="an input takes its data from one output")
        return
    elif not _fits(given, param.type):
        message = (
            f"{quoted(wire.source_port)} gives {_name(given)}, "
            f"but `{param.name}` takes {_name(param.type)}"
        )
        hint = "convert it in the parameter with an expression, in place of the wire"
        findings.error("NX313", message, pointer, hint=hint)
    target.wired[param.name] = pointer
    target.params[param.name] = PortRef(wire.source_id, wire.source_port)


def _fits(given: Type, wanted: Type) -> bool:
    if Type.ANY in {given, wanted} or given is wanted:
        return True
    return given in _FITS.get(wanted, frozenset())


def _name(kind: Type) -> str:
    return f"{'an' if kind.value[0] in 'aio' else 'a'} {kind.value}"


def connect_signals(wires: Wires, nodes: Mapping[str, NodeDraft], findings: Findings) -> None:
    """Resolves the pending wires, and tells what is wrong with those that are no signal wires."""
    for wire, pointer in wires.pending:
        source, target = nodes.get(wire.source_id), nodes.get(wire.target_id)
        if source is None or target is None:
            _check_single_end(wire, source, target, pointer, findings)
            continue
        findings.node = source.spec.id
        signals_in = [signal.name for signal in target.type.signals_in]
        if wire.source_port in source.signals and wire.target_port in signals_in:
            _add_signal(wires, wire, pointer, findings)
        elif _known_output(wire, source, pointer, findings):
            findings.node = target.spec.id
            if _known_input(wire, target, pointer, findings):
                _refuse_mixture(wire, source, target, pointer, findings)


def _check_single_end(
    wire: Connection,
    source: NodeDraft | None,
    target: NodeDraft | None,
    pointer: Pointer,
    findings: Findings,
) -> None:
    """Looks at one end of a wire whose other end is unknown or broken."""
    if source is not None:
        findings.node = source.spec.id
        _known_output(wire, source, pointer, findings)
    if target is not None:
        findings.node = target.spec.id
        _known_input(wire, target, pointer, findings)


def _add_signal(wires: Wires, wire: Connection, pointer: Pointer, findings: Findings) -> None:
    key = (wire.source_id, wire.source_port, wire.target_id)
    if key in wires.pointers:
        message = f"{quoted(wire.source_port)} is wired to {quoted(wire.target_id)} already"
        findings.error("NX315", message, pointer, hint="remove one of the two wires")
        return
    wires.pointers[key] = pointer
    ports = wires.signals.setdefault(wire.source_id, {})
    ports.setdefault(wire.source_port, []).append(wire.target_id)


def _known_output(
    wire: Connection, source: NodeDraft, pointer: Pointer, findings: Findings
) -> bool:
    outputs = [*source.signals, *data_outputs(source)]
    if wire.source_port in outputs:
        return True
    message = (
        f"{source.type.type} {quoted(source.spec.id)} has no output {quoted(wire.source_port)}"
    )
    findings.error(
        "NX311",
        message,
        (*pointer, "sourcePort"),
        hint=lambda: _port_hint(wire.source_port, outputs, "outputs"),
    )
    return False


def _known_input(
    wire: Connection,
    target: NodeDraft,
    pointer: Pointer,
    findings: Findings,
) -> bool:
    signals_in = (signal.name for signal in target.type.signals_in)
    inputs = [*signals_in, *(param.name for param in target.type.params)]
    if wire.target_port in inputs:
        return True
    message = f"{target.type.type} {quoted(target.spec.id)} has no input {quoted(wire.target_port)}"
    hint: Hint = lambda: _port_hint(wire.target_port, inputs, "inputs")  # noqa: E731
    if target.type.kind is Kind.TRIGGER:
        hint = "triggers start the workflow: no wire leads to them"
    elif target.type.kind is Kind.PURE:
        hint = "it needs no signal: use its value where it is needed"
    findings.error("NX311", message, (*pointer, "targetPort"), hint=hint)
    return False


def _port_hint(port: str, ports: list[str], what: str) -> str:
    hint = suggestion(port, ports, what)
    return f"{hint} {what}: {listing(ports)}" if hint.startswith("did") else hint


def _refuse_mixture(
    wire: Connection, source: NodeDraft, target: NodeDraft, pointer: Pointer, findings: Findings
) -> None:
    is_signal = wire.source_port in source.signals
    kinds = ("a signal", "data") if is_signal else ("data", "a signal")
    message = (
        f"{quoted(wire.source_port)} is {kinds[0]}, {quoted(wire.target_port)} takes {kinds[1]}"
    )
    inputs = target.type.signals_in if is_signal else target.type.params
    hint = f"wire it to one of: {listing(port.name for port in inputs)}" if inputs else ""
    findings.error("NX312", message, pointer, hint=hint)
