"""What names in expressions stand for in a handler."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from nodegx.compiler.expressions import (
    ROOTS,
    Binding,
    ExpressionError,
    Names,
    Reference,
    Resolved,
    value,
)
from nodegx.compiler.graph import Graph, GraphNode, PortRef
from nodegx.compiler.naming import Naming
from nodegx.compiler.scopes import Presence, Scopes
from nodegx.runtime.catalog.types import Kind

from .bindings import ITEM_TYPES, error_binding, node_binding, variable
from .resuming import ResumeUrls
from .syntax import name

NO_ARGUMENTS: Mapping[str, Binding] = {}


class UnknownNameError(ExpressionError):
    """A name that stands for nothing."""


class AbsentError(ExpressionError):
    """A node whose value or error cannot exist where it is read."""


class Reading:
    """Names of one workflow.

    Args:
        graph: the workflow.
        scopes: what exists where.
        naming: names of variables.
    """

    def __init__(self, graph: Graph, scopes: Scopes, naming: Naming) -> None:
        self.graph = graph
        self.scopes = scopes
        self.naming = naming
        self.by_name = {node.name: node for node in graph.everything()}
        self.loop_variables: dict[str, tuple[str, str]] = {}
        self.resume_urls = ResumeUrls(graph, scopes, naming)

    def at(
        self,
        place: str,
        pure: Callable[[GraphNode], ast.expr],
        arguments: Mapping[str, Binding] = NO_ARGUMENTS,
    ) -> NamesAt:
        """The names as seen from a place.

        Args:
            place: key of a vertex.
            pure: the code of a pure node.
            arguments: names that the expression's own function gives.
        """
        return NamesAt(self, place, pure, arguments)


class NamesAt(Names):
    """The names at one place of a workflow: a `Resolver` for expressions."""

    def __init__(
        self,
        reading: Reading,
        place: str,
        pure: Callable[[GraphNode], ast.expr],
        arguments: Mapping[str, Binding],
    ) -> None:
        super().__init__(self._binding_of, nodes=self._binding_of_id, available=self._available)
        self._reading = reading
        self._graph = reading.graph
        self._scopes = reading.scopes
        self._place = place
        self._pure = pure
        self._arguments = arguments

    # ------------------------------------------------------------------------- resolving

    def resolve(self, reference: Reference) -> Resolved:
        """See `Resolver.resolve`. Refuses what cannot exist at this place."""
        node, path = self._node_of(reference)
        if node is not None and reference.root not in self._arguments:
            self._check(node, path, reference.offset)
        if reference.root in ITEM_TYPES and reference.root not in self._arguments:
            self._check_loop(reference)
        try:
            return super().resolve(reference)
        except ExpressionError as error:
            if node is None and reference.root not in (*ROOTS, *self._arguments):
                raise UnknownNameError(error.message, error.offset, error.hint) from None
            raise

    def resume_url(self, node: str, offset: int) -> ast.expr:
        """See `Resolver.resume_url`."""
        return self._reading.resume_urls.code(node, self._place, offset)

    def port(self, wire: PortRef) -> ast.expr:
        """The code of a data wire."""
        node = self._graph.find(wire.node)
        if node is None:
            raise ExpressionError(f"there is no node {wire.node!r}")
        self._check(node, (wire.port,), 0)
        binding = self._binding(node)
        whole = node.type.whole
        if whole is None or whole.name != wire.port:
            binding = (binding.members or {}).get(wire.port, binding)
        if binding.code is None:
            raise ExpressionError(f"`{node.name}.{wire.port}` is not a value by itself")
        return binding.code

    def whole(self, node: str) -> ast.expr:
        """The code of a node's value as plain JSON."""
        code = self._binding(self._graph.nodes[node]).code
        return ast.Constant(None) if code is None else code

    def _node_of(self, reference: Reference) -> tuple[GraphNode | None, tuple[str | int, ...]]:
        if reference.root != "nodes":
            return self._reading.by_name.get(reference.root), reference.path
        key = reference.path[0] if reference.path else None
        return (self._graph.find(key) if isinstance(key, str) else None), reference.path[1:]

    # -------------------------------------------------------------------------- checking

    def _check(self, node: GraphNode, path: tuple[str | int, ...], offset: int) -> None:
        first = path[0] if path else None
        kind = node.type.kind
        if node.is_pure:
            return
        if kind is Kind.FOR_EACH and first in ITEM_TYPES:
            if node.id not in self._scopes.loops(self._place):
                raise AbsentError(
                    f"`{node.name}.{first}` exists only inside the loop",
                    offset,
                    f"outside, read {node.name}.results",
                )
            return
        present = self._scopes.value(self._place, node.id) is not Presence.NEVER
        if first == "error" and not (present and node.type.whole is not None):
            if self._scopes.error(self._place, node.id) is Presence.NEVER:
                raise AbsentError(
                    f"`{node.name}.error` does not exist here", offset, self._error_hint(node)
                )
            return
        if not present and not self._is_failed(node, first):
            raise AbsentError(self._absent(node), offset, self._absent_hint(node))
        if not node.outputs:
            hint = f"nothing comes of a {node.type.type} like this one"
            raise AbsentError(f"`{node.name}` has no value", offset, hint)

    def _check_loop(self, reference: Reference) -> None:
        if not self._scopes.loops(self._place):
            raise AbsentError(
                f"`{reference.root}` exists only inside a loop",
                reference.offset,
                "it belongs to what follows `iteration` of a logic.forEach",
            )

    def _is_failed(self, node: GraphNode, first: str | int | None) -> bool:
        return first == "error" and self._scopes.error(self._place, node.id) is not Presence.NEVER

    def _error_hint(self, node: GraphNode) -> str:
        port = "catch" if node.type.kind is Kind.TRY else "failure"
        if port not in node.signals:
            return f"{node.type.type} has no error"
        return f"it exists only in what follows `{port}` of {node.name}"

    def _absent(self, node: GraphNode) -> str:
        if node.id == self._place:
            return f"`{node.name}` cannot read its own value"
        if node.type.kind not in {Kind.TRIGGER, Kind.ACTION, Kind.FOR_EACH}:
            return f"`{node.name}` has no value: it is a {node.type.type}"
        if not self._scopes.reached(node.id):
            return f"`{node.name}` never runs"
        loops = set(self._scopes.loops(node.id)) - set(self._scopes.loops(self._place))
        if loops:
            return f"`{node.name}` runs inside a loop and cannot be seen outside of it"
        return f"`{node.name}` cannot have run here"

    def _absent_hint(self, node: GraphNode) -> str:
        loops = [
            loop
            for loop in self._scopes.loops(node.id)
            if loop not in self._scopes.loops(self._place)
        ]
        if loops and self._scopes.reached(node.id):
            outer = self._graph.nodes[loops[0]].name
            return f"set `result` of {outer} and read {outer}.results"
        known = sorted(self._available())
        return f"available here: {', '.join(known)}" if known else "nothing has run here yet"

    # -------------------------------------------------------------------------- bindings

    def _available(self) -> list[str]:
        names = [node.name for node in self._scopes.values(self._place)]
        names += [node.name for node in self._graph.pure.values()]
        if self._scopes.loops(self._place):
            names += ITEM_TYPES
        return [*names, *self._arguments]

    def _binding_of(self, identifier: str) -> Binding | None:
        if identifier in self._arguments:
            return self._arguments[identifier]
        if identifier in ITEM_TYPES:
            loops = self._scopes.loops(self._place)
            return self._loop_member(loops[-1], identifier) if loops else None
        node = self._reading.by_name.get(identifier)
        return None if node is None else self._binding(node)

    def _binding_of_id(self, node: str) -> Binding | None:
        found = self._graph.find(node)
        return None if found is None else self._binding(found)

    def _loop_member(self, loop: str, member: str) -> Binding:
        item, index = self._reading.loop_variables[loop]
        return value(name(item if member == "item" else index), ITEM_TYPES[member])

    def _binding(self, node: GraphNode) -> Binding:
        if node.is_pure:
            return value(self._pure(node))
        members: dict[str, Binding] = {}
        if self._scopes.error(self._place, node.id) is not Presence.NEVER:
            presence = self._scopes.error(self._place, node.id)
            read = variable(self._reading.naming.error(node.id), presence)
            members["error"] = error_binding(read, presence)
        if node.id in self._scopes.loops(self._place):
            members |= {member: self._loop_member(node.id, member) for member in ITEM_TYPES}
        presence = self._scopes.value(self._place, node.id)
        if presence is Presence.NEVER:
            return Binding(None, members=members, noun="port")
        read = variable(self._reading.naming.variable(node.id), presence)
        return node_binding(node, read, presence, members)
