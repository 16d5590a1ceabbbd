"""The vocabulary in which node types are declared.

A declaration is data: the compiler checks workflows against it, the editor and the command line
print it, and nothing here is imported while a workflow runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

_CAMEL_HUMP = re.compile("(?<!^)([A-Z])")


class Kind(StrEnum):
    """How a node takes part in control flow; the compiler has one construct for each."""

    TRIGGER = "trigger"  # starts the workflow; no signal input
    ACTION = "action"  # one awaited step: `done`, and `failure` with `error`
    PURE = "pure"  # no signals at all: becomes an expression where it is used
    IF = "if"  # `true` / `false`
    SWITCH = "switch"  # one signal per case, and `default`
    FOR_EACH = "forEach"  # body from `iteration`, then `completed`
    MERGE = "merge"  # joins concurrent branches
    TRY = "try"  # body from `try`, then `catch`, `finally`, `done`
    RETRY = "retry"  # body from `attempt`, then `done` or `failure`
    STOP = "stop"  # ends the run


class Type(StrEnum):
    """Types of parameters and data ports, as the editor shows them."""

    ANY = "any"
    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    DURATION = "duration"  # seconds, or "500ms", "5s", "2m", "1h", "3d"; compiled to float seconds
    CONDITION = "condition"  # an expression, or groups of comparisons (all / any / not)
    ITEM_EXPRESSION = "itemExpression"  # compiled to `lambda item, index: ...`
    PYTHON = "python"  # the body of a function
    JSON_SCHEMA = "jsonSchema"  # JSON Schema, checked at compile time


@dataclass(frozen=True, slots=True)
class When:
    """A parameter that applies only while its sibling `param` has one of `values`."""

    param: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a node, and at the same time its data input port of that name.

    `choices` limits literals. `many` accepts a list of such values in place of one.
    `literal` forbids templates in the value and everything below it (the compiler needs it);
    a `secret` field below a literal parameter still is a reference such as `{{ secrets.KEY }}`.
    `fields` describes the keys of an object; `items` the elements of an array; None leaves them open.
    `secret` marks values that must come from `secrets`, never be written in the workflow.
    `explicit` objects stand in the workflow key by key; no wire or expression gives them as a whole.
    `by_name` hands secrets in the value on as references (`{"$secret": name}`), not their values.
    `when` limits the parameter (and `required`) to some values of a sibling; given otherwise, it
    is an error, as it would be ignored.
    `runtime` is False for what only the compiler reads (it is not passed to the implementation).
    `argument` is the implementation's keyword where it differs from the snake case of `name`.
    `scope` names the arguments of an ITEM_EXPRESSION's function, in order.
    `check` looks at a literal value and returns what is wrong with it, or None.
    """

    name: str
    type: Type = Type.ANY
    doc: str = ""
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    many: bool = False
    literal: bool = False
    secret: bool = False
    explicit: bool = False
    by_name: bool = False
    when: When | None = None
    runtime: bool = True
    fields: tuple[Param, ...] | None = None
    items: Param | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    argument: str | None = None
    scope: tuple[str, ...] = ("item", "index")
    check: Callable[[Any], str | None] | None = None
    examples: tuple[Any, ...] = ()

    @property
    def keyword(self) -> str:
        """The implementation's name for this parameter."""
        return self.argument or _CAMEL_HUMP.sub(r"_\1", self.name).lower()

    def field(self, name: str) -> Param | None:
        """The key `name` of an object parameter, or None."""
        return next((field for field in self.fields or () if field.name == name), None)


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Parameters that exclude one another; `required` wants exactly one of them."""

    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A data output port. `whole` says that the node's value *is* this port: an expression reads
    JSON keys straight from the node's name (`summary.total`), not through the port's name. `given`
    names the parameter without which a node does not have the port."""

    name: str
    type: Type = Type.ANY
    doc: str = ""
    whole: bool = False
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A control-flow port. An output that is `optional` is never sent while it has no wire; all
    others end the flow then. `argument` is the implementation's keyword that becomes `branch`
    where the output has a wire."""

    name: str
    doc: str = ""
    optional: bool = False
    argument: str | None = None


DONE = Signal("done", "The step has finished.")
FAILURE = Signal(
    "failure",
    "The step has failed; `error` tells why. Unwired, the error propagates.",
    optional=True,
)
RUN = Signal("run", "Starts this node.")


Packages = tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]]

UNKNOWN: Any = ...
"""Stands for a parameter's value that is known only at run time, where packages are asked for."""


@dataclass(frozen=True, slots=True)
class NodeType:
    """One node type.

    `call` names the implementation as `module.function` below `nodegx.runtime.nodes`
    (`http.request`), or `run.method` for what the run itself does (`run.respond`). Where one
    parameter selects the function, `variant` names that parameter and `call` maps its values,
    as may `packages`, the distributions the implementation imports; where that depends on what
    the parameters say, a function of them.
    `positional` parameters are passed by position, in this order, those that apply.
    `alternatives` are groups of parameters that exclude one another.
    `scope` are names that the body of the node sees besides the usual ones.
    `dynamic_outputs` names the parameter whose value lists further signal outputs (switch cases,
    code outputs).
    `targets` are those that can host the node: local, container, aws, gcp.
    `example` is the `parameters` object of a typical node.
    """

    type: str
    kind: Kind
    title: str
    doc: str
    params: tuple[Param, ...] = ()
    outputs: tuple[Output, ...] = ()
    signals_in: tuple[Signal, ...] = (RUN,)
    signals_out: tuple[Signal, ...] = (DONE, FAILURE)
    call: str | Mapping[str, str] | None = None
    variant: str | None = None
    positional: tuple[str, ...] = ()
    alternatives: tuple[Alternatives, ...] = ()
    scope: tuple[str, ...] = ()
    dynamic_outputs: str | None = None
    packages: Packages | Mapping[str, Packages] = ()
    targets: frozenset[str] = frozenset({"local", "container", "aws", "gcp"})
    category: str = ""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def param(self, name: str) -> Param | None:
        """The parameter called `name`, or None."""
        return next((param for param in self.params if param.name == name), None)

    def output(self, name: str) -> Output | None:
        """The data output called `name`, or None."""
        return next((output for output in self.outputs if output.name == name), None)

    @property
    def whole(self) -> Output | None:
        """The output that is the node's value itself, or None where ports are attributes."""
        return next((output for output in self.outputs if output.whole), None)

    def call_for(self, parameters: Mapping[str, Any]) -> str | None:
        """The implementation that a node with these literal parameters runs, or None."""
        if self.call is None or isinstance(self.call, str):
            return self.call
        return self.call.get(self._variant_of(parameters))

    def packages_for(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """The distributions that a node with these literal parameters imports; parameters without
        a literal are `UNKNOWN`."""
        packages = self.packages
        if isinstance(packages, Mapping):
            by_variant = cast("Mapping[str, Packages]", packages)
            packages = by_variant.get(self._variant_of(parameters), ())
        if callable(packages):
            return packages(parameters)
        return packages

    def _variant_of(self, parameters: Mapping[str, Any]) -> str:
        if self.variant is None:
            return ""
        declared = self.param(self.variant)
        return str(parameters.get(self.variant, declared.default if declared else ""))
