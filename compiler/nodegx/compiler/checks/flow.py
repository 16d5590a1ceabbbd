"""The flow as a whole: something starts it, everything is reached, nothing runs in circles."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from nodegx.compiler.diagnostics import Pointer, listing, quoted
from nodegx.compiler.expressions import references
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import DictValue, ListValue, PortRef, Value
from nodegx.runtime.catalog.types import Kind

from .findings import Findings
from .nodes import NodeDraft
from .wires import Wires

Edges = Mapping[str, Iterable[str]]


def check_flow(
    nodes: Mapping[str, NodeDraft],
    wires: Wires,
    pointer: Pointer,
    findings: Findings,
    *,
    complete: bool,
) -> None:
    """Looks at the signals of a workflow.

    Args:
        nodes: its nodes.
        wires: its wires.
        pointer: its place in the document.
        findings: where faults are noted.
        complete: whether all nodes and wires are known; if not, nothing is said about what might
            only seem to be missing.
    """
    findings.node = None
    triggers = [key for key, node in nodes.items() if node.type.kind is Kind.TRIGGER]
    edges = {
        source: [target for targets in ports.values() for target in targets]
        for source, ports in wires.signals.items()
    }
    if complete and not triggers:
        hint = "add a trigger, such as trigger.webhook, trigger.schedule or trigger.manual"
        findings.error("NX317", "nothing starts this workflow", (*pointer, "nodes"), hint=hint)
    elif complete:
        _warn_unreached(nodes, edges, triggers, findings)
    for cycle in find_cycles(nodes, edges):
        _report_cycle(cycle, wires, findings)
    for cycle in find_cycles(nodes, _value_edges(nodes)):
        _report_value_cycle(cycle, nodes, findings)
    findings.node = None


def _warn_unreached(
    nodes: Mapping[str, NodeDraft], edges: Edges, triggers: list[str], findings: Findings
) -> None:
    reached = set(triggers)
    pending = deque(triggers)
    while pending:
        for target in edges.get(pending.popleft(), ()):
            if target not in reached:
                reached.add(target)
                pending.append(target)
    for key, node in nodes.items():
        if key not in reached and node.type.kind is not Kind.PURE:
            findings.node = key
            message = f"{quoted(key)} never runs: no signal reaches it"
            findings.warning(
                "NX316", message, node.pointer, hint="wire a signal to it, or remove it"
            )


def find_cycles(nodes: Iterable[str], edges: Edges) -> list[list[str]]:
    """One cycle of each group of nodes that lead to one another, from its first node in file order
    through to the one before it comes back."""
    cycles: list[list[str]] = []
    for group in _groups(nodes, edges):
        start = group[0]
        members = set(group)
        if (path := _way_back(start, members, edges)) is not None:
            cycles.append(path)
    return cycles


def _groups(nodes: Iterable[str], edges: Edges) -> list[list[str]]:
    """Strongly connected components, by Tarjan's algorithm without recursion; nodes and groups in
    the order of `nodes`."""
    order = {key: index for index, key in enumerate(nodes)}
    numbers: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    groups: list[list[str]] = []
    for root in order:
        if root in numbers:
            continue
        work = [(root, iter(tuple(edges.get(root, ()))))]
        numbers[root] = low[root] = len(numbers)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in numbers:
                    numbers[target] = low[target] = len(numbers)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(tuple(edges.get(target, ())))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], numbers[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == numbers[node]:
                    group = [stack.pop()]
                    while group[-1] != node:
                        group.append(stack.pop())
                    on_stack.difference_update(group)
                    groups.append(sorted(group, key=order.__getitem__))
    return sorted(groups, key=lambda group: order[group[0]])


def _way_back(start: str, members: set[str], edges: Edges) -> list[str] | None:
    """The shortest way from `start` to itself among `members`."""
    came_from: dict[str, str] = {}
    pending = deque([start])
    while pending:
        node = pending.popleft()
        for target in edges.get(node, ()):
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target in members and target not in came_from:
                came_from[target] = node
                pending.append(target)
    return None


def _report_cycle(cycle: list[str], wires: Wires, findings: Findings) -> None:
    last, first = cycle[-1], cycle[0]
    pointer = next(
        place
        for (source, _, target), place in wires.pointers.items()
        if (source, target) == (last, first)
    )
    findings.node = first
    findings.error(
        "NX501",
        f"signals run in a circle: {_circle(cycle)}",
        pointer,
        hint="to repeat steps use logic.forEach, to try again use logic.retry",
    )


def _report_value_cycle(
    cycle: list[str], nodes: Mapping[str, NodeDraft], findings: Findings
) -> None:
    findings.node = cycle[0]
    message = f"values are made of one another: {_circle(cycle)}"
    findings.error("NX501", message, nodes[cycle[0]].pointer, hint="compute one of them otherwise")


def _circle(cycle: list[str]) -> str:
    shown = cycle if len(cycle) <= 8 else [*cycle[:7], "…"]
    return " → ".join([listing([key]) for key in shown] + [listing([cycle[0]])])


def _value_edges(nodes: Mapping[str, NodeDraft]) -> dict[str, list[str]]:
    """Which pure nodes are made of the values of which."""
    pure = {key: node for key, node in nodes.items() if node.type.kind is Kind.PURE}
    by_name = {node.name: key for key, node in pure.items()}
    return {
        key: [
            used for value in node.params.values() for used in _used(value, by_name) if used in pure
        ]
        for key, node in pure.items()
    }


def _used(value: Value, by_name: Mapping[str, str]) -> Iterable[str]:
    match value:
        case PortRef(node=node):
            yield node
        case Template():
            for reference in references(value):
                if reference.root == "nodes" and reference.path:
                    yield str(reference.path[0])
                elif reference.root in by_name:
                    yield by_name[reference.root]
        case ListValue(items=items):
            for item in items:
                yield from _used(item, by_name)
        case DictValue(items=members):
            for _, member in members:
                yield from _used(member, by_name)
        case _:
            return
