"""URLs that end waits: `resumeUrl("approval")` in expressions.

A URL is that of one wait in one iteration: it is made of the id of the wait's step. `run` knows the
iteration it belongs to, so the URL of a wait outside of a loop cannot be asked of the loop's own
`run`: it is put into a variable in front of the loop.
"""

from __future__ import annotations

import ast
from collections import defaultdict

from nodegx.compiler.diagnostics import suggestion
from nodegx.compiler.expressions import ExpressionError
from nodegx.compiler.graph import Graph, GraphNode
from nodegx.compiler.naming import Naming
from nodegx.compiler.scopes import Scopes
from nodegx.compiler.structure.flow import ENTRY

from .bindings import variable
from .syntax import assign, call, name, tagged
from .variables import ASSIGNS


class ResumeUrls:
    """The resume URLs that a handler asks for.

    Args:
        graph: the workflow.
        scopes: what exists where.
        naming: names.

    Attributes:
        constants: nodes whose declaration the code reads.
    """

    def __init__(self, graph: Graph, scopes: Scopes, naming: Naming) -> None:
        self.constants: set[str] = set()
        self._graph = graph
        self._scopes = scopes
        self._naming = naming
        self._wanted: dict[str, dict[str, str]] = defaultdict(dict)
        self._assigned: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)

    def code(self, wait: str, place: str, offset: int) -> ast.expr:
        """The code of the URL that ends a wait.

        Args:
            wait: id of the wait's node.
            place: where the URL is asked for.
            offset: where the id stands in the template.

        Raises:
            ExpressionError: no request can end that node, or none that this place could know of.
        """
        node = self._checked(wait, offset)
        here, there = self._scopes.frames(place), self._scopes.frames(wait)
        if here[: len(there)] != there:
            raise self._out_of_sight(node, here, there, offset)
        self.constants.add(wait)
        if here == there:
            return self._asked(wait)
        frame = there[-1] if there else ENTRY
        for loop, identifier in self._assigned[frame, wait]:
            if self._scopes.layout.tree.dominates(loop, place):
                return variable(identifier)
        wanted = self._wanted[frame]
        if wait not in wanted:
            wanted[wait] = self._naming.unique(f"{self._naming.variable(wait)}_url")
        return variable(wanted[wait])

    def in_front(self, loop: str, frame: str) -> list[ast.stmt]:
        """The statements that put URLs into variables, in front of a loop or retry whose body has
        just been written.

        Args:
            loop: id of its node.
            frame: the key of the body that it is part of.
        """
        made: list[ast.stmt] = []
        for wait, identifier in self._wanted.pop(frame, {}).items():
            self._assigned[frame, wait].append((loop, identifier))
            statement = tagged(assign(identifier, self._asked(wait)), loop)
            setattr(statement, ASSIGNS, True)
            made.append(statement)
        return made

    def _asked(self, wait: str) -> ast.expr:
        return call("run.resume_url", name(self._naming.constants[wait]))

    def _checked(self, wait: str, offset: int) -> GraphNode:
        """The node of that id, if a request may end it."""
        node = self._graph.find(wait)
        possible = [each.id for each in self._graph.nodes.values() if _takes_requests(each)]
        if node is None:
            message = f"there is no node with the id {wait!r}"
            raise ExpressionError(
                message, offset, suggestion(wait, possible, "waits for a webhook")
            )
        if node.type.type != "logic.wait":
            message = f"`{node.name}` is a {node.type.type}: nothing ends it from outside"
            hint = suggestion(wait, possible, "waits for a webhook")
            raise ExpressionError(message, offset, hint)
        if not _takes_requests(node):
            message = f"`{node.name}` does not wait for a webhook, so it has no URL"
            raise ExpressionError(
                message, offset, "give it `webhook` in place of what it waits for"
            )
        if not self._scopes.reached(wait):
            raise ExpressionError(f"`{node.name}` never runs", offset, "wire a signal to it")
        return node

    def _out_of_sight(
        self, node: GraphNode, here: tuple[str, ...], there: tuple[str, ...], offset: int
    ) -> ExpressionError:
        first = next(key for index, key in enumerate(there) if here[index : index + 1] != (key,))
        owner = self._scopes.layout.flow[first].node
        body = self._graph.nodes[owner]
        message = (
            f"`{node.name}` runs inside of `{body.name}`, once for each turn, each with its URL"
        )
        hint = f"ask for the URL inside of {body.name} too, where it is that of the same turn"
        return ExpressionError(message, offset, hint)


def _takes_requests(node: GraphNode) -> bool:
    return node.type.type == "logic.wait" and "webhook" in node.params
