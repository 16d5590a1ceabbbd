"""The vocabulary in which node types are declared.

A declaration is data: the compiler checks workflows against it, the editor and the command line
print it, and nothing here is imported while a workflow runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
class Param:
    """A parameter of a node, and at the same time its data input port of that name.

    `choices` limits literals. `literal` forbids templates (the compiler needs the value).
    `fields` describes the keys of an object; `items` the elements of an array; None leaves them open.
    `secret` marks values that must come from `secrets`, never be written in the workflow.
    `runtime` is False for what only the compiler reads (it is not passed to the implementation).
    `argument` is the implementation's keyword where it differs from the snake case of `name`.
    `check` looks at a literal value and returns what is wrong with it, or None.
    """

    name: str
    type: Type = Type.ANY
    doc: str = ""
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    literal: bool = False
    secret: bool = False
    runtime: bool = True
    fields: tuple[Param, ...] | None = None
    items: Param | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    argument: str | None = None
    check: Callable[[Any], str | None] | None = None
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A data output port. `whole` says that the node's value *is* this port: an expression reads
    JSON keys straight from the node's name (`summary.total`), not through the port's name."""

    name: str
    type: Type = Type.ANY
    doc: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """A control-flow port."""

    name: str
    doc: str = ""


DONE = Signal("done", "The step has finished.")
FAILURE = Signal(
    "failure", "The step has failed; `error` tells why. Unwired, the error propagates."
)
RUN = Signal("run", "Starts this node.")


@dataclass(frozen=True, slots=True)
class NodeType:
    """One node type.

    `call` names the implementation as `module.function` below `nodegx.runtime.nodes`
    (`http.request`), or `run.method` for what the run itself does (`run.respond`). Where one
    parameter selects the function, `variant` names that parameter and `call` maps its values.
    `positional` parameters are passed by position, in this order.
    `scope` are names an ITEM_EXPRESSION or a body sees besides the usual ones.
    `dynamic_outputs` names the parameter whose value lists further signal outputs (switch cases,
    code outputs).
    `targets` are those that can host the node: local, container, aws, gcp.
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
    scope: tuple[str, ...] = ()
    dynamic_outputs: str | None = None
    packages: tuple[str, ...] = ()
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
