"""Pure nodes: expressions that stand where they are used, or in a variable if several nodes do."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from nodegx.compiler.diagnostics import Pointer
from nodegx.compiler.expressions import references
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import DictValue, Graph, ListValue, PortRef, Value

from .bindings import MAYBE, variable
from .reading import Reading

WORTH_A_NAME = 8
"""Syntax nodes of an expression that is better written once than twice."""
MAX_SIZE = 4_000
"""Syntax nodes of a pure node's code with all it is made of; guards against doubling without end."""
MAX_DEPTH = 30
"""Pure nodes that are made of one another."""

_CHANGING = frozenset({"now", "uuid", "random"})


def leaves(value: Value, pointer: Pointer) -> Iterator[tuple[Value, Pointer]]:
    """The parts of a value that are compiled by themselves, with their places."""
    match value:
        case ListValue(items=items):
            for index, item in enumerate(items):
                yield from leaves(item, (*pointer, index))
        case DictValue(items=members):
            for key, member in members:
                yield from leaves(member, (*pointer, key))
        case _:
            yield value, pointer


class PureNodes:
    """Which pure nodes have a variable, and where it has been assigned."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._uses = _uses(reading.graph)
        self._assigned: dict[str, list[tuple[str, str]]] = {}

    def assigned(self, node: str, place: str) -> ast.expr | None:
        """The variable that holds the node's value at a place, or None."""
        scopes = self._reading.scopes
        for where, name in self._assigned.get(node, ()):
            same = scopes.loops(where) == scopes.loops(place)
            if same and scopes.layout.tree.dominates(where, place):
                return variable(name)
        return None

    def deserves(self, node: str, code: ast.expr) -> bool:
        """Whether a value should be computed once and kept."""
        return self._uses[node] > 1 and size(code) >= WORTH_A_NAME and _is_settled(code)

    def assign(self, node: str, place: str) -> str:
        """Notes that the node's value is put into a variable at a place; returns its name."""
        places = self._assigned.setdefault(node, [])
        base = self._reading.naming.variable(node)
        name = self._reading.naming.unique(base) if places else base
        places.append((place, name))
        return name

    def forget(self, node: str) -> None:
        """Takes the last assignment back."""
        self._assigned[node].pop()


def size(code: ast.expr) -> int:
    """How many syntax nodes an expression has."""
    return sum(1 for _ in ast.walk(code))


def _is_settled(code: ast.expr) -> bool:
    """Whether an expression gives the same value from here on."""
    for part in ast.walk(code):
        if getattr(part, MAYBE, False):
            return False
        if isinstance(part, ast.Attribute) and part.attr in _CHANGING and _is_run(part.value):
            return False
    return True


def _is_run(code: ast.expr) -> bool:
    return isinstance(code, ast.Name) and code.id == "run"


def _uses(graph: Graph) -> Counter[str]:
    """How often each pure node is named in parameters."""
    ids = {node.name: node.id for node in graph.pure.values()}
    uses: Counter[str] = Counter()
    for node in graph.everything():
        for value in node.params.values():
            for leaf, _ in leaves(value, ()):
                if isinstance(leaf, PortRef):
                    uses[leaf.node] += leaf.node in graph.pure
                elif isinstance(leaf, Template):
                    for found in references(leaf):
                        by_id = found.path[0] if found.root == "nodes" and found.path else None
                        named = str(by_id) if by_id is not None else ids.get(found.root, "")
                        uses[named] += named in graph.pure
    return uses


def conditional_names(code: ast.expr) -> set[str]:
    """The names in an expression that may not be read when it is computed, or more than once."""
    found: set[str] = set()
    pending: list[tuple[ast.AST, bool]] = [(code, False)]
    while pending:
        part, conditional = pending.pop()
        if isinstance(part, ast.Name) and conditional:
            found.add(part.id)
        always = _always(part)
        pending += [
            (child, conditional or (always is not None and child not in always))
            for child in ast.iter_child_nodes(part)
        ]
    return found


def _always(part: ast.AST) -> list[ast.AST] | None:
    """The parts of an expression that are computed once whenever it is; None if that is all."""
    match part:
        case ast.BoolOp():
            return [part.values[0]]
        case ast.IfExp():
            return [part.test]
        case ast.Compare():
            return [part.left, part.comparators[0]]
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return [part.generators[0]]
        case ast.comprehension():
            return [part.iter]
        case ast.Lambda():
            return []
        case _:
            return None
