"""Idempotency keys of triggers: functions of a trigger's value, compiled beside the handler."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nodegx.compiler.diagnostics import Diagnostic
from nodegx.compiler.expressions import (
    ROOTS,
    Binding,
    ExpressionError,
    Names,
    Reference,
    Resolved,
    compile_template,
    references,
)
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.graph import Graph, GraphNode, member
from nodegx.compiler.naming import Naming
from nodegx.compiler.scopes import Presence

from .bindings import node_binding, variable

_HINT = "a key is made of what the trigger brings: {}"


def key_functions(
    graph: Graph, naming: Naming, found: list[Diagnostic]
) -> Iterator[tuple[str, ast.expr]]:
    """The keys of all triggers that have one: the node's id, and `lambda order: …`.

    Args:
        graph: the workflow.
        naming: names of variables.
        found: what is wrong is added here.
    """
    for trigger in graph.triggers:
        node = graph.nodes[trigger]
        key = member(node.params.get("idempotency"), "key")
        if not isinstance(key, Template):
            continue
        pointer = (*node.param_pointer("idempotency"), "key")
        try:
            yield trigger, _function(node, key, graph, naming)
        except ExpressionError as error:
            code = "NX404" if isinstance(error, _TooEarlyError) else "NX401"
            found.append(
                Diagnostic(code, error.message, pointer, error.hint, trigger, error.offset)
            )


def _function(node: GraphNode, key: Template, graph: Graph, naming: Naming) -> ast.Lambda:
    names = _TriggerNames(node, graph, naming)
    body = compile_template(key, names)
    if not references(key):
        raise ExpressionError("this key is the same for everything that arrives", 0, names.hint)
    if any(isinstance(part, ast.Name) and part.id == "run" for part in ast.walk(body)):
        raise ExpressionError(
            "a key must come out the same whenever it is made, without a run", 0, names.hint
        )
    argument = ast.arg(naming.variable(node.id))
    return ast.Lambda(ast.arguments([], [argument], None, [], [], None, []), body)


class _TooEarlyError(ExpressionError):
    """A value that does not exist yet when the key is made."""


class _TriggerNames(Names):
    """The only name that a key may read: its trigger's."""

    def __init__(self, node: GraphNode, graph: Graph, naming: Naming) -> None:
        binding = node_binding(node, variable(naming.variable(node.id)), Presence.CERTAIN, {})
        by_name: dict[str, Binding] = {node.name: binding}
        by_id: dict[str, Binding] = {node.id: binding}
        super().__init__(by_name.get, nodes=by_id.get, available=lambda: [node.name])
        self._others = {each.name for each in graph.everything()} - {node.name}
        outputs = [f"{node.name}.{output.name}" for output in node.outputs if not output.whole]
        self.hint = _HINT.format(", ".join(outputs) or node.name)

    def resolve(self, reference: Reference) -> Resolved:
        """See `Resolver.resolve`."""
        root = reference.root
        if root in self._others:
            message = f"`{root}` has no value yet when the key is made"
            raise _TooEarlyError(message, reference.offset, self.hint)
        if root in ROOTS and root != "nodes":
            message = f"`{root}` cannot be read in a key"
            raise ExpressionError(message, reference.offset, self.hint)
        return super().resolve(reference)
