"""Parameters of nodes as Python, with findings about the expressions in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from nodegx.compiler.diagnostics import Diagnostic, Pointer
from nodegx.compiler.expressions import Binding, ExpressionError, compile_template
from nodegx.compiler.expressions.conditions import compile_condition
from nodegx.compiler.expressions.syntax import Template
from nodegx.compiler.expressions.values import compile_value
from nodegx.compiler.graph import GraphNode, Literal, PortRef, Value
from nodegx.compiler.references import by_name
from nodegx.runtime.catalog.types import Param, Type

from .bindings import argument_binding, variable
from .pure import MAX_DEPTH, MAX_SIZE, PureNodes, conditional_names, leaves, size
from .reading import NO_ARGUMENTS, AbsentError, NamesAt, Reading, UnknownNameError
from .syntax import assign, name, tagged
from .tidy import tidy


class ReportedError(ExpressionError):
    """An expression that cannot be compiled, which has been reported where the fault is."""


class Values:
    """Compiles parameters.

    `found` collects what is wrong; a parameter in which something is wrong becomes None, so that
    the rest can still be looked at.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.graph = reading.graph
        self.found: list[Diagnostic] = []
        self.pure = PureNodes(reading)
        self._seen: set[tuple[str, Pointer, int | None]] = set()

    def consumer(
        self, node: GraphNode, place: str | None = None, *, alone: bool = True
    ) -> Consumer:
        """What compiles the parameters of one node.

        Args:
            node: the node.
            place: where they are computed; by default where the node runs.
            alone: whether statements may be put in front of the node's.
        """
        return Consumer(self, node, place or node.id, alone=alone)

    def report(self, error: ExpressionError, pointer: Pointer, node: str, *, wire: bool) -> None:
        """Notes a finding, once."""
        offset = None if wire else error.offset
        if (error.message, pointer, offset) in self._seen:
            return
        self._seen.add((error.message, pointer, offset))
        code = "NX401"
        if isinstance(error, UnknownNameError):
            code = "NX402"
        elif isinstance(error, AbsentError):
            code = "NX404"
        self.found.append(Diagnostic(code, error.message, pointer, error.hint, node, offset))


class Consumer:
    """Compiles the parameters of one node at one place. `prelude` are the statements that have to
    stand in front of the one that uses the parameters."""

    def __init__(self, values: Values, node: GraphNode, place: str, *, alone: bool) -> None:
        self.values = values
        self.node = node
        self.place = place
        self.prelude: list[ast.stmt] = []
        self._alone = alone
        self._inline: set[str] = set()
        self._compiling: list[str] = []
        self._made: dict[str, str] = {}
        self._codes: dict[str, ast.expr] = {}

    def names(self, arguments: Mapping[str, Binding] = NO_ARGUMENTS) -> NamesAt:
        """The names that a parameter may use."""
        return self.values.reading.at(self.place, self._pure, arguments)

    def argument(self, param: str) -> ast.expr:
        """The code of a parameter that is given."""
        declared = self.node.type.param(param)
        value = self.node.params[param]
        pointer = self.node.param_pointer(param)
        if declared is not None and declared.type is Type.ITEM_EXPRESSION:
            return self.item_function(declared, value, pointer)
        if declared is not None and declared.type is Type.CONDITION:
            return self.condition(value, pointer)
        if declared is not None and declared.by_name:
            value = by_name(value)
        return self.value(value, pointer)

    def value(self, value: Value, pointer: Pointer) -> ast.expr:
        """The code of a value."""
        names = self.names()
        return tidy(self._attempt(lambda: compile_value(value, names, names.port), value, pointer))

    def condition(self, value: Value, pointer: Pointer) -> ast.expr:
        """The code of a condition."""
        names = self.names()
        code = self._attempt(lambda: compile_condition(value, names, names.port), value, pointer)
        return tidy(code, test=True)

    def node_value(self, node: str) -> ast.expr:
        """The code of a node's whole value, which exists at this place."""
        return self.names().whole(node)

    def item_function(self, param: Param, value: Value, pointer: Pointer) -> ast.expr:
        """`lambda item, index: …`."""
        identifiers = [self.values.reading.naming.argument(given) for given in param.scope]
        bound = {
            given: argument_binding(self.node, given, name(identifier))
            for given, identifier in zip(param.scope, identifiers, strict=True)
        }
        names = self.names(bound)
        body = self._attempt(lambda: compile_value(value, names, names.port), value, pointer, bound)
        arguments = ast.arguments(
            [], [ast.arg(identifier) for identifier in identifiers], None, [], [], None, []
        )
        return ast.Lambda(arguments, tidy(body))

    # ------------------------------------------------------------------------- findings

    def _attempt(
        self,
        compile_it: Callable[[], ast.expr],
        value: Value,
        pointer: Pointer,
        arguments: Mapping[str, Binding] = NO_ARGUMENTS,
    ) -> ast.expr:
        try:
            return self._with_prelude(compile_it)
        except ReportedError:
            pass
        except ExpressionError as error:
            self._explain_all(error, value, pointer, self.names(arguments), self.node)
        return ast.Constant(None)

    def _explain_all(
        self,
        error: ExpressionError,
        value: Value,
        pointer: Pointer,
        names: NamesAt,
        node: GraphNode,
    ) -> None:
        """Reports every part of a value that is wrong, each with its place."""
        before = len(self.values.found)
        for part, place in leaves(value, pointer):
            try:
                if isinstance(part, PortRef):
                    names.port(part)
                elif isinstance(part, Template):
                    compile_template(part, names)
            except ReportedError:
                continue
            except ExpressionError as found:
                self._report(found, place, node, wire=isinstance(part, PortRef))
        if len(self.values.found) == before:
            self._report(error, pointer, node, wire=isinstance(value, PortRef))

    def _report(
        self, error: ExpressionError, pointer: Pointer, node: GraphNode, *, wire: bool
    ) -> None:
        if node is not self.node:
            message = f"{error.message} (computed for `{self.node.name}`)"
            error = type(error)(message, error.offset, error.hint)
        self.values.report(error, pointer, node.id, wire=wire)

    # ------------------------------------------------------------------------ pure nodes

    def _with_prelude(self, compile_it: Callable[[], ast.expr]) -> ast.expr:
        """Compiles. A pure node that is needed only under a condition is computed under it."""
        while True:
            made: dict[str, str] = {}
            self._made = made
            self._codes.clear()
            before = len(self.prelude)
            code = compile_it()
            codes = [code, *(_value_of(statement) for statement in self.prelude[before:])]
            conditional = {variable for each in codes for variable in conditional_names(each)}
            unsafe = [node for node, variable in made.items() if variable in conditional]
            if not unsafe:
                return code
            self._inline.update(unsafe)
            del self.prelude[before:]
            for node in reversed(made):
                self.values.pure.forget(node)

    def _pure(self, node: GraphNode) -> ast.expr:
        """The code of a pure node: a variable that holds it, or its own code."""
        pure = self.values.pure
        if node.id not in self._inline and (known := pure.assigned(node.id, self.place)):
            return known
        code = self._codes.get(node.id)
        if code is None:
            code = self._codes[node.id] = self._pure_code(node)
        if not self._alone or node.id in self._inline or not pure.deserves(node.id, code):
            return code
        name = pure.assign(node.id, self.place)
        self._made[node.id] = name
        self.prelude.append(tagged(assign(name, code), node.id))
        return variable(name)

    def _pure_code(self, node: GraphNode) -> ast.expr:
        value = node.params.get("value", Literal(None))
        pointer = node.param_pointer("value")
        if node.id in self._compiling or len(self._compiling) >= MAX_DEPTH:
            raise ExpressionError(f"`{node.name}` is made of too many values of values")
        self._compiling.append(node.id)
        try:
            names = self.names()
            code = compile_value(value, names, names.port)
            if size(code) > MAX_SIZE:
                raise ExpressionError(f"`{node.name}` with all it is made of is too long")
        except ReportedError:
            raise
        except ExpressionError as error:
            self._explain_all(error, value, pointer, self.names(), node)
            raise ReportedError(error.message) from None
        finally:
            self._compiling.pop()
        return code


def _value_of(statement: ast.stmt) -> ast.expr:
    assert isinstance(statement, ast.Assign), "preludes assign"
    return statement.value
